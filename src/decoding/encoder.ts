import avro, { type Schema, type Type } from "avsc";

import type { Json, JsonObject } from "../core/json/json.ts";

export type Encode = (event: JsonObject) => Buffer;

const OWN_RECORD = "gainstream.SegmentEvent";
/** How many containers our schema spells out inside of a map; what nests deeper travels as JSON text. */
const SPELLED_OUT = 3;
const TEXT_FIELDS = new Set(
  "type messageId userId anonymousId groupId previousId event name category timestamp originalTimestamp sentAt receivedAt channel version".split(
    " ",
  ),
);
const MAP_FIELDS = new Set(["context", "integrations", "traits", "properties"]);
const WRITTEN = [...TEXT_FIELDS, ...MAP_FIELDS, "extra"];

/**
 * Encodes events by a version of `schemas/segment-event.avsc`, without a header. `schema` is its text, and `origin` says
 * where that comes from. Throws a sentence where it is another schema; the encoder throws what `toRecord` throws.
 */
export function createEncoder({ schema, origin }: { readonly schema: string; readonly origin: string }): Encode {
  const type = parseSchema(schema);
  const fields = type instanceof avro.types.RecordType ? type.fields.map(({ name }) => name) : [];
  if (type?.name !== OWN_RECORD || !WRITTEN.every((name) => fields.includes(name))) {
    const got = type?.name === undefined ? "another kind of schema" : `'${type.name}'`;
    throw new Error(`Cannot write events by ${origin}: got ${got}, want '${OWN_RECORD}' of schemas/segment-event.avsc`);
  }
  return (event) => encodeEvent(event, type);
}

function parseSchema(text: string): Type | undefined {
  try {
    return avro.Type.forSchema(JSON.parse(text) as Schema);
  } catch {
    return undefined;
  }
}

/** Encodes an event by `schemas/segment-event.avsc`; `type` is plain `avsc.Type.forSchema` of it. */
export function encodeEvent(event: JsonObject, type: Type): Buffer {
  return type.toBuffer(toRecord(event));
}

/** Puts the Confluent header before a payload: a zero byte and the schema's id in four bytes. */
export function frame(schemaId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, payload]);
}

/** The event as avsc takes it for our schema. Throws a sentence where the schema has no room for what the event says. */
export function toRecord(event: JsonObject): object {
  const record: Record<string, unknown> = {};
  const extra: [string, unknown][] = [];
  if (typeof event["type"] !== "string") throw misfit("type", "text");
  for (const [name, value] of Object.entries(event)) {
    if (TEXT_FIELDS.has(name)) record[name] = toText(name, value);
    else if (MAP_FIELDS.has(name)) record[name] = toPart(name, value);
    else extra.push([name, toValue(value ?? null, SPELLED_OUT)]);
  }
  if (extra.length > 0) record["extra"] = Object.fromEntries(extra);
  return record;
}

const misfit = (name: string, want: string): Error =>
  new Error(`Cannot write the event as Avro: got another kind of \`${name}\`, want ${want}`);

function toText(name: string, value: Json | undefined): Json | undefined {
  if (value === undefined || value === null || typeof value === "string") return value;
  if (name === "version" && isLong(value)) return value;
  throw misfit(name, "text");
}

function toPart(name: string, value: Json | undefined): unknown {
  if (value === undefined || value === null) return value;
  if (typeof value !== "object" || Array.isArray(value)) throw misfit(name, "an object");
  return toMap(value as JsonObject, SPELLED_OUT);
}

/** avsc wants the branch named wherever a union holds both long and double. */
function toValue(value: Json, level: number): unknown {
  if (value === null) return null;
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { boolean: value };
  if (typeof value === "number") return isLong(value) ? { long: value } : { double: value };
  if (level === 0) return { "gainstream.JsonText": { value: JSON.stringify(value) } };
  return Array.isArray(value)
    ? { array: value.map((item: Json) => toValue(item, level - 1)) }
    : { map: toMap(value as JsonObject, level - 1) };
}

/** Whole numbers as far as avsc writes longs right; greater ones are exact as doubles. */
function isLong(value: Json): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 52;
}

function toMap(value: JsonObject, level: number): unknown {
  const defined = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(defined.map(([key, inner]) => [key, toValue(inner ?? null, level)]));
}
