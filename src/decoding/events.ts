import type { Repairs } from "../core/event/repairs.ts";
import { type Json, isObject } from "../core/json/json.ts";
import { parseJsonBytes } from "./json-bytes.ts";
import { type EventOrEvents, isPlainEvent, unwrapEvents } from "./wrappers/wrappers.ts";

/**
 * Decodes the bytes of a record's value into events, and adds the wrappers that it takes off to `repairs`. Throws an Error if it finds
 * no event; its message never quotes the payload.
 */
export type DecodeEvents = (payload: Buffer, repairs?: Repairs) => EventOrEvents;

/** Turns a decoded value into its events. The value is an event, a list of at most 1,000 events, or a wrapper. Throws otherwise. */
export function toEvents(value: Json, repairs: Repairs = []): EventOrEvents {
  return isObject(value) && isPlainEvent(value) ? value : unwrapEvents(value, repairs);
}

/** Decodes a value of plain JSON. */
export const decodeJsonEvents: DecodeEvents = (payload, repairs) => toEvents(parseJsonBytes(payload), repairs);
