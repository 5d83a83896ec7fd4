import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Repairs } from "../../core/event/repairs.ts";
import { type Json, type JsonObject, isList, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { type Events, type EventsDecoder, eventsOf } from "../events.ts";
import { readJson } from "../json.ts";
import {
  JsonArray,
  JsonMap,
  JsonRecord,
  JsonUnion,
  MapEntry,
  innerTypes,
  resetBounds,
  wrappedIn,
} from "./containers.ts";
import { VariableScaleDecimal, isVariableScaleDecimal } from "./decimal.ts";
import { type Definition, createFixedType, logicalType } from "./logical-types.ts";
import { Base64Bytes, JsonDouble, JsonFloat, JsonLong } from "./scalars.ts";

/** Full name of the record in `schemas/segment-event.avsc`. Only there does `extra` mean "more top-level fields". */
const OWN_RECORD = "gainstream.SegmentEvent";

/** Compiles an Avro schema (parsed JSON, or its text) into a decoder. Throws where the schema itself is not valid. */
export function compileAvro(schema: unknown): EventsDecoder {
  const parsed: unknown = typeof schema === "string" && /^\s*[{["]/.test(schema) ? JSON.parse(schema) : schema;
  return createAvroDecoder(avro.Type.forSchema(parsed as Schema, { typeHook: readAsJson }));
}

/** Makes a decoder of a type that was made with the `readAsJson` hook. */
export function createAvroDecoder(type: Type): EventsDecoder {
  const roots = rootsOf(type);
  const hasExtra = rootsOf(type, heldTypes).some((root) => root instanceof JsonRecord && root.name === OWN_RECORD);
  const hasWrapper = roots.some((root) => root instanceof JsonRecord && wrappedIn(root) !== undefined);
  const isBytes = type instanceof Base64Bytes;
  return function decodeAvro(payload: Buffer, repairs: Repairs = []): Events {
    resetBounds();
    const value: Json = isBytes ? jsonIn(type.fromBuffer(payload), repairs) : type.fromBuffer(payload);
    const events = eventsOf(hasWrapper ? unwrapEvents(value) : value, repairs);
    if (!hasExtra) return events;
    return isObject(events) ? mergeExtra(events) : events.map(mergeExtra);
  };
}

/** A schema of nothing but `bytes` says that the event is another format's, in an Avro writer's hands. */
function jsonIn(base64: string, repairs: Repairs): Json {
  repairs.push("json_string");
  return readJson(Buffer.from(base64, "base64"));
}

/**
 * avsc's `typeHook`: makes every type read straight into plain JSON, in one pass, by the schema and never by look.
 * Also handed to the registry client, whose types then decode the same way.
 */
export function readAsJson(schema: unknown, options: ForSchemaOptions): Type | undefined {
  if (Array.isArray(schema)) return new JsonUnion(schema as Schema, options);
  if (typeof schema === "string") return SCALARS.get(schema) ?? renamed(schema, options);
  if (typeof schema !== "object" || schema === null) return undefined;
  return readDefinition(schema, options);
}

const SCALARS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["long", new JsonLong()],
  ["double", new JsonDouble()],
  ["float", new JsonFloat()],
  ["bytes", new Base64Bytes()],
]);

function readDefinition(definition: Definition, options: ForSchemaOptions): Type | undefined {
  switch (definition.type) {
    case "record":
      return new (recordClass(definition, options))(tolerated(definition), options);
    case "enum":
      return new avro.types.EnumType(tolerated(definition), options);
    case "map":
      return new JsonMap(definition as Schema, options);
    case "array":
      return new JsonArray(definition as Schema, options);
    case "fixed":
      return createFixedType(definition, tolerated(definition), options);
    default:
      return logicalType(definition) ?? plainType(definition, options);
  }
}

function recordClass(definition: Definition, options: ForSchemaOptions): typeof JsonRecord {
  if (isMapEntry(definition, options)) return MapEntry;
  return isVariableScaleDecimal(definition) ? VariableScaleDecimal : JsonRecord;
}

/** Also of `{ "type": "Name" }`, a name of what is defined elsewhere, and `{ "type": { ... } }`, which avsc takes for unknown. */
function plainType({ type }: Definition, options: ForSchemaOptions): Type | undefined {
  if (typeof type === "object") return avro.Type.forSchema(type as Schema, options);
  if (typeof type !== "string" || OTHER_TYPES.has(type)) return undefined;
  return SCALARS.get(type) ?? avro.Type.forSchema(type, options);
}

/** What avsc's own types read as it should be. */
const OTHER_TYPES = new Set(["null", "boolean", "int", "string", "error"]);

/**
 * Without what a decoder never needs, and other writers often have wrong in ways that avsc refuses: defaults, aliases,
 * and characters in names, such as `com.my-company.Outer$Event`, that Java's Avro lets pass.
 */
function tolerated({ fields, ...definition }: Definition): Schema {
  return {
    ...definition,
    ...(definition.name !== undefined && { name: legal(definition.name) }),
    ...(definition.namespace !== undefined && { namespace: legal(definition.namespace) }),
    ...(Array.isArray(fields) && { fields: fields.map((field: object) => ({ ...field, ...UNUSED })) }),
    ...UNUSED,
  } as Schema;
}

const UNUSED = { default: undefined, aliases: undefined };

function legal(name: unknown): unknown {
  return typeof name === "string" ? name.replaceAll(/[^\w.]|(?<=^|\.)(?=\d)/g, "_") : name;
}

/** A definition's name was made legal: so must be every reference to it. */
function renamed(name: string, options: ForSchemaOptions): Type | undefined {
  const safe = legal(name);
  return safe === name ? undefined : avro.Type.forSchema(safe as Schema, options);
}

/**
 * How Kafka Connect marks the pairs that it writes for a map whose keys may be null or no strings. Avro leaves a namespace
 * out that is that of the record around, as it is in Connect's own `ConnectDefault`.
 */
function isMapEntry(definition: Definition, around: ForSchemaOptions): boolean {
  const { name, namespace = around.namespace } = definition;
  return (
    definition["connect.internal.type"] === "MapEntry" ||
    [name, `${String(namespace)}.${String(name)}`].includes("io.confluent.connect.avro.MapEntry")
  );
}

/** All that an event may be read by, also in lists and wrappers, which a schema may nest in themselves. */
function rootsOf(type: Type, more: (outer: Type) => readonly Type[] = () => []): readonly Type[] {
  const found = new Set([type]);
  for (const outer of found) {
    // In a map lie the parts of an event, but no events.
    if (outer instanceof JsonMap) continue;
    for (const inner of [...innerTypes(outer), ...more(outer)]) found.add(inner);
  }
  return [...found];
}

/** What a batch, an envelope or a CloudEvent holds, if the record is one. */
function heldTypes(type: Type): readonly Type[] {
  const fields = type instanceof JsonRecord ? type.fields : [];
  return fields.filter(({ name }) => ["batch", "payload", "data"].includes(name)).map((field) => field.type);
}

/** Around an event, but not inside of it, any record with the one field `value` is a wrapper: an event has no such field. */
function unwrapEvents(value: Json): Json {
  if (isList(value)) return value.map(unwrapEvents);
  const isWrapper = isObject(value) && Object.keys(value).every((name) => name === "value");
  return isWrapper ? unwrapEvents(value["value"] ?? null) : value;
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
