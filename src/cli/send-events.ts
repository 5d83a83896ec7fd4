import { randomUUID } from "node:crypto";

import { normaliseEnvelopeNames } from "../core/event/envelope-names.ts";
import { normaliseEvent } from "../core/event/normal-form.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import { type Dead, type Skipped, dead, skipped } from "../core/outcome/outcome.ts";
import { createSkippedTypes, parseEvent } from "../core/rules/validate.ts";
import { createDecoder } from "../decoding/decoder.ts";
import { toAvroRecord } from "../decoding/encoder.ts";
import { type EventBytes, type Source, splitEvents } from "./send-input.ts";
import type { WireFormat } from "./send-wire.ts";

export interface EventItem {
  /** Such as `line 3`, with the file's name before it if there are several. */
  readonly location: string;
  /** As it was given: what a topic of JSON gets. */
  readonly input: JsonObject;
  /** Its normal form, but for a copy of traits: what a topic of Avro gets. */
  readonly event: JsonObject;
  readonly repairs: readonly Repair[];
}

/** Something that holds no event, and what the service says of it. */
interface NoEvent {
  readonly location: string;
  readonly decision: Dead | Skipped;
}

/** One event to send, or what the service says of something that holds none. */
export type SendItem = EventItem | NoEvent;

/** The events of these sources, one at a time, each with a messageId and a timestamp. Throws a sentence if a source has none. */
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

/** A line may hold a list, or a wrapper: each event in it goes on its own. */
const readEvents = ({ location, bytes }: EventBytes): readonly SendItem[] => {
  const decoded = decoder.decode(bytes);
  if (decoded.kind === "event") return [eventItemOf(location, decoded.raw, decoded.repairs)];
  if (decoded.kind !== "events")
    return [{ location, decision: "error" in decoded ? dead("undecodable", decoded.error) : skipped("tombstone") }];
  if (decoded.raws.length === 0) return [{ location, decision: skipped("tombstone") }];
  return decoded.raws.map((raw, index) => eventItemOf(`${location}, event ${index + 1}`, raw, decoded.repairs));
};

const eventItemOf = (location: string, raw: JsonObject, unwrapRepairs: readonly Repair[] | undefined): EventItem => {
  const given = withRequiredFields(raw);
  const { raw: event, repairs } = normaliseEvent(given, { recordTime: Date.now(), wallNow: Date.now }, unwrapRepairs);
  return {
    location,
    input: given,
    event: repairs.includes("traits_from_context") ? withoutCopiedTraits(event) : event,
    repairs,
  };
};

/**
 * Its traits are those of its context, and the service takes them from there itself. Written twice, the one would be no copy of
 * the other any more, and a rule on personal data in the context would leave it in the traits.
 */
const withoutCopiedTraits = (event: JsonObject): JsonObject => ({ ...event, traits: undefined });

/** Only what a library of Segment's would fill in as well. If the event has another time, the service's own rules apply. */
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

/** What is written of an event: JSON as it was given, so that a service shows what it repairs; Avro has room for the normal form only. */
export const payloadOf = ({ input: given, event }: EventItem, wireFormat: WireFormat): JsonObject =>
  wireFormat === "json" ? given : event;

export interface SendRules {
  readonly wireFormat: WireFormat;
  /** Events that break a rule of Segment's are sent as well, to see what becomes of them. */
  readonly invalid: boolean;
  /** Of the settings. */
  readonly skippedTypes: readonly string[];
}

/** Why an item cannot be sent, in a sentence; undefined if it can. */
export const problemOf = (item: SendItem, { wireFormat, invalid, skippedTypes }: SendRules): string | undefined => {
  if ("decision" in item)
    return item.decision.kind === "dead"
      ? item.decision.error
      : "Cannot find an event: got an empty list or envelope, want one event";
  const parsed = parseEvent(item.event, createSkippedTypes(skippedTypes));
  if (!invalid && "kind" in parsed) return parsed.error;
  return wireFormat === "json" ? undefined : avroProblemOf(item.event);
};

const avroProblemOf = (event: JsonObject): string | undefined => {
  try {
    toAvroRecord(event);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
