import type { Type } from "avsc";

import type { Json, JsonObject } from "../src/core/event.ts";

/** How many containers our schema spells out inside of a map; what nests deeper travels as JSON text. */
const SPELLED_OUT = 3;
const TEXT_FIELDS = new Set(
  "type messageId userId anonymousId groupId previousId event name category timestamp originalTimestamp sentAt receivedAt channel version".split(
    " ",
  ),
);
const MAP_FIELDS = new Set(["context", "integrations", "traits", "properties"]);

/** Encodes an event by `schemas/segment-event.avsc`; `type` is plain `avsc.Type.forSchema` of it. */
export function encodeEvent(event: JsonObject, type: Type): Buffer {
  const record: Record<string, unknown> = {};
  const extra: [string, unknown][] = [];
  for (const [name, value] of Object.entries(event)) {
    if (TEXT_FIELDS.has(name)) record[name] = value;
    else if (MAP_FIELDS.has(name)) record[name] = value === null ? null : toMap(value as JsonObject, SPELLED_OUT);
    else extra.push([name, toValue(value ?? null, SPELLED_OUT)]);
  }
  if (extra.length > 0) record["extra"] = Object.fromEntries(extra);
  return type.toBuffer(record);
}

/** Puts the Confluent header before a payload: a zero byte and the schema's id in four bytes. */
export function frame(schemaId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, payload]);
}

/** avsc wants the branch named wherever a union holds both long and double. */
function toValue(value: Json, level: number): unknown {
  if (value === null) return null;
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { boolean: value };
  if (typeof value === "number") return toNumber(value);
  if (level === 0) return { "gainstream.JsonText": { value: JSON.stringify(value) } };
  return Array.isArray(value)
    ? { array: value.map((item: Json) => toValue(item, level - 1)) }
    : { map: toMap(value as JsonObject, level - 1) };
}

/** Whole numbers as long, up to the last one that avsc takes for safe. */
function toNumber(value: number): unknown {
  return Number.isInteger(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER ? { long: value } : { double: value };
}

function toMap(value: JsonObject, level: number): unknown {
  const defined = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(defined.map(([key, inner]) => [key, toValue(inner ?? null, level)]));
}
