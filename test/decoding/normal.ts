import { normaliseEvent } from "../../src/core/event/normal-form.ts";
import { type JsonObject, isObject } from "../../src/core/json/json.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import type { EventOrEvents } from "../../src/decoding/wrappers/wrappers.ts";

const now = () => Date.UTC(2026, 0, 1);

/** The normal form, without a `timestamp` that the event did not have. */
const normal = (decoded: JsonObject): JsonObject => {
  const { timestamp, ...event } = normaliseEvent(decoded, { recordTime: now(), wallNow: now }).event;
  return decoded["timestamp"] === undefined ? event : { timestamp, ...event };
};

/** The events of a record, each in its normal form. */
export const normalOf = (events: EventOrEvents): EventOrEvents =>
  isObject(events) ? normal(events) : events.map(normal);

/** A decoder's result, with each event in its normal form. */
export const normalDecoded = (decoded: Decoded): Decoded => {
  if (decoded.kind === "event") return { ...decoded, event: normal(decoded.event) };
  return decoded.kind === "events" ? { ...decoded, events: decoded.events.map(normal) } : decoded;
};
