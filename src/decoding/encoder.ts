import avro, { type Schema, type Type } from "avsc";

import type { Json, JsonObject } from "../core/json/json.ts";
import { segmentEventRecord } from "./avro/avro.ts";

/** Encodes one event as bare Avro. Throws like `toAvroRecord`. */
export type Encode = (event: JsonObject) => Buffer;

/** How many levels of maps and arrays the schema has inside a map. Deeper values are written as JSON text. */
const maxTypedDepth = 3;
const textFields = new Set(
  "type messageId userId anonymousId groupId previousId event name category timestamp originalTimestamp sentAt receivedAt channel version".split(
    " ",
  ),
);
const mapFields = new Set(["context", "integrations", "traits", "properties"]);
const writtenFields = [...textFields, ...mapFields, "extra"];

export interface EncoderOptions {
  /** The text of a version of `schemas/segment-event.avsc`. */
  readonly schema: string;
  /** Names the schema in the error. */
  readonly schemaName: string;
}

/** Makes the encoder of events by `schemas/segment-event.avsc`, without a frame. Throws a sentence if the schema is another one. */
export function createEncoder({ schema, schemaName }: EncoderOptions): Encode {
  const type = parseSchema(schema);
  const fields = type instanceof avro.types.RecordType ? type.fields.map(({ name }) => name) : [];
  if (type?.name !== segmentEventRecord || !writtenFields.every((name) => fields.includes(name))) {
    const got = type?.name === undefined ? "another kind of schema" : `'${type.name}'`;
    throw new Error(
      `Cannot write events by ${schemaName}: got ${got}, want '${segmentEventRecord}' of schemas/segment-event.avsc`,
    );
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

/** Encodes an event by `schemas/segment-event.avsc`; `type` is the result of `avsc.Type.forSchema` without a type hook. */
export function encodeEvent(event: JsonObject, type: Type): Buffer {
  return type.toBuffer(toAvroRecord(event));
}

/**
 * Converts an event to the value that avsc encodes. Throws a sentence if a field of the event has a type that the schema does not
 * allow.
 */
export function toAvroRecord(event: JsonObject): object {
  const record: Record<string, unknown> = {};
  const extra: [string, unknown][] = [];
  if (typeof event["type"] !== "string") throw wrongTypeError("type", "text");
  for (const [name, value] of Object.entries(event)) {
    if (textFields.has(name)) record[name] = toTextField(name, value);
    else if (mapFields.has(name)) record[name] = toMapField(name, value);
    else extra.push([name, toAvroValue(value ?? null, maxTypedDepth)]);
  }
  if (extra.length > 0) record["extra"] = Object.fromEntries(extra);
  return record;
}

const wrongTypeError = (name: string, want: string): Error =>
  new Error(`Cannot write the event as Avro: got another kind of \`${name}\`, want ${want}`);

function toTextField(name: string, value: Json | undefined): Json | undefined {
  if (value === undefined || value === null || typeof value === "string") return value;
  if (name === "version" && isLong(value)) return value;
  throw wrongTypeError(name, "text");
}

function toMapField(name: string, value: Json | undefined): unknown {
  if (value === undefined || value === null) return value;
  if (typeof value !== "object" || Array.isArray(value)) throw wrongTypeError(name, "an object");
  return toAvroMap(value as JsonObject, maxTypedDepth);
}

/** In a union that has both long and double, avsc wants every value wrapped in the name of its branch. */
function toAvroValue(value: Json, remainingDepth: number): unknown {
  if (value === null) return null;
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { boolean: value };
  if (typeof value === "number") return isLong(value) ? { long: value } : { double: value };
  if (remainingDepth === 0) return { "gainstream.JsonText": { value: JSON.stringify(value) } };
  return Array.isArray(value)
    ? { array: value.map((item: Json) => toAvroValue(item, remainingDepth - 1)) }
    : { map: toAvroMap(value as JsonObject, remainingDepth - 1) };
}

/** Whether avsc encodes a number as a long correctly. Greater integers are exact as doubles. */
function isLong(value: Json): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 52;
}

function toAvroMap(value: JsonObject, remainingDepth: number): unknown {
  const defined = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(defined.map(([key, inner]) => [key, toAvroValue(inner ?? null, remainingDepth)]));
}
