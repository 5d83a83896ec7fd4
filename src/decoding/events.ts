import type { Repairs } from "../core/event/repairs.ts";
import { type Json, type JsonObject, isObject } from "../core/json/json.ts";
import { readJson } from "./json.ts";
import { isPlainEvent, unwrap } from "./wrappers/wrappers.ts";

/** What a record holds: one event, or a list of them, as plain JSON. */
export type Events = JsonObject | readonly JsonObject[];

/** Bytes to events; notes the wrappers that it takes off. Throws an Error, without any of the payload in it, if it finds no event. */
export type EventsDecoder = (payload: Buffer, repairs?: Repairs) => Events;

/** Takes a value for an event, a list of at most 1,000, or a wrapper around these. Throws if it is none of them. */
export function eventsOf(value: Json, repairs: Repairs = []): Events {
  return isObject(value) && isPlainEvent(value) ? value : unwrap(value, repairs);
}

/** Decodes a record of plain JSON. */
export const decodeJsonEvents: EventsDecoder = (payload, repairs) => eventsOf(readJson(payload), repairs);
