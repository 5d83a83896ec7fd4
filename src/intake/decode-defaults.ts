import type { Json, JsonObject } from "../core/event.ts";
import { parseJsonText } from "../core/json-text.ts";
import { isObject } from "../core/json.ts";
import { putKey } from "../core/put-key.ts";

/** What a wrapper says about the events in it. */
export interface Defaults {
  /** How long they are as JSON: each event gets a copy. */
  readonly chars: number;
  readonly fill: (event: JsonObject) => JsonObject;
}

/** Merged with an event's own. */
const MERGED = ["context", "integrations"] as const;

/**
 * The `sentAt`, `context` and `integrations` of a batch hold for each of its events; what an event says itself wins, key by
 * key. Nothing else of a batch goes on, nor does the write key that Segment's libraries repeat in its events.
 * Source: "merged with any context inside each of the items in the batch", in
 * https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
 */
export function batchDefaults(batch: JsonObject): Defaults {
  const sentAt = given(batch["sentAt"]) ?? given(batch["sent_at"]);
  const parts = MERGED.flatMap((name) => {
    const part = objectIn(batch[name]);
    return part ? [[name, part] as const] : [];
  });
  const fill: Defaults["fill"] = ({ writeKey: _writeKey, write_key: _snakeWriteKey, ...event }) => {
    const out: Record<string, Json | undefined> = event;
    if (sentAt !== undefined && !hasAny(event, ["sentAt", "sent_at"])) out["sentAt"] = sentAt;
    for (const [name, part] of parts) out[name] = merged(part, event[name]);
    return out;
  };
  return { chars: JSON.stringify(parts).length, fill };
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
    chars: JSON.stringify(timestamp).length,
    fill: (event) => (hasAny(event, own) ? event : { ...event, timestamp }),
  };
}

const given = (value: Json | undefined): Json | undefined => (value === null || value === "" ? undefined : value);

const hasAny = (event: JsonObject, names: readonly string[]): boolean =>
  names.some((name) => given(event[name]) !== undefined);

/** What is no object, nor the JSON text of one, counts as absent: it must not hide a consent that was refused. JSON text stays text, for the event's own repairs. */
function merged(part: JsonObject, own: Json | undefined): Json {
  const object = objectIn(own);
  if (!object) return part;
  const out = withDefaults(part, object);
  return typeof own === "string" ? JSON.stringify(out) : out;
}

function withDefaults(part: JsonObject, own: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = { ...part };
  for (const [name, value] of Object.entries(own)) putKey(out, name, value);
  return out;
}

function objectIn(value: Json | undefined): JsonObject | undefined {
  if (typeof value !== "string") return isObject(value) ? value : undefined;
  const parsed = parsedText(value);
  return isObject(parsed) ? parsed : undefined;
}

function parsedText(text: string): Json | undefined {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}
