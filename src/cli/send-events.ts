import { randomUUID } from "node:crypto";

import { normaliseEnvelopeNames } from "../core/event/envelope-names.ts";
import { normaliseEvent } from "../core/event/normal-form.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import { type Dead, type Skipped, dead, skipped } from "../core/outcome/outcome.ts";
import { createSkippedTypes, validateEvent } from "../core/rules/validate.ts";
import { toError } from "../core/to-error.ts";
import { createDecoder } from "../decoding/decoder.ts";
import { toAvroRecord } from "../decoding/encoder.ts";
import { type EventBytes, type Source, splitEvents } from "./send-input.ts";
import type { WireFormat } from "./send-wire.ts";

export interface EventItem {
  /** For people, such as `line 3`, or `events.jsonl, line 3` if there are several files. */
  readonly location: string;
  /** The event of the file, with a messageId and a timestamp. A topic of JSON gets this. */
  readonly input: JsonObject;
  /** The normal form, without traits that are copied from the context. A topic of Avro gets this. */
  readonly event: JsonObject;
  readonly repairs: readonly Repair[];
}

/** A piece of the input without an event, and the service's decision about it. */
interface NoEvent {
  readonly location: string;
  readonly decision: Dead | Skipped;
}

/** One event to send, or a piece of the input without an event. */
export type SendItem = EventItem | NoEvent;

/** The events of these sources, one at a time, each with a messageId and a timestamp. Rejects if a source has no event. */
export async function* eventsOf(sources: readonly Source[]): AsyncGenerator<SendItem> {
  for (const { name, input } of sources) {
    const prefix = sources.length > 1 ? `${name}, ` : "";
    let isEmpty = true;
    for await (const { location, bytes } of splitEvents(input)) {
      isEmpty = false;
      yield* readEvents({ location: prefix + location, bytes });
    }
    if (isEmpty)
      throw new Error(`Cannot find an event in ${name}: got nothing, want JSON lines, a JSON array or one JSON object`);
  }
}

const decoder = createDecoder({ format: "json" });

/** A line may hold a list or a wrapper of several events. */
const readEvents = ({ location, bytes }: EventBytes): readonly SendItem[] => {
  const decoded = decoder.decode(bytes);
  if (decoded.kind === "event") return [eventItemOf(location, decoded.event, decoded.repairs)];
  if (decoded.kind !== "events")
    return [{ location, decision: "error" in decoded ? dead("undecodable", decoded.error) : skipped("tombstone") }];
  if (decoded.events.length === 0) return [{ location, decision: skipped("tombstone") }];
  return decoded.events.map((event, index) => eventItemOf(`${location}, event ${index + 1}`, event, decoded.repairs));
};

const eventItemOf = (
  location: string,
  decoded: JsonObject,
  unwrapRepairs: readonly Repair[] | undefined,
): EventItem => {
  const input = withRequiredFields(decoded);
  const { event, repairs } = normaliseEvent(input, { recordTime: Date.now(), wallNow: Date.now }, unwrapRepairs);
  return {
    location,
    input,
    event: repairs.includes("traits_from_context") ? withoutCopiedTraits(event) : event,
    repairs,
  };
};

/**
 * The service itself copies the traits from the context. If the event already had both, the service would not see the traits as
 * a copy, and a rule for personal data in the context would not cover them.
 */
const withoutCopiedTraits = (event: JsonObject): JsonObject => ({ ...event, traits: undefined });

/** Adds only what a Segment library would add. If the event has any time, the service derives the timestamp from it. */
const withRequiredFields = (event: JsonObject): JsonObject => {
  const { messageId, ...times } = normaliseEnvelopeNames(event);
  return {
    ...event,
    ...(isAbsent(messageId) && { messageId: randomUUID() }),
    ...(timeNames.every((name) => isAbsent(times[name])) && { timestamp: new Date().toISOString() }),
  };
};

const timeNames = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"];

const isAbsent = (value: JsonObject[string]): boolean => value === undefined || value === null || value === "";

/** The event as the topic gets it. JSON stays unrepaired, so that the service shows its repairs; Avro takes only the normal form. */
export const payloadOf = ({ input, event }: EventItem, wireFormat: WireFormat): JsonObject =>
  wireFormat === "json" ? input : event;

export interface SendRules {
  readonly wireFormat: WireFormat;
  /** Whether to send events that break a rule of Segment. */
  readonly invalid: boolean;
  /** The setting of this name. */
  readonly skippedTypes: readonly string[];
}

/** Why an item cannot be sent, as a sentence; undefined if it can. */
export const problemOf = (item: SendItem, { wireFormat, invalid, skippedTypes }: SendRules): string | undefined => {
  if ("decision" in item)
    return item.decision.kind === "dead"
      ? item.decision.error
      : "Cannot find an event: got an empty list or envelope, want one event";
  const valid = validateEvent(item.event, createSkippedTypes(skippedTypes));
  if (!invalid && typeof valid === "object") return valid.error;
  return wireFormat === "json" ? undefined : avroProblemOf(item.event);
};

const avroProblemOf = (event: JsonObject): string | undefined => {
  try {
    toAvroRecord(event);
    return undefined;
  } catch (error) {
    return toError(error).message;
  }
};
