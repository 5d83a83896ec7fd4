import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Repairs } from "../../core/event/repairs.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { type EventOrEvents, type DecodeEvents, toEvents } from "../events.ts";
import { parseJsonBytes } from "../json.ts";
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

/** Full name of the record in `schemas/segment-event.avsc`. Only there does `extra` mean "more top-level fields". */
const SEGMENT_EVENT_RECORD = "gainstream.SegmentEvent";

/** Compiles an Avro schema (parsed JSON, or its text) into a decoder. Throws where the schema itself is not valid. */
export function compileAvroSchema(schema: unknown): DecodeEvents {
  const parsed: unknown = typeof schema === "string" && /^\s*[{["]/.test(schema) ? JSON.parse(schema) : schema;
  return createAvroDecoder(avro.Type.forSchema(parsed as Schema, { typeHook: jsonTypeHook }));
}

/** Makes a decoder of a type that was made with the `readAsJson` hook. */
export function createAvroDecoder(type: Type): DecodeEvents {
  const eventTypes = possibleEventTypes(type);
  const hasExtra = possibleEventTypes(type, payloadTypes).some(
    (eventType) => eventType instanceof JsonRecord && eventType.name === SEGMENT_EVENT_RECORD,
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

/** A schema of nothing but `bytes` says that the event is another format's, in an Avro writer's hands. */
function parseJsonInBytes(base64: string, repairs: Repairs): Json {
  repairs.push("json_string");
  return parseJsonBytes(Buffer.from(base64, "base64"));
}

/**
 * avsc's `typeHook`: makes every type read straight into plain JSON, in one pass, by the schema and never by look.
 * Also handed to the registry client, whose types then decode the same way.
 */
export function jsonTypeHook(schema: unknown, options: ForSchemaOptions): Type | undefined {
  if (Array.isArray(schema)) return new JsonUnion(schema as Schema, options);
  if (typeof schema === "string") return SCALARS.get(schema) ?? typeByLegalName(schema, options);
  if (typeof schema !== "object" || schema === null) return undefined;
  return typeOfDefinition(schema, options);
}

const SCALARS: ReadonlyMap<string, Type> = new Map<string, Type>([
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

/** Also of `{ "type": "Name" }`, a name of what is defined elsewhere, and `{ "type": { ... } }`, which avsc takes for unknown. */
function resolveTypeReference({ type }: TypeDefinition, options: ForSchemaOptions): Type | undefined {
  if (typeof type === "object") return avro.Type.forSchema(type as Schema, options);
  if (typeof type !== "string" || AVSC_TYPES.has(type)) return undefined;
  return SCALARS.get(type) ?? avro.Type.forSchema(type, options);
}

/** What avsc's own types read as it should be. */
const AVSC_TYPES = new Set(["null", "boolean", "int", "string", "error"]);

/**
 * Without what a decoder never needs, and other writers often have wrong in ways that avsc refuses: defaults, aliases,
 * and characters in names, such as `com.my-company.Outer$Event`, that Java's Avro lets pass.
 */
function withoutUnusedParts({ fields, ...definition }: TypeDefinition): Schema {
  return {
    ...definition,
    ...(definition.name !== undefined && { name: toLegalName(definition.name) }),
    ...(definition.namespace !== undefined && { namespace: toLegalName(definition.namespace) }),
    ...(Array.isArray(fields) && { fields: fields.map((field: object) => ({ ...field, ...UNUSED_PARTS })) }),
    ...UNUSED_PARTS,
  } as Schema;
}

const UNUSED_PARTS = { default: undefined, aliases: undefined };

function toLegalName(name: unknown): unknown {
  return typeof name === "string" ? name.replaceAll(/[^\w.]|(?<=^|\.)(?=\d)/g, "_") : name;
}

/** A definition's name was made legal: so must be every reference to it. */
function typeByLegalName(name: string, options: ForSchemaOptions): Type | undefined {
  const legalName = toLegalName(name);
  return legalName === name ? undefined : avro.Type.forSchema(legalName as Schema, options);
}

/**
 * How Kafka Connect marks the pairs that it writes for a map whose keys may be null or no strings. Avro leaves a namespace
 * out that is that of the record around, as it is in Connect's own `ConnectDefault`.
 */
function isMapEntry(definition: TypeDefinition, enclosing: ForSchemaOptions): boolean {
  const { name, namespace = enclosing.namespace } = definition;
  return (
    definition["connect.internal.type"] === "MapEntry" ||
    [name, `${String(namespace)}.${String(name)}`].includes("io.confluent.connect.avro.MapEntry")
  );
}

/** All that an event may be read by, also in lists and wrappers, which a schema may nest in themselves. */
function possibleEventTypes(type: Type, moreInnerTypes: (outer: Type) => readonly Type[] = () => []): readonly Type[] {
  const found = new Set([type]);
  for (const outer of found) {
    // In a map lie the parts of an event, but no events.
    if (outer instanceof JsonMap) continue;
    for (const inner of [...innerTypes(outer), ...moreInnerTypes(outer)]) found.add(inner);
  }
  return [...found];
}

/** What a batch, an envelope or a CloudEvent holds, if the record is one. */
function payloadTypes(type: Type): readonly Type[] {
  const fields = type instanceof JsonRecord ? type.fields : [];
  return fields.filter(({ name }) => ["batch", "payload", "data"].includes(name)).map((field) => field.type);
}

/** Around an event, but not inside of it, any record with the one field `value` is a wrapper: an event has no such field. */
function unwrapValueRecords(value: Json): Json {
  if (isArray(value)) return value.map(unwrapValueRecords);
  const isWrapper = isObject(value) && Object.keys(value).every((name) => name === "value");
  return isWrapper ? unwrapValueRecords(value["value"] ?? null) : value;
}

/** The declared fields win over fields of the same name in `extra`. */
function mergeExtra(event: JsonObject): JsonObject {
  if (!isObject(event["extra"])) return event;
  const { extra, ...declared } = event;
  const out: Record<string, Json | undefined> = { ...declared };
  for (const [name, value] of Object.entries(extra)) {
    if (!Object.hasOwn(out, name)) putKey(out, name, value);
  }
  return out;
}
