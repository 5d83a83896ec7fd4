import { isDeepStrictEqual } from "node:util";

import { normalEvent } from "../../core/event/normal-form.ts";
import type { Json, JsonObject } from "../../core/json/json.ts";
import type { Decoded } from "../decoder.ts";

/** A schema that a record without a header may be of. */
export interface Candidate {
  readonly name: string;
  readonly read: (value: Buffer) => Decoded;
}

export interface BareReader {
  /** What a record without a header holds. */
  readonly read: (value: Buffer) => Decoded;
  /** The same for bytes that may be something else: undefined unless they are an event by all appearances. */
  readonly recognise: (value: Buffer) => Decoded | undefined;
}

type Events = Extract<Decoded, { kind: "event" | "events" }>;

const noSchema: Decoded = {
  kind: "undecodable",
  error: "Cannot read a record of bare Avro: got no schema, want one in AVRO_SCHEMA_FILE",
};

/**
 * Makes the reader of records that do not say what schema they are of. With one candidate, it is that one. With several, a record is
 * an event if one of them reads all of its bytes as an event, or several do and the event is the same.
 */
export const createBareReader = (candidates: readonly Candidate[]): BareReader => {
  const [only, ...others] = candidates;
  if (only === undefined) return { read: () => noSchema, recognise: () => undefined };
  const read = others.length === 0 ? only.read : (value: Buffer) => readByOneOf(candidates, value);
  const recognise = (value: Buffer): Decoded | undefined => {
    const decoded = withoutStackTraces(() => read(value));
    return isEvents(decoded) && looksLikeEvents(decoded) && hasCleanTexts(eventsOf(decoded)) ? decoded : undefined;
  };
  return { read, recognise };
};

interface Reading {
  readonly name: string;
  readonly decoded: Events;
}

const readByOneOf = (candidates: readonly Candidate[], value: Buffer): Decoded => {
  const readings = withoutStackTraces(() => readingsOf(candidates, value));
  const certain = readings.length > 1 ? readings.filter(({ decoded }) => eventsOf(decoded).some(isOfSpec)) : [];
  const [first, ...others] = certain.length > 0 ? certain : readings;
  if (first === undefined) return unreadable(candidates, value);
  const other = others.find(({ decoded }) => !isSame(decoded, first.decoded));
  return other === undefined ? first.decoded : ambiguous(first, other);
};

/** All are tried, also behind one that succeeds: else the order of the files would decide what an event says. */
const readingsOf = (candidates: readonly Candidate[], value: Buffer): readonly Reading[] => {
  const readings: Reading[] = [];
  for (const { name, read } of candidates) {
    const decoded = read(value);
    if (isEvents(decoded) && looksLikeEvents(decoded)) readings.push({ name, decoded });
  }
  return readings;
};

/** Most candidates fail at most records, and the trace of an error costs more than all that was read before it. */
const withoutStackTraces = <T>(work: () => T): T => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};

const isEvents = (decoded: Decoded): decoded is Events => decoded.kind === "event" || decoded.kind === "events";

const eventsOf = (decoded: Events): readonly JsonObject[] => (decoded.kind === "event" ? [decoded.raw] : decoded.raws);

/** A kind of call is one word. Nearly any bytes are some text, so that a schema of texts alone reads what others wrote. */
const word = /^[a-z][a-z_-]{1,39}$/i;
const looksLikeEvent = ({ type }: JsonObject): boolean => typeof type === "string" && word.test(type);

/**
 * An empty list is nothing to deliver, but an empty wrapper may be what a wrong schema makes of an event. Of others one event is
 * enough, the rest is judged for itself.
 */
const looksLikeEvents = (decoded: Events): boolean => {
  const events = eventsOf(decoded);
  return events.length === 0 ? decoded.repairs === undefined : events.some(looksLikeEvent);
};

/** Texts that hold the lengths and marks of other fields were not written as texts. */
const isCleanText = (text: string): boolean => !/[^\P{Cc}\t\n\r]|\uFFFD/u.test(text);

const hasCleanTexts = (value: Json | undefined): boolean => {
  if (typeof value === "string") return isCleanText(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isCleanText(key) && hasCleanTexts(inner));
};

/** The calls of Segment's specification, https://segment.com/docs/connections/spec: such a word comes about by no chance. */
const specTypes = new Set(["identify", "track", "group", "page", "screen", "alias"]);
const isOfSpec = ({ type }: JsonObject): boolean => typeof type === "string" && specTypes.has(type.toLowerCase());

/** Whether Gainsight would get the same, however the fields are called. */
const isSame = (one: Events, other: Events): boolean =>
  isDeepStrictEqual(eventsOf(one).map(normalFormOf), eventsOf(other).map(normalFormOf));

/** What stands in for a missing time is the same for both. */
const standIns = { recordTime: 0, now: () => 0 };
const normalFormOf = (event: JsonObject): JsonObject => normalEvent(event, standIns).raw;

const maxNames = 10;

const namesOf = (candidates: readonly Candidate[]): string => {
  const names = candidates.slice(0, maxNames).map(({ name }) => name);
  return candidates.length > maxNames
    ? `${names.join(", ")} and ${candidates.length - maxNames} more`
    : names.join(", ");
};

const unreadable = (candidates: readonly Candidate[], { length }: Buffer): Decoded => ({
  kind: "undecodable",
  error: `Cannot read a record of bare Avro: got ${length} bytes that are an event by none of ${namesOf(candidates)}`,
});

const ambiguous = (one: Reading, other: Reading): Decoded => ({
  kind: "undecodable",
  error: `Cannot read a record of bare Avro: got bytes that are one event by ${one.name} and another by ${other.name}`,
});
