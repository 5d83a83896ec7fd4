import { parseOptionalText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isList, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";

/** What a wrapper says about the events in it. */
export interface Defaults {
  /** How long they are as JSON: each event gets a copy. */
  readonly chars: number;
  readonly fill: (event: JsonObject) => JsonObject;
}

/**
 * The `sentAt`, `context` and `integrations` of a batch hold for each of its events; what an event says itself wins, key by
 * key. Nothing else of a batch goes on, nor does the write key that Segment's libraries repeat in its events.
 * Source: "merged with any context inside each of the items in the batch", in
 * https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
 */
export function batchDefaults(batch: JsonObject): Defaults {
  const sentAt = given(batch["sentAt"]) ?? given(batch["sent_at"]);
  const context = held(batch["context"]);
  const integrations = held(batch["integrations"]);
  const fill: Defaults["fill"] = ({ writeKey: _writeKey, write_key: _snakeWriteKey, ...event }) => {
    const out: Record<string, Json | undefined> = event;
    if (sentAt !== undefined && !hasAny(event, ["sentAt", "sent_at"])) out["sentAt"] = sentAt;
    if (context !== undefined) out["context"] = mergedContext(context, event["context"]);
    if (isObject(integrations)) out["integrations"] = mergedIntegrations(integrations, event["integrations"]);
    return out;
  };
  return { chars: lengthOf(context) + lengthOf(integrations), fill };
}

/**
 * `time` is when a CloudEvent's occurrence happened: the time of an event that has none itself. Its `id` is no messageId: it is
 * unique only together with `source`, and two events with one messageId are one event to us.
 */
export function cloudEventTime({ time }: JsonObject): Defaults | undefined {
  const timestamp = given(time);
  if (timestamp === undefined) return undefined;
  const own = ["timestamp", "originalTimestamp", "original_timestamp"];
  return {
    chars: lengthOf(timestamp),
    fill: (event) => (hasAny(event, own) ? event : { ...event, timestamp }),
  };
}

const given = (value: Json | undefined): Json | undefined => (value === null || value === "" ? undefined : value);

const hasAny = (event: JsonObject, names: readonly string[]): boolean =>
  names.some((name) => given(event[name]) !== undefined);

const lengthOf = (value: Json | undefined): number => (value === undefined ? 0 : JSON.stringify(value).length);

type Merge = (part: Json, own: Json | undefined) => Json;

/** Merges key by key; `inner` says which keys are merged in turn. What cannot be read stays: to the rule on consent it is a refusal. */
const merging =
  (inner: Readonly<Record<string, Merge>> = {}): Merge =>
  (part, own) => {
    const mine = held(own);
    if (own === undefined || mine === undefined) return part;
    const theirs = held(part);
    if (!isObject(mine) || !isObject(theirs)) return own;
    const out = withDefaults(theirs, mine);
    for (const [name, merge] of Object.entries(inner)) {
      if (theirs[name] !== undefined) out[name] = merge(theirs[name], mine[name]);
    }
    return likeIt(own, out);
  };

/** What an event says of one category of consent must not hide that another is refused. */
const mergedContext = merging({ consent: merging({ categoryPreferences: merging() }) });

/** What is no object says nothing, nor does a null: neither hides that the batch switches something off. */
function mergedIntegrations(part: JsonObject, own: Json | undefined): Json {
  const mine = held(own);
  if (own === undefined || !isObject(mine)) return part;
  const said = Object.entries(mine).filter(([name, value]) => value !== null || !Object.hasOwn(part, name));
  return likeIt(own, withDefaults(part, Object.fromEntries(said)));
}

/** JSON text stays text, for the event's own repairs. */
const likeIt = (own: Json, merged: JsonObject): Json => (typeof own === "string" ? JSON.stringify(merged) : merged);

function withDefaults(part: JsonObject, own: JsonObject): Record<string, Json | undefined> {
  const out: Record<string, Json | undefined> = { ...part };
  for (const [name, value] of Object.entries(own)) putKey(out, name, value);
  return out;
}

/** What is in a part, which may be JSON text, also twice; undefined if it says nothing: null, blank, or the empty list that PHP writes. */
function held(value: Json | undefined): Json | undefined {
  const json = typeof value === "string" ? parsedText(value) : value;
  if (typeof json === "string" && json !== value) return held(json);
  return json === null || (isList(json) && json.length === 0) ? undefined : json;
}

/** A text that is no JSON stays a text. */
function parsedText(text: string): Json {
  try {
    return parseOptionalText(text);
  } catch {
    return text;
  }
}
