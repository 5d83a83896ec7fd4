import { parseNestedText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";

/** The fields of a wrapper that its events get if they have none of their own. */
export interface EventDefaults {
  /** The length of these fields as JSON; each event gets a copy. */
  readonly copiedChars: number;
  /** Returns a copy of the event with these fields. */
  readonly applyTo: (event: JsonObject) => JsonObject;
}

/**
 * Each event of a batch gets the batch's `sentAt`, `context` and `integrations`; the event's own keys win. Other fields of the batch
 * are dropped, and so is the write key that Segment's libraries repeat in the events.
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
 * An event in a CloudEvent gets the CloudEvent's `time` as its `timestamp` if it has no time of its own. The CloudEvent's `id` is not
 * used as `messageId`: it is unique only together with `source`, and gainstream treats two events with one `messageId` as duplicates.
 * Source: https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md
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

/** Merges a part of the batch with the same part of an event; `own` is undefined if the event does not have it. */
type Merge = (batchPart: Json, own: Json | undefined) => Json;

/**
 * Makes a merge by keys; `nestedMerges` merge the values of some keys in turn. An event's part that is no object stays unchanged: the
 * rule on consent takes it as a refusal.
 */
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

/** Consent is merged by category: an event that mentions one category must not hide that the batch refuses another. */
const mergeContext = createMerge({ consent: createMerge({ categoryPreferences: createMerge() }) });

/**
 * The event's integrations count only if they are an object, and a null in them does not replace a value of the batch: neither may hide
 * that the batch switches an integration off.
 */
function mergeIntegrations(batchPart: JsonObject, own: Json | undefined): Json {
  const ownContent = contentOf(own);
  if (own === undefined || !isObject(ownContent)) return batchPart;
  const statedEntries = Object.entries(ownContent).filter(
    ([name, value]) => value !== null || !Object.hasOwn(batchPart, name),
  );
  return inFormOf(own, withDefaults(batchPart, Object.fromEntries(statedEntries)));
}

/** A part that was JSON text becomes text again, so that `parseObjectParts` counts the repair. */
const inFormOf = (own: Json, merged: JsonObject): Json => (typeof own === "string" ? JSON.stringify(merged) : merged);

function withDefaults(batchPart: JsonObject, own: JsonObject): Record<string, Json | undefined> {
  const out: Record<string, Json | undefined> = { ...batchPart };
  for (const [name, value] of Object.entries(own)) putKey(out, name, value);
  return out;
}

/**
 * The value of a part, parsed if it is JSON text. Undefined if it is null, blank, or an empty list, which PHP writes for an empty map.
 */
function contentOf(value: Json | undefined): Json | undefined {
  const json = typeof value === "string" ? parseNestedText(value) : value;
  return json === null || (isArray(json) && json.length === 0) ? undefined : json;
}
