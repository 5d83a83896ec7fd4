import { randomUUID } from "node:crypto";

import { camelEnvelope } from "../core/event/envelope-names.ts";
import { normalEvent } from "../core/event/normal-form.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import { type Dead, type Skipped, dead, skipped } from "../core/outcome/outcome.ts";
import { createSkippedTypes, parseEvent } from "../core/rules/validate.ts";
import { createDecoder } from "../decoding/decoder.ts";
import { toRecord } from "../decoding/encoder.ts";
import { type Piece, type Source, piecesOf } from "./send-input.ts";
import type { Wire } from "./send-wire.ts";

export interface EventItem {
  /** Such as `line 3`, with the file's name before it if there are several. */
  readonly place: string;
  /** As it was given: what a topic of JSON gets. */
  readonly given: JsonObject;
  /** Its normal form, but for a copy of traits: what a topic of Avro gets. */
  readonly event: JsonObject;
  readonly repairs: readonly Repair[];
}

/** Something that holds no event, and what the service says of it. */
interface NoEvent {
  readonly place: string;
  readonly meaning: Dead | Skipped;
}

/** One event to send, or what the service says of something that holds none. */
export type Item = EventItem | NoEvent;

/** The events of these sources, one at a time, each with a messageId and a timestamp. Throws a sentence if a source has none. */
export async function* eventsOf(sources: readonly Source[]): AsyncGenerator<Item> {
  for (const { name, input } of sources) {
    const before = sources.length > 1 ? `${name}, ` : "";
    let isEmpty = true;
    for await (const { place, bytes } of piecesOf(input)) {
      isEmpty = false;
      yield* read({ place: before + place, bytes });
    }
    if (isEmpty)
      throw new Error(`Cannot find an event in ${name}: got nothing, want JSON lines, a JSON array or one JSON object`);
  }
}

const decoder = createDecoder({ format: "json" });

/** A line may hold a list, or a wrapper: each event in it goes on its own. */
const read = ({ place, bytes }: Piece): readonly Item[] => {
  const decoded = decoder.decode(bytes);
  if (decoded.kind === "event") return [itemOf(place, decoded.raw, decoded.repairs)];
  if (decoded.kind !== "events")
    return [{ place, meaning: "error" in decoded ? dead("undecodable", decoded.error) : skipped("tombstone") }];
  if (decoded.raws.length === 0) return [{ place, meaning: skipped("tombstone") }];
  return decoded.raws.map((raw, index) => itemOf(`${place}, event ${index + 1}`, raw, decoded.repairs));
};

const itemOf = (place: string, raw: JsonObject, unwrapped: readonly Repair[] | undefined): EventItem => {
  const given = complete(raw);
  const { raw: event, repairs } = normalEvent(given, { recordTime: Date.now(), now: Date.now }, unwrapped);
  return { place, given, event: repairs.includes("traits_from_context") ? withoutCopy(event) : event, repairs };
};

/**
 * Its traits are those of its context, and the service takes them from there itself. Written twice, the one would be no copy of
 * the other any more, and a rule on personal data in the context would leave it in the traits.
 */
const withoutCopy = (event: JsonObject): JsonObject => ({ ...event, traits: undefined });

/** Only what a library of Segment's would fill in as well. If the event has another time, the service's own rules apply. */
const complete = (event: JsonObject): JsonObject => {
  const { messageId, ...times } = camelEnvelope(event);
  return {
    ...event,
    ...(isAbsent(messageId) && { messageId: randomUUID() }),
    ...(timeNames.every((name) => isAbsent(times[name])) && { timestamp: new Date().toISOString() }),
  };
};

const timeNames = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"];

const isAbsent = (value: JsonObject[string]): boolean => value === undefined || value === null || value === "";

/** What is written of an event: JSON as it was given, so that a service shows what it repairs; Avro has room for the normal form only. */
export const writtenOf = ({ given, event }: EventItem, wire: Wire): JsonObject => (wire === "json" ? given : event);

export interface Rules {
  readonly wire: Wire;
  /** Events that break a rule of Segment's are sent as well, to see what becomes of them. */
  readonly invalid: boolean;
  /** Of the settings. */
  readonly skippedTypes: readonly string[];
}

/** Why an item cannot be sent, in a sentence; undefined if it can. */
export const problemOf = (item: Item, { wire, invalid, skippedTypes }: Rules): string | undefined => {
  if ("meaning" in item)
    return item.meaning.kind === "dead"
      ? item.meaning.error
      : "Cannot find an event: got an empty list or envelope, want one event";
  const parsed = parseEvent(item.event, createSkippedTypes(skippedTypes));
  if (!invalid && "kind" in parsed) return parsed.error;
  return wire === "json" ? undefined : misfitOf(item.event);
};

const misfitOf = (event: JsonObject): string | undefined => {
  try {
    toRecord(event);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
