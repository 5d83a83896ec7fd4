import type { Repairs } from "../core/event/repairs.ts";
import { type Json, type JsonObject, isObject } from "../core/json/json.ts";
import { parseJsonBytes } from "./json.ts";
import { isPlainEvent, unwrapEvents } from "./wrappers/wrappers.ts";

/** What a record holds: one event, or a list of them, as plain JSON. */
export type EventOrEvents = JsonObject | readonly JsonObject[];

/** Bytes to events; notes the wrappers that it takes off. Throws an Error, without any of the payload in it, if it finds no event. */
export type DecodeEvents = (payload: Buffer, repairs?: Repairs) => EventOrEvents;

/** Takes a value for an event, a list of at most 1,000, or a wrapper around these. Throws if it is none of them. */
export function toEvents(value: Json, repairs: Repairs = []): EventOrEvents {
  return isObject(value) && isPlainEvent(value) ? value : unwrapEvents(value, repairs);
}

/** Decodes a record of plain JSON. */
export const decodeJsonEvents: DecodeEvents = (payload, repairs) => toEvents(parseJsonBytes(payload), repairs);
