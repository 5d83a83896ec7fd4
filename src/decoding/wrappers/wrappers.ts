import { specTypes } from "../../core/event/event-types.ts";
import { addRepair, type Repair, type Repairs } from "../../core/event/repairs.ts";
import { parseJsonText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { parseJsonBytes } from "../json-bytes.ts";
import { type EventDefaults, batchDefaults, cloudEventDefaults } from "./batch-defaults.ts";
import { convertConnectPayload } from "./connect-payload.ts";
import { describeForeignShape } from "./foreign-shapes.ts";

const maxEvents = 1_000;
const maxWrappers = 8;
const maxJsonStrings = 2;
/** Each event of a batch gets a copy of the batch's context, so a small record could take much memory and time. */
const maxCopiedChars = 2_000_000;

/** The events of one record: a single event, or a list of them, as plain JSON. */
export type EventOrEvents = JsonObject | readonly JsonObject[];

/** Whether an object is an event by its `type`: no wrapper but a CloudEvent has a type of Segment's specification. */
export const isPlainEvent = (object: JsonObject): boolean =>
  specTypes.has(object["type"]) && object["specversion"] === undefined;

interface Unwrapped {
  readonly repair: Repair;
  /** The value in the wrapper; null if the wrapper is empty. */
  readonly content: Json;
  readonly defaults?: EventDefaults | undefined;
}

/** Each returns undefined if the object is no wrapper of its kind. A wrapper may hold another. */
const unwrappers: readonly ((object: JsonObject) => Unwrapped | undefined)[] = [
  unwrapConnectEnvelope,
  unwrapBatch,
  unwrapCloudEvent,
];

/**
 * The envelope of Kafka Connect's JsonConverter with `schemas.enable`: it has the keys `schema` and `payload` and no other.
 * Source: https://github.com/apache/kafka/blob/trunk/connect/json/src/main/java/org/apache/kafka/connect/json/JsonConverter.java
 */
function unwrapConnectEnvelope(object: JsonObject): Unwrapped | undefined {
  const { schema, payload } = object;
  const isSchema = schema === null || isObject(schema);
  if (!isSchema || payload === undefined || Object.keys(object).length !== 2) return undefined;
  return { repair: "connect_envelope", content: convertConnectPayload(schema, payload) };
}

/**
 * The body of Segment's batch call: it has a `batch` and no `type`.
 * Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
 */
function unwrapBatch(object: JsonObject): Unwrapped | undefined {
  const { batch, type = null } = object;
  if (!isArray(batch) || type !== null) return undefined;
  return { repair: "batch", content: batch, defaults: batchDefaults(object) };
}

/**
 * A CloudEvent in structured mode. In binary mode its attributes are Kafka headers and the record's value is the event itself.
 * Source: https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md
 */
function unwrapCloudEvent(object: JsonObject): Unwrapped | undefined {
  const { specversion = null, data, data_base64: bytes } = object;
  if (specversion === null || (data === undefined && typeof bytes !== "string")) return undefined;
  const content = data ?? (typeof bytes === "string" ? parseJsonBytes(Buffer.from(bytes, "base64")) : null);
  if (content === null)
    throw new Error("Cannot read an event: got a CloudEvent whose data is null, want an event in it");
  return { repair: "cloud_event", content, defaults: cloudEventDefaults(object) };
}

function unwrapOnce(object: JsonObject): Unwrapped | undefined {
  for (const unwrapper of unwrappers) {
    const unwrapped = unwrapper(object);
    if (unwrapped) return unwrapped;
  }
  return undefined;
}

/** The position of a value inside the record's value. */
interface WalkPosition {
  /** The index in the list; undefined outside a list. */
  readonly index?: number;
  /** How many wrappers are around the value. */
  readonly wrapperDepth: number;
  /** How many of these wrappers are JSON strings. */
  readonly jsonStrings: number;
  /** The defaults of these wrappers, the innermost first. */
  readonly defaults: readonly EventDefaults[];
}

/**
 * Takes the wrappers off a value and returns the events in their order. A list or a batch returns a list of any length, with one event
 * per item: a record is decoded again at every retry, also by a later version of gainstream, and an index must mean the same event each
 * time. Throws an Error if the value holds no event or breaks a limit; its message never quotes the payload.
 */
export function unwrapEvents(value: Json, repairs: Repairs): EventOrEvents {
  const walk = new EventWalk(repairs);
  walk.visit(value, { wrapperDepth: 0, jsonStrings: 0, defaults: [] });
  const [only] = walk.events;
  return walk.hasList || only === undefined ? walk.events : only;
}

class EventWalk {
  readonly events: JsonObject[] = [];
  hasList = false;
  #copiedChars = 0;
  readonly #repairs: Repairs;

  constructor(repairs: Repairs) {
    this.#repairs = repairs;
  }

  visit(value: Json, position: WalkPosition): void {
    if (position.wrapperDepth > maxWrappers)
      throw new Error(
        `Cannot read an event: got more than ${maxWrappers} wrappers around it, want ${maxWrappers} at most`,
      );
    if (isObject(value)) this.#visitObject(value, position);
    else if (typeof value === "string") this.#visitJsonString(value, position);
    else if (isArray(value) && position.index === undefined) this.#visitList(value, position);
    else throw notAnEvent(value, position);
  }

  #visitObject(object: JsonObject, position: WalkPosition): void {
    if (isPlainEvent(object)) return this.#add(object, position);
    const unwrapped = unwrapOnce(object);
    if (unwrapped) return this.#visitUnwrapped(unwrapped, position);
    const foreign = describeForeignShape(object);
    if (foreign !== undefined) throw new Error(`Cannot read an event: got ${foreign}`);
    this.#add(object, position);
  }

  #visitUnwrapped({ repair, content, defaults: own }: Unwrapped, position: WalkPosition): void {
    addRepair(this.#repairs, repair);
    if (content === null && position.index === undefined) return;
    this.visit(content, {
      ...position,
      wrapperDepth: position.wrapperDepth + 1,
      defaults: own ? [own, ...position.defaults] : position.defaults,
    });
  }

  #visitJsonString(text: string, position: WalkPosition): void {
    const { wrapperDepth, jsonStrings } = position;
    if (!/^\s*["[{]/.test(text)) throw notAnEvent(text, position);
    if (jsonStrings === maxJsonStrings)
      throw new Error(
        `Cannot read an event: got more than ${maxJsonStrings} JSON strings around it, want ${maxJsonStrings} at most`,
      );
    addRepair(this.#repairs, "json_string");
    this.visit(parseJsonText(text), { ...position, wrapperDepth: wrapperDepth + 1, jsonStrings: jsonStrings + 1 });
  }

  #visitList(list: readonly Json[], position: WalkPosition): void {
    this.hasList = true;
    if (list.length > maxEvents)
      throw new Error(`Cannot read a list of events: got ${list.length}, want ${maxEvents} at most`);
    for (const [index, item] of list.entries()) this.visit(item, { ...position, index });
  }

  #add(event: JsonObject, { defaults }: WalkPosition): void {
    let filled = event;
    for (const { copiedChars, applyTo } of defaults) {
      this.#copiedChars += copiedChars;
      filled = applyTo(filled);
    }
    if (this.#copiedChars > maxCopiedChars)
      throw new Error(
        `Cannot read a batch: got more than ${maxCopiedChars} characters of context for its events, want ${maxCopiedChars} at most`,
      );
    this.events.push(filled);
  }
}

const notAnEvent = (value: Json, { index }: WalkPosition): Error =>
  new Error(
    index === undefined
      ? `Cannot read an event: got ${jsonTypeOf(value)}, want an object or a list of objects`
      : `Cannot read a list of events: got ${jsonTypeOf(value)} at index ${index}, want an object`,
  );

/** The name of a value's JSON type, for messages. */
function jsonTypeOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
