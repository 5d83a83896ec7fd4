import type { Repair, Repairs } from "../core/event/repairs.ts";
import { type JsonObject, isObject } from "../core/json/json.ts";
import { toError } from "../core/to-error.ts";
import type { DecodeEvents } from "./events.ts";

/**
 * The result of decoding a record's value. The events are plain JSON, not in normal form yet. `repairs` names the wrappers that were
 * taken off. An error is a sentence for people and never quotes the value.
 */
export type Decoded =
  | { readonly kind: "event"; readonly event: JsonObject; readonly repairs?: readonly Repair[] }
  | { readonly kind: "events"; readonly events: readonly JsonObject[]; readonly repairs?: readonly Repair[] }
  | { readonly kind: "tombstone" }
  | { readonly kind: "undecodable"; readonly error: string }
  | { readonly kind: "unknown_schema"; readonly schemaId: number }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

/** Decodes a value that is not null. Never throws. */
export type DecodeValue = (value: Buffer) => Decoded;

export const undecodable = (error: string) => ({ kind: "undecodable", error }) as const;

/** Runs a decoder of events; an error that it throws becomes `undecodable`. */
export const decodeSafely = (decode: DecodeEvents, payload: Buffer): Decoded => {
  try {
    const repairs: Repairs = [];
    const events = decode(payload, repairs);
    const unwrapped = repairs.length === 0 ? undefined : { repairs };
    return isObject(events) ? { kind: "event", event: events, ...unwrapped } : { kind: "events", events, ...unwrapped };
  } catch (error) {
    const { message } = toError(error);
    return undecodable(message.startsWith("Cannot") ? message : `Cannot read the record: ${message}`);
  }
};
