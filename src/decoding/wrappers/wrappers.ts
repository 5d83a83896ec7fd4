import type { Repair, Repairs } from "../../core/event/repairs.ts";
import { parseJsonText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isList, isObject } from "../../core/json/json.ts";
import type { Events } from "../events.ts";
import { kindOf, readJson } from "../json.ts";
import { type Defaults, batchDefaults, cloudEventTime } from "./batch-defaults.ts";
import { connectPayload } from "./connect.ts";
import { foreignShape } from "./foreign-shapes.ts";

const MAX_EVENTS = 1_000;
const MAX_WRAPPERS = 8;
const MAX_TEXTS = 2;
/** A small record must not take much memory or time: each event of a batch gets a copy of the batch's context. */
const MAX_COPIED = 2_000_000;

/** Kinds of calls that no other system's wrapper bears as its `type`. */
const CALLS = new Set<unknown>(["identify", "track", "group", "page", "screen", "alias"]);

/** Whether an object is an event at first sight. A CloudEvent has a `type` of its own, which may be a call's. */
export const isPlainEvent = (object: JsonObject): boolean =>
  CALLS.has(object["type"]) && object["specversion"] === undefined;

/** What a wrapper holds, and what it says about each event in it. Null holds nothing. */
interface Opened {
  readonly repair: Repair;
  readonly inner: Json;
  readonly defaults?: Defaults | undefined;
}

/** Told by their shape alone. A wrapper may hold another. */
const openers: readonly ((object: JsonObject) => Opened | undefined)[] = [openConnect, openBatch, openCloudEvent];

/**
 * Kafka Connect's JsonConverter with `schemas.enable`: these two keys and no other.
 * Source: https://github.com/apache/kafka/blob/trunk/connect/json/src/main/java/org/apache/kafka/connect/json/JsonConverter.java
 */
function openConnect(object: JsonObject): Opened | undefined {
  const { schema, payload } = object;
  const isSchema = schema === null || isObject(schema);
  if (!isSchema || payload === undefined || Object.keys(object).length !== 2) return undefined;
  return { repair: "connect_envelope", inner: connectPayload(schema, payload) };
}

/** The body of Segment's batch call. An event with a property named `batch` has a `type` as well. */
function openBatch(object: JsonObject): Opened | undefined {
  const { batch, type = null } = object;
  if (!isList(batch) || type !== null) return undefined;
  return { repair: "batch", inner: batch, defaults: batchDefaults(object) };
}

/**
 * A CloudEvent in structured mode. In binary mode its attributes are headers, and the value is the event.
 * Source: https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md
 */
function openCloudEvent(object: JsonObject): Opened | undefined {
  const { specversion = null, data, data_base64: bytes } = object;
  if (specversion === null || (data === undefined && typeof bytes !== "string")) return undefined;
  const inner = data ?? (typeof bytes === "string" ? readJson(Buffer.from(bytes, "base64")) : null);
  if (inner === null) throw new Error("Cannot read an event: got a CloudEvent whose data is null, want an event in it");
  return { repair: "cloud_event", inner, defaults: cloudEventTime(object) };
}

function open(object: JsonObject): Opened | undefined {
  for (const opener of openers) {
    const opened = opener(object);
    if (opened) return opened;
  }
  return undefined;
}

/** Where in a record's value the walk is. */
interface Place {
  /** In the list, if there is one around it. */
  readonly index?: number;
  readonly wrappers: number;
  readonly texts: number;
  /** What the wrappers around it say, the innermost first. */
  readonly defaults: readonly Defaults[];
}

/**
 * Takes wrappers off, and gives the events in them in their order. What a list or a batch holds is a list, whatever its length,
 * and each item of it is one event: a record is read anew at each retry, also by a later version, and an index has to mean the
 * same event. Throws an Error without any of the payload in it.
 */
export function unwrap(value: Json, repairs: Repairs): Events {
  const walk = new Walk(repairs);
  walk.visit(value, { wrappers: 0, texts: 0, defaults: [] });
  const [only] = walk.events;
  return walk.hasList || only === undefined ? walk.events : only;
}

class Walk {
  readonly events: JsonObject[] = [];
  hasList = false;
  #copied = 0;
  readonly #repairs: Repairs;

  constructor(repairs: Repairs) {
    this.#repairs = repairs;
  }

  visit(value: Json, place: Place): void {
    if (place.wrappers > MAX_WRAPPERS)
      throw new Error(`Cannot read an event: got more than ${MAX_WRAPPERS} wrappers around it, want fewer`);
    if (isObject(value)) this.#visitObject(value, place);
    else if (typeof value === "string") this.#visitText(value, place);
    else if (isList(value) && place.index === undefined) this.#visitList(value, place);
    else throw notAnEvent(value, place);
  }

  #visitObject(object: JsonObject, place: Place): void {
    if (isPlainEvent(object)) return this.#add(object, place);
    const opened = open(object);
    if (opened) return this.#visitOpened(opened, place);
    const foreign = foreignShape(object);
    if (foreign !== undefined) throw new Error(`Cannot read an event: got ${foreign}`);
    this.#add(object, place);
  }

  #visitOpened({ repair, inner, defaults: own }: Opened, place: Place): void {
    this.#note(repair);
    if (inner === null && place.index === undefined) return;
    this.visit(inner, {
      ...place,
      wrappers: place.wrappers + 1,
      defaults: own ? [own, ...place.defaults] : place.defaults,
    });
  }

  #visitText(text: string, place: Place): void {
    const { wrappers, texts } = place;
    if (!/^\s*["[{]/.test(text)) throw notAnEvent(text, place);
    if (texts === MAX_TEXTS)
      throw new Error(`Cannot read an event: got JSON in more than ${MAX_TEXTS} JSON strings, want it in fewer`);
    this.#note("json_string");
    this.visit(parseJsonText(text), { ...place, wrappers: wrappers + 1, texts: texts + 1 });
  }

  #visitList(list: readonly Json[], place: Place): void {
    this.hasList = true;
    if (list.length > MAX_EVENTS)
      throw new Error(`Cannot read a list of events: got ${list.length}, want ${MAX_EVENTS} at most`);
    for (const [index, item] of list.entries()) this.visit(item, { ...place, index });
  }

  #add(event: JsonObject, { defaults }: Place): void {
    let filled = event;
    for (const { chars, fill } of defaults) {
      this.#copied += chars;
      filled = fill(filled);
    }
    if (this.#copied > MAX_COPIED)
      throw new Error(
        `Cannot read a batch: got more than ${MAX_COPIED} characters of context for its events, want less`,
      );
    this.events.push(filled);
  }

  #note(repair: Repair): void {
    if (!this.#repairs.includes(repair)) this.#repairs.push(repair);
  }
}

const notAnEvent = (value: Json, { index }: Place): Error =>
  new Error(
    index === undefined
      ? `Cannot read an event: got ${kindOf(value)}, want an object or a list of objects`
      : `Cannot read a list of events: got ${kindOf(value)} at index ${index}, want an object`,
  );
