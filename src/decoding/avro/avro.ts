import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import { addRepair, type Repairs } from "../../core/event/repairs.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { type DecodeEvents, toEvents } from "../events.ts";
import { parseJsonBytes } from "../json-bytes.ts";
import type { EventOrEvents } from "../wrappers/wrappers.ts";
import {
  JsonArray,
  JsonMap,
  JsonRecord,
  JsonUnion,
  MapEntry,
  innerTypes,
  resetCounters,
  wrappedTypeOf,
} from "./containers.ts";
import { VariableScaleDecimal, isVariableScaleDecimal } from "./decimal.ts";
import { type TypeDefinition, createFixedType, logicalTypeOf } from "./logical-types.ts";
import { Base64Bytes, JsonDouble, JsonFloat, JsonLong } from "./scalars.ts";

/** The full name of the record in `schemas/segment-event.avsc`. Only in this record the field `extra` holds more top-level fields. */
export const segmentEventRecord = "gainstream.SegmentEvent";

/** Compiles an Avro schema (parsed JSON, or its text) into a decoder. Throws if the schema is not valid. */
export function compileAvroSchema(schema: unknown): DecodeEvents {
  const parsed: unknown = typeof schema === "string" && /^\s*[{["]/.test(schema) ? JSON.parse(schema) : schema;
  return createAvroDecoder(avro.Type.forSchema(parsed as Schema, { typeHook: jsonTypeHook }));
}

/** Makes the decoder of a type that was compiled with `jsonTypeHook`. */
export function createAvroDecoder(type: Type): DecodeEvents {
  const eventTypes = possibleEventTypes(type);
  const hasExtra = possibleEventTypes(type, payloadTypes).some(
    (eventType) => eventType instanceof JsonRecord && eventType.name === segmentEventRecord,
  );
  const hasWrapper = eventTypes.some(
    (eventType) => eventType instanceof JsonRecord && wrappedTypeOf(eventType) !== undefined,
  );
  const isBytes = type instanceof Base64Bytes;
  return function decodeAvro(payload: Buffer, repairs: Repairs = []): EventOrEvents {
    resetCounters();
    const value: Json = isBytes ? parseJsonInBytes(type.fromBuffer(payload), repairs) : type.fromBuffer(payload);
    const events = toEvents(hasWrapper ? unwrapValueRecords(value) : value, repairs);
    if (!hasExtra) return events;
    return isObject(events) ? mergeExtra(events) : events.map(mergeExtra);
  };
}

/** A schema that is only `bytes` holds JSON: the producer's serializer writes Avro, but its application writes JSON. */
function parseJsonInBytes(base64: string, repairs: Repairs): Json {
  addRepair(repairs, "json_string");
  return parseJsonBytes(Buffer.from(base64, "base64"));
}

/**
 * A `typeHook` for avsc's `Type.forSchema`. It replaces avsc's types by subclasses that decode straight into plain JSON, in one pass
 * and by the schema alone. The registry client gets it too, so that its types decode in the same way.
 *
 * Of avsc, the schema parser, the type classes, the cursor (`Tap`) and `fromBuffer`, which checks that all bytes are read, are used.
 * Bypassed is each type's own `_read`: it wraps the values of some unions (`{ "long": 5 }`), throws at longs beyond 2^53, and reads on
 * past the end of the bytes. Also bypassed are logical types as avsc knows them, and the parts of a schema that decoding does not need
 * (`withoutUnusedParts`). See docs/decisions/0006-avsc-and-registry-client.md.
 */
export function jsonTypeHook(schema: unknown, options: ForSchemaOptions): Type | undefined {
  if (Array.isArray(schema)) return new JsonUnion(schema as Schema, options);
  if (typeof schema === "string") return scalarTypes.get(schema) ?? typeByLegalName(schema, options);
  if (typeof schema !== "object" || schema === null) return undefined;
  return typeOfDefinition(schema, options);
}

const scalarTypes: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["long", new JsonLong()],
  ["double", new JsonDouble()],
  ["float", new JsonFloat()],
  ["bytes", new Base64Bytes()],
]);

function typeOfDefinition(definition: TypeDefinition, options: ForSchemaOptions): Type | undefined {
  switch (definition.type) {
    case "record":
      return new (recordClassOf(definition, options))(withoutUnusedParts(definition), options);
    case "enum":
      return new avro.types.EnumType(withoutUnusedParts(definition), options);
    case "map":
      return new JsonMap(definition as Schema, options);
    case "array":
      return new JsonArray(definition as Schema, options);
    case "fixed":
      return createFixedType(definition, withoutUnusedParts(definition), options);
    default:
      return logicalTypeOf(definition) ?? resolveTypeReference(definition, options);
  }
}

function recordClassOf(definition: TypeDefinition, options: ForSchemaOptions): typeof JsonRecord {
  if (isMapEntry(definition, options)) return MapEntry;
  return isVariableScaleDecimal(definition) ? VariableScaleDecimal : JsonRecord;
}

/** Resolves `{ "type": "Name" }`, a reference to a named type, and `{ "type": { ... } }`, which avsc refuses as an unknown type. */
function resolveTypeReference({ type }: TypeDefinition, options: ForSchemaOptions): Type | undefined {
  if (typeof type === "object") return avro.Type.forSchema(type as Schema, options);
  if (typeof type !== "string" || avscTypes.has(type)) return undefined;
  return scalarTypes.get(type) ?? avro.Type.forSchema(type, options);
}

/** The types that avsc itself decodes as JSON has them. */
const avscTypes = new Set(["null", "boolean", "int", "string", "error"]);

/**
 * Removes the defaults and aliases of a definition, and replaces characters in names that Avro forbids. A decoder needs none of them,
 * other libraries often write invalid ones, and avsc refuses the schema then. Java's Avro accepts names such as
 * `com.my-company.Outer$Event`.
 */
function withoutUnusedParts({ fields, ...definition }: TypeDefinition): Schema {
  return {
    ...definition,
    ...(definition.name !== undefined && { name: toLegalName(definition.name) }),
    ...(definition.namespace !== undefined && { namespace: toLegalName(definition.namespace) }),
    ...(Array.isArray(fields) && { fields: fields.map((field: object) => ({ ...field, ...unusedParts })) }),
    ...unusedParts,
  } as Schema;
}

const unusedParts = { default: undefined, aliases: undefined };

function toLegalName(name: unknown): unknown {
  return typeof name === "string" ? name.replaceAll(/[^\w.]|(?<=^|\.)(?=\d)/g, "_") : name;
}

/** Resolves a reference whose name has characters that Avro forbids; `withoutUnusedParts` has replaced them in the definition. */
function typeByLegalName(name: string, options: ForSchemaOptions): Type | undefined {
  const legalName = toLegalName(name);
  return legalName === name ? undefined : avro.Type.forSchema(legalName as Schema, options);
}

/**
 * Whether a record is one entry of a map. Kafka Connect writes a map whose keys may be null or not strings as an array of such records.
 * The record has no namespace of its own if it is the one of the enclosing record, as in Connect's `ConnectDefault`.
 * Source: https://github.com/confluentinc/schema-registry/blob/master/avro-data/src/main/java/io/confluent/connect/avro/AvroData.java
 */
function isMapEntry(definition: TypeDefinition, enclosing: ForSchemaOptions): boolean {
  const { name, namespace = enclosing.namespace } = definition;
  return (
    definition["connect.internal.type"] === "MapEntry" ||
    [name, `${String(namespace)}.${String(name)}`].includes("io.confluent.connect.avro.MapEntry")
  );
}

/** All types by which an event may be decoded, also inside lists and wrappers. A schema may be recursive. */
function possibleEventTypes(type: Type, moreInnerTypes: (outer: Type) => readonly Type[] = () => []): readonly Type[] {
  const found = new Set([type]);
  for (const outer of found) {
    // A map holds parts of an event, but no events.
    if (outer instanceof JsonMap) continue;
    for (const inner of [...innerTypes(outer), ...moreInnerTypes(outer)]) found.add(inner);
  }
  return [...found];
}

/** The types of a batch's, a Connect envelope's or a CloudEvent's content, if the record is one. */
function payloadTypes(type: Type): readonly Type[] {
  const fields = type instanceof JsonRecord ? type.fields : [];
  return fields.filter(({ name }) => ["batch", "payload", "data"].includes(name)).map((field) => field.type);
}

/**
 * Unwraps records whose only field is `value`. Around an event such a record is always a wrapper, because an event has no such field.
 */
function unwrapValueRecords(value: Json): Json {
  if (isArray(value)) return value.map(unwrapValueRecords);
  const isWrapper = isObject(value) && Object.keys(value).every((name) => name === "value");
  return isWrapper ? unwrapValueRecords(value["value"] ?? null) : value;
}

/** Moves the fields of `extra` to the top level. A declared field wins over a field of the same name in `extra`. */
function mergeExtra(event: JsonObject): JsonObject {
  if (!isObject(event["extra"])) return event;
  const { extra, ...declared } = event;
  const out: Record<string, Json | undefined> = { ...declared };
  for (const [name, value] of Object.entries(extra)) {
    if (!Object.hasOwn(out, name)) putKey(out, name, value);
  }
  return out;
}
