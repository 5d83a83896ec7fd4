import type { Repair, Repairs } from "../../core/event/repairs.ts";
import { parseJsonText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import type { EventOrEvents } from "../events.ts";
import { jsonTypeOf, parseJsonBytes } from "../json.ts";
import { type EventDefaults, batchDefaults, cloudEventDefaults } from "./batch-defaults.ts";
import { convertConnectPayload } from "./connect.ts";
import { describeForeignShape } from "./foreign-shapes.ts";

const MAX_EVENTS = 1_000;
const MAX_WRAPPERS = 8;
const MAX_JSON_STRINGS = 2;
/** A small record must not take much memory or time: each event of a batch gets a copy of the batch's context. */
const MAX_COPIED_CHARS = 2_000_000;

/** Kinds of calls that no other system's wrapper bears as its `type`. */
const CALL_TYPES = new Set<unknown>(["identify", "track", "group", "page", "screen", "alias"]);

/** Whether an object is an event at first sight. A CloudEvent has a `type` of its own, which may be a call's. */
export const isPlainEvent = (object: JsonObject): boolean =>
  CALL_TYPES.has(object["type"]) && object["specversion"] === undefined;

/** What a wrapper holds, and what it says about each event in it. Null holds nothing. */
interface Unwrapped {
  readonly repair: Repair;
  readonly content: Json;
  readonly defaults?: EventDefaults | undefined;
}

/** Told by their shape alone. A wrapper may hold another. */
const unwrappers: readonly ((object: JsonObject) => Unwrapped | undefined)[] = [
  unwrapConnectEnvelope,
  unwrapBatch,
  unwrapCloudEvent,
];

/**
 * Kafka Connect's JsonConverter with `schemas.enable`: these two keys and no other.
 * Source: https://github.com/apache/kafka/blob/trunk/connect/json/src/main/java/org/apache/kafka/connect/json/JsonConverter.java
 */
function unwrapConnectEnvelope(object: JsonObject): Unwrapped | undefined {
  const { schema, payload } = object;
  const isSchema = schema === null || isObject(schema);
  if (!isSchema || payload === undefined || Object.keys(object).length !== 2) return undefined;
  return { repair: "connect_envelope", content: convertConnectPayload(schema, payload) };
}

/** The body of Segment's batch call. An event with a property named `batch` has a `type` as well. */
function unwrapBatch(object: JsonObject): Unwrapped | undefined {
  const { batch, type = null } = object;
  if (!isArray(batch) || type !== null) return undefined;
  return { repair: "batch", content: batch, defaults: batchDefaults(object) };
}

/**
 * A CloudEvent in structured mode. In binary mode its attributes are headers, and the value is the event.
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

/** Where in a record's value the walk is. */
interface WalkPosition {
  /** In the list, if there is one around it. */
  readonly index?: number;
  readonly wrapperDepth: number;
  readonly jsonStrings: number;
  /** What the wrappers around it say, the innermost first. */
  readonly defaults: readonly EventDefaults[];
}

/**
 * Takes wrappers off, and gives the events in them in their order. What a list or a batch holds is a list, whatever its length,
 * and each item of it is one event: a record is read anew at each retry, also by a later version, and an index has to mean the
 * same event. Throws an Error without any of the payload in it.
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
    if (position.wrapperDepth > MAX_WRAPPERS)
      throw new Error(`Cannot read an event: got more than ${MAX_WRAPPERS} wrappers around it, want fewer`);
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
    this.#addRepair(repair);
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
    if (jsonStrings === MAX_JSON_STRINGS)
      throw new Error(`Cannot read an event: got JSON in more than ${MAX_JSON_STRINGS} JSON strings, want it in fewer`);
    this.#addRepair("json_string");
    this.visit(parseJsonText(text), { ...position, wrapperDepth: wrapperDepth + 1, jsonStrings: jsonStrings + 1 });
  }

  #visitList(list: readonly Json[], position: WalkPosition): void {
    this.hasList = true;
    if (list.length > MAX_EVENTS)
      throw new Error(`Cannot read a list of events: got ${list.length}, want ${MAX_EVENTS} at most`);
    for (const [index, item] of list.entries()) this.visit(item, { ...position, index });
  }

  #add(event: JsonObject, { defaults }: WalkPosition): void {
    let filled = event;
    for (const { copiedChars, applyTo } of defaults) {
      this.#copiedChars += copiedChars;
      filled = applyTo(filled);
    }
    if (this.#copiedChars > MAX_COPIED_CHARS)
      throw new Error(
        `Cannot read a batch: got more than ${MAX_COPIED_CHARS} characters of context for its events, want less`,
      );
    this.events.push(filled);
  }

  #addRepair(repair: Repair): void {
    if (!this.#repairs.includes(repair)) this.#repairs.push(repair);
  }
}

const notAnEvent = (value: Json, { index }: WalkPosition): Error =>
  new Error(
    index === undefined
      ? `Cannot read an event: got ${jsonTypeOf(value)}, want an object or a list of objects`
      : `Cannot read a list of events: got ${jsonTypeOf(value)} at index ${index}, want an object`,
  );
