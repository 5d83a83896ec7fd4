import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Json, JsonObject } from "../core/event.ts";
import { JsonArray, JsonMap, JsonRecord, JsonUnion, resetDepth } from "./decode-avro-containers.ts";
import {
  Base64Bytes,
  Base64Fixed,
  JsonDouble,
  JsonFloat,
  JsonLong,
  JsonText,
  TimestampMicros,
  TimestampMillis,
} from "./decode-avro-scalars.ts";
import { camelEnvelope, putKey } from "./decode-envelope.ts";
import { isJsonObject, kindOf, parseJsonText } from "./decode-json.ts";

/** Bytes to an event in its normal form. Throws an Error, without any of the payload in it, where that is impossible. */
export type CompiledDecoder = (payload: Buffer) => JsonObject;

/** Full name of the record in `schemas/segment-event.avsc`. Only there does `extra` mean "more top-level fields". */
const OWN_RECORD = "gainstream.SegmentEvent";

/** Parts that Segment defines as objects: where a schema types them as string, they hold JSON text. */
const OBJECT_FIELDS = ["context", "integrations", "properties", "traits"];

/** Compiles an Avro schema (parsed JSON, or its text) into a decoder. Throws where the schema itself is not valid. */
export function compileAvro(schema: unknown): CompiledDecoder {
  const parsed: unknown = typeof schema === "string" && /^\s*[{["]/.test(schema) ? JSON.parse(schema) : schema;
  return createAvroDecoder(avro.Type.forSchema(parsed as Schema, { typeHook: readAsJson }));
}

/** Makes a decoder of a type that was made with the `readAsJson` hook. */
export function createAvroDecoder(type: Type): CompiledDecoder {
  const roots = branchesOf(type).filter((branch) => branch instanceof avro.types.RecordType);
  const textFields = OBJECT_FIELDS.filter((name) => roots.some((root) => isText(root, name)));
  const hasExtra = roots.some((root) => root.name === OWN_RECORD);
  return function decodeAvro(payload: Buffer): JsonObject {
    resetDepth();
    const value: Json = type.fromBuffer(payload);
    if (!isJsonObject(value))
      throw new Error(`Cannot read an event: got Avro ${kindOf(value)}, want a record or a map`);
    const parsed = textFields.length > 0 ? parseTextFields(value, textFields) : value;
    return camelEnvelope(hasExtra ? mergeExtra(parsed) : parsed);
  };
}

/**
 * avsc's `typeHook`: makes every type read straight into plain JSON, in one pass, by the schema and never by look.
 * Also handed to the registry client, whose types then decode the same way.
 */
export function readAsJson(schema: unknown, options: ForSchemaOptions): Type | undefined {
  if (Array.isArray(schema)) return new JsonUnion(schema as Schema, options);
  if (typeof schema === "string") return SCALARS.get(schema);
  if (typeof schema !== "object" || schema === null) return undefined;
  return readDefinition(schema, options);
}

interface Definition {
  readonly type?: unknown;
  readonly logicalType?: unknown;
  readonly "connect.name"?: unknown;
  readonly fields?: unknown;
}

const SCALARS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["long", new JsonLong()],
  ["double", new JsonDouble()],
  ["float", new JsonFloat()],
  ["bytes", new Base64Bytes()],
]);

const LOGICAL: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["long:timestamp-millis", new TimestampMillis()],
  ["long:timestamp-micros", new TimestampMicros()],
  ["string:json", new JsonText()],
  ["string:io.debezium.data.Json", new JsonText()],
]);

function readDefinition(definition: Definition, options: ForSchemaOptions): Type | undefined {
  switch (definition.type) {
    case "record":
      return new JsonRecord(withoutDefaults(definition), options);
    case "map":
      return new JsonMap(definition as Schema, options);
    case "array":
      return new JsonArray(definition as Schema, options);
    case "fixed":
      return new Base64Fixed(definition as Schema, options);
    default:
      return scalar(definition);
  }
}

function scalar({ type, logicalType, "connect.name": connectName }: Definition): Type | undefined {
  return LOGICAL.get(`${String(type)}:${String(logicalType ?? connectName)}`) ?? SCALARS.get(String(type));
}

/** A decoder never needs defaults, and other writers' are often wrong in ways that avsc refuses. */
function withoutDefaults(definition: Definition): Schema {
  const fields = Array.isArray(definition.fields) ? definition.fields : [];
  return {
    ...definition,
    fields: fields.map((field: object) => Object.assign({}, field, { default: undefined })),
  } as Schema;
}

function branchesOf(type: Type): readonly Type[] {
  return type instanceof JsonUnion ? type.types : [type];
}

function isText(root: avro.types.RecordType, name: string): boolean {
  const field = root.fields.find((candidate) => candidate.name === name);
  return field !== undefined && branchesOf(field.type).some((branch) => branch.typeName === "string");
}

/** An empty text is how writers without null say "absent". */
function parseTextFields(event: JsonObject, names: readonly string[]): JsonObject {
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of names) {
    const text = out[name];
    if (typeof text === "string") out[name] = text.trim() === "" ? null : parseJsonText(text);
    if (out[name] === null) delete out[name];
  }
  return out;
}

/** The declared fields win over fields of the same name in `extra`. */
function mergeExtra(event: JsonObject): JsonObject {
  if (!isJsonObject(event["extra"])) return event;
  const { extra, ...declared } = event;
  const out: Record<string, Json | undefined> = { ...declared };
  for (const [name, value] of Object.entries(extra)) {
    if (!Object.hasOwn(out, name)) putKey(out, name, value);
  }
  return out;
}
