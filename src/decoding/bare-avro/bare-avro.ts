import { isDeepStrictEqual } from "node:util";

import { specTypes } from "../../core/event/event-types.ts";
import { normaliseEvent } from "../../core/event/normal-form.ts";
import type { Json, JsonObject } from "../../core/json/json.ts";
import type { DecodeValue, Decoded } from "../decoded.ts";
import { undecodable } from "../decoded.ts";

/** A schema that bare records may have. */
export interface CandidateSchema {
  readonly name: string;
  readonly decode: DecodeValue;
}

export interface BareAvroDecoder {
  /** Decodes a value that is known to be bare Avro. */
  readonly decode: DecodeValue;
  /** Decodes a value that may also have another format; undefined unless the result looks like an event in every respect. */
  readonly tryDecode: (value: Buffer) => Decoded | undefined;
}

type DecodedEvents = Extract<Decoded, { kind: "event" | "events" }>;

const noSchema = undecodable("Cannot read a bare Avro record: got no schema, want one in AVRO_SCHEMA_FILE");

/**
 * Makes the decoder of bare Avro records, which do not name their schema. A single candidate decodes every record. With several, all of
 * them are tried: the record is an event if at least one reads all of its bytes as an event, and all that do agree on the event.
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

/** All candidates are tried, even after one has succeeded: otherwise the order of the files would decide what the event is. */
const candidateResults = (candidates: readonly CandidateSchema[], value: Buffer): readonly CandidateResult[] => {
  const results: CandidateResult[] = [];
  for (const { name, decode } of candidates) {
    const decoded = decode(value);
    if (hasEvents(decoded) && looksLikeEvents(decoded)) results.push({ name, decoded });
  }
  return results;
};

/** Most candidates fail for most records, and the stack trace of an error costs more than the decoding before it. */
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
  decoded.kind === "event" ? [decoded.event] : decoded.events;

/** A type is one word. The check is needed because a schema of nothing but strings can read the bytes of nearly any other schema. */
const typePattern = /^[a-z][a-z_-]{1,39}$/i;
const looksLikeEvent = ({ type }: JsonObject): boolean => typeof type === "string" && typePattern.test(type);

/**
 * An empty list counts as events, but an empty wrapper does not: a wrong schema may read an event as one. Of several events one that
 * looks like an event is enough; the others are validated one by one.
 */
const looksLikeEvents = (decoded: DecodedEvents): boolean => {
  const events = eventList(decoded);
  return events.length === 0 ? decoded.repairs === undefined : events.some(looksLikeEvent);
};

/** A text with control characters or invalid UTF-8 holds the lengths and tags of other fields: the schema is wrong. */
const isCleanText = (text: string): boolean => !/[^\P{Cc}\t\n\r]|\uFFFD/u.test(text);

const hasCleanTexts = (value: Json | undefined): boolean => {
  if (typeof value === "string") return isCleanText(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => isCleanText(key) && hasCleanTexts(inner));
};

/** A wrong schema does not read one of these words by chance. */
const hasSpecType = ({ type }: JsonObject): boolean => typeof type === "string" && specTypes.has(type.toLowerCase());

/** Whether two schemas read events that are equal in normal form; their field names may differ. */
const areSameEvents = (one: DecodedEvents, other: DecodedEvents): boolean =>
  isDeepStrictEqual(eventList(one).map(toNormalForm), eventList(other).map(toNormalForm));

/** A missing time is replaced by the same time in both. */
const noTimeFallbacks = { recordTime: 0, wallNow: () => 0 };
const toNormalForm = (event: JsonObject): JsonObject => normaliseEvent(event, noTimeFallbacks).event;

const maxNames = 10;

const namesOf = (candidates: readonly CandidateSchema[]): string => {
  const names = candidates.slice(0, maxNames).map(({ name }) => name);
  return candidates.length > maxNames
    ? `${names.join(", ")} and ${candidates.length - maxNames} more`
    : names.join(", ");
};

const undecodableByAll = (candidates: readonly CandidateSchema[], { length }: Buffer): Decoded =>
  undecodable(
    `Cannot read a bare Avro record: got ${length} bytes that none of these schemas reads as an event: ${namesOf(candidates)}`,
  );

const ambiguous = (one: CandidateResult, other: CandidateResult): Decoded =>
  undecodable(`Cannot read a bare Avro record: ${one.name} and ${other.name} read its bytes as different events`);
