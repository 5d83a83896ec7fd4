import { parseOptionalText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";

/** What a wrapper says about the events in it. */
export interface EventDefaults {
  /** How long they are as JSON: each event gets a copy. */
  readonly copiedChars: number;
  readonly applyTo: (event: JsonObject) => JsonObject;
}

/**
 * The `sentAt`, `context` and `integrations` of a batch hold for each of its events; what an event says itself wins, key by
 * key. Nothing else of a batch goes on, nor does the write key that Segment's libraries repeat in its events.
 * Source: "merged with any context inside each of the items in the batch", in
 * https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
 */
export function batchDefaults(batch: JsonObject): EventDefaults {
  const sentAt = presentValue(batch["sentAt"]) ?? presentValue(batch["sent_at"]);
  const context = contentOf(batch["context"]);
  const integrations = contentOf(batch["integrations"]);
  const applyTo: EventDefaults["applyTo"] = ({ writeKey: _writeKey, write_key: _snakeWriteKey, ...event }) => {
    const out: Record<string, Json | undefined> = event;
    if (sentAt !== undefined && !hasAnyOf(event, ["sentAt", "sent_at"])) out["sentAt"] = sentAt;
    if (context !== undefined) out["context"] = mergeContext(context, event["context"]);
    if (isObject(integrations)) out["integrations"] = mergeIntegrations(integrations, event["integrations"]);
    return out;
  };
  return { copiedChars: jsonLengthOf(context) + jsonLengthOf(integrations), applyTo };
}

/**
 * `time` is when a CloudEvent's occurrence happened: the time of an event that has none itself. Its `id` is no messageId: it is
 * unique only together with `source`, and two events with one messageId are one event to us.
 */
export function cloudEventDefaults({ time }: JsonObject): EventDefaults | undefined {
  const timestamp = presentValue(time);
  if (timestamp === undefined) return undefined;
  const own = ["timestamp", "originalTimestamp", "original_timestamp"];
  return {
    copiedChars: jsonLengthOf(timestamp),
    applyTo: (event) => (hasAnyOf(event, own) ? event : { ...event, timestamp }),
  };
}

const presentValue = (value: Json | undefined): Json | undefined =>
  value === null || value === "" ? undefined : value;

const hasAnyOf = (event: JsonObject, names: readonly string[]): boolean =>
  names.some((name) => presentValue(event[name]) !== undefined);

const jsonLengthOf = (value: Json | undefined): number => (value === undefined ? 0 : JSON.stringify(value).length);

type Merge = (batchPart: Json, own: Json | undefined) => Json;

/** Merges key by key; `inner` says which keys are merged in turn. What cannot be read stays: to the rule on consent it is a refusal. */
const createMerge =
  (nestedMerges: Readonly<Record<string, Merge>> = {}): Merge =>
  (batchPart, own) => {
    const ownContent = contentOf(own);
    if (own === undefined || ownContent === undefined) return batchPart;
    const batchContent = contentOf(batchPart);
    if (!isObject(ownContent) || !isObject(batchContent)) return own;
    const out = withDefaults(batchContent, ownContent);
    for (const [name, merge] of Object.entries(nestedMerges)) {
      if (batchContent[name] !== undefined) out[name] = merge(batchContent[name], ownContent[name]);
    }
    return inFormOf(own, out);
  };

/** What an event says of one category of consent must not hide that another is refused. */
const mergeContext = createMerge({ consent: createMerge({ categoryPreferences: createMerge() }) });

/** What is no object says nothing, nor does a null: neither hides that the batch switches something off. */
function mergeIntegrations(batchPart: JsonObject, own: Json | undefined): Json {
  const ownContent = contentOf(own);
  if (own === undefined || !isObject(ownContent)) return batchPart;
  const statedEntries = Object.entries(ownContent).filter(
    ([name, value]) => value !== null || !Object.hasOwn(batchPart, name),
  );
  return inFormOf(own, withDefaults(batchPart, Object.fromEntries(statedEntries)));
}

/** JSON text stays text, for the event's own repairs. */
const inFormOf = (own: Json, merged: JsonObject): Json => (typeof own === "string" ? JSON.stringify(merged) : merged);

function withDefaults(batchPart: JsonObject, own: JsonObject): Record<string, Json | undefined> {
  const out: Record<string, Json | undefined> = { ...batchPart };
  for (const [name, value] of Object.entries(own)) putKey(out, name, value);
  return out;
}

/** What is in a part, which may be JSON text, also twice; undefined if it says nothing: null, blank, or the empty list that PHP writes. */
function contentOf(value: Json | undefined): Json | undefined {
  const json = typeof value === "string" ? parseTextIfJson(value) : value;
  if (typeof json === "string" && json !== value) return contentOf(json);
  return json === null || (isArray(json) && json.length === 0) ? undefined : json;
}

/** A text that is no JSON stays a text. */
function parseTextIfJson(text: string): Json {
  try {
    return parseOptionalText(text);
  } catch {
    return text;
  }
}
