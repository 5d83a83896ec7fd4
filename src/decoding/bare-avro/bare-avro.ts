import { isDeepStrictEqual } from "node:util";

import { normaliseEvent } from "../../core/event/normal-form.ts";
import type { Json, JsonObject } from "../../core/json/json.ts";
import type { Decoded } from "../decoder.ts";

/** A schema that a record without a header may be of. */
export interface CandidateSchema {
  readonly name: string;
  readonly decode: (value: Buffer) => Decoded;
}

export interface BareAvroDecoder {
  /** What a record without a header holds. */
  readonly decode: (value: Buffer) => Decoded;
  /** The same for bytes that may be something else: undefined unless they are an event by all appearances. */
  readonly tryDecode: (value: Buffer) => Decoded | undefined;
}

type DecodedEvents = Extract<Decoded, { kind: "event" | "events" }>;

const noSchema: Decoded = {
  kind: "undecodable",
  error: "Cannot read a record of bare Avro: got no schema, want one in AVRO_SCHEMA_FILE",
};

/**
 * Makes the reader of records that do not say what schema they are of. With one candidate, it is that one. With several, a record is
 * an event if one of them reads all of its bytes as an event, or several do and the event is the same.
 */
export const createBareAvroDecoder = (candidates: readonly CandidateSchema[]): BareAvroDecoder => {
  const [only, ...others] = candidates;
  if (only === undefined) return { decode: () => noSchema, tryDecode: () => undefined };
  const decode = others.length === 0 ? only.decode : (value: Buffer) => decodeByAny(candidates, value);
  const tryDecode = (value: Buffer): Decoded | undefined => {
    const decoded = withoutStackTraces(() => decode(value));
    return hasEvents(decoded) && looksLikeEvents(decoded) && hasCleanTexts(eventList(decoded)) ? decoded : undefined;
  };
  return { decode, tryDecode };
};

interface CandidateResult {
  readonly name: string;
  readonly decoded: DecodedEvents;
}

const decodeByAny = (candidates: readonly CandidateSchema[], value: Buffer): Decoded => {
  const results = withoutStackTraces(() => candidateResults(candidates, value));
  const withSpecType = results.length > 1 ? results.filter(({ decoded }) => eventList(decoded).some(hasSpecType)) : [];
  const [first, ...others] = withSpecType.length > 0 ? withSpecType : results;
  if (first === undefined) return undecodableByAll(candidates, value);
  const other = others.find(({ decoded }) => !areSameEvents(decoded, first.decoded));
  return other === undefined ? first.decoded : ambiguous(first, other);
};

/** All are tried, also behind one that succeeds: else the order of the files would decide what an event says. */
const candidateResults = (candidates: readonly CandidateSchema[], value: Buffer): readonly CandidateResult[] => {
  const results: CandidateResult[] = [];
  for (const { name, decode } of candidates) {
    const decoded = decode(value);
    if (hasEvents(decoded) && looksLikeEvents(decoded)) results.push({ name, decoded });
  }
  return results;
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

const hasEvents = (decoded: Decoded): decoded is DecodedEvents => decoded.kind === "event" || decoded.kind === "events";

const eventList = (decoded: DecodedEvents): readonly JsonObject[] =>
  decoded.kind === "event" ? [decoded.raw] : decoded.raws;

/** A kind of call is one word. Nearly any bytes are some text, so that a schema of texts alone reads what others wrote. */
const typePattern = /^[a-z][a-z_-]{1,39}$/i;
const looksLikeEvent = ({ type }: JsonObject): boolean => typeof type === "string" && typePattern.test(type);

/**
 * An empty list is nothing to deliver, but an empty wrapper may be what a wrong schema makes of an event. Of others one event is
 * enough, the rest is judged for itself.
 */
const looksLikeEvents = (decoded: DecodedEvents): boolean => {
  const events = eventList(decoded);
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
const hasSpecType = ({ type }: JsonObject): boolean => typeof type === "string" && specTypes.has(type.toLowerCase());

/** Whether Gainsight would get the same, however the fields are called. */
const areSameEvents = (one: DecodedEvents, other: DecodedEvents): boolean =>
  isDeepStrictEqual(eventList(one).map(toNormalForm), eventList(other).map(toNormalForm));

/** What stands in for a missing time is the same for both. */
const noTimeFallbacks = { recordTime: 0, wallNow: () => 0 };
const toNormalForm = (event: JsonObject): JsonObject => normaliseEvent(event, noTimeFallbacks).raw;

const maxNames = 10;

const namesOf = (candidates: readonly CandidateSchema[]): string => {
  const names = candidates.slice(0, maxNames).map(({ name }) => name);
  return candidates.length > maxNames
    ? `${names.join(", ")} and ${candidates.length - maxNames} more`
    : names.join(", ");
};

const undecodableByAll = (candidates: readonly CandidateSchema[], { length }: Buffer): Decoded => ({
  kind: "undecodable",
  error: `Cannot read a record of bare Avro: got ${length} bytes that are an event by none of ${namesOf(candidates)}`,
});

const ambiguous = (one: CandidateResult, other: CandidateResult): Decoded => ({
  kind: "undecodable",
  error: `Cannot read a record of bare Avro: got bytes that are one event by ${one.name} and another by ${other.name}`,
});
