import type { Json, JsonObject } from "../core/event.ts";
import { isList, isObject } from "../core/json.ts";
import { kindOf, readJson } from "./decode-json.ts";

/** What a record holds: one event, or a list of them, as plain JSON. */
export type Events = JsonObject | readonly JsonObject[];

/** Bytes to events. Throws an Error, without any of the payload in it, where that is impossible. */
export type EventsDecoder = (payload: Buffer) => Events;

const MAX_EVENTS = 1_000;

/** Takes a value for an event or a list of at most 1,000. Throws if it is neither. */
export function eventsOf(value: Json): Events {
  if (isObject(value)) return value;
  if (!isList(value))
    throw new Error(`Cannot read an event: got ${kindOf(value)}, want an object or a list of objects`);
  if (value.length > MAX_EVENTS)
    throw new Error(`Cannot read a list of events: got ${value.length}, want ${MAX_EVENTS} at most`);
  return value.map((item, index) => {
    if (isObject(item)) return item;
    throw new Error(`Cannot read a list of events: got ${kindOf(item)} at index ${index}, want an object`);
  });
}

/** Decodes a record of plain JSON. */
export const decodeJsonEvents: EventsDecoder = (payload) => eventsOf(readJson(payload));
