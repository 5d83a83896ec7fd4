import type { KafkaMessage } from "kafkajs";

import type { Decide } from "../core/decide.ts";
import { normaliseEvent } from "../core/event/normal-form.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import {
  type SourcePosition,
  type RetryState,
  headerNames,
  sourcePositionInList,
  sourcePositionOf,
  readRetryState,
} from "../core/outcome/headers.ts";
import { dead, skipped } from "../core/outcome/outcome.ts";
import type { ParsedRecord, KafkaRecord } from "../core/parsed-record.ts";
import { userOf } from "../core/rules/validate.ts";
import type { Decoded } from "../decoding/decoded.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";

export interface RecordReaderOptions {
  readonly decoder: Pick<Decoder, "decode">;
  readonly decide: Decide;
  /** Milliseconds since 1970; used if neither an event nor its record has a time. */
  readonly wallNow?: () => number;
}

/** The parsed events of a record, or the schema that has to be fetched first. */
export type ReadResult =
  | { readonly kind: "parsed"; readonly parsedRecords: readonly ParsedRecord[] }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

/** The partition that a record was read from. */
export interface ReadPartition extends TopicPartition {
  /** The index of a retry topic; undefined for a source topic. */
  readonly tier: number | undefined;
  readonly topicId?: string | undefined;
}

/**
 * Parses a record and decides its events. Reads the retry state from the headers if the record comes from a retry topic.
 * Never throws.
 */
export type RecordReader = (message: KafkaMessage, partition: ReadPartition) => ReadResult;

const toKafkaRecord = ({ key, value, headers, timestamp }: KafkaMessage): KafkaRecord => ({
  key,
  value,
  headers: headers ?? {},
  timestamp: Number(timestamp),
});

const retryStateOf = (record: KafkaRecord, source: SourcePosition, tier: number | undefined): RetryState =>
  tier === undefined ? { source, attempts: 0, firstFailedAt: undefined } : readRetryState(record.headers, source);

/** A record without a known user. It has a queue of its own and waits for no other event. */
const withoutUser = (record: KafkaRecord, retryState: RetryState, decision: ParsedRecord["decision"]): ReadResult => ({
  kind: "parsed",
  parsedRecords: [{ record, user: retryState.source.id, type: "unknown", decision, retryState, repairs: [] }],
});

/**
 * A record whose schema is unknown, but may be registered later. Until then its key counts as its user, so that later
 * records wait for it.
 */
const awaitingSchema = (record: KafkaRecord, retryState: RetryState, schemaId: number): ReadResult => {
  const user = record.key?.length ? Buffer.from(record.key).toString() : retryState.source.id;
  const error = `The registry knows no schema ${schemaId}`;
  const decision = { kind: "retry", reason: "unknown_schema", error } as const;
  return { kind: "parsed", parsedRecords: [{ record, user, type: "unknown", decision, retryState, repairs: [] }] };
};

const messageIdOf = ({ messageId }: JsonObject): string | undefined =>
  typeof messageId === "string" && messageId !== "" ? messageId : undefined;

/** An event without its wrapper, and the repairs that unwrapping made. */
interface UnwrappedEvent {
  readonly rawEvent: JsonObject;
  readonly unwrapRepairs: readonly Repair[] | undefined;
}

type ParseEvent = (record: KafkaRecord, retryState: RetryState, event: UnwrappedEvent) => ParsedRecord;

const createParseEvent = ({
  decide,
  wallNow = Date.now,
}: Pick<RecordReaderOptions, "decide" | "wallNow">): ParseEvent => {
  const parseEvent: ParseEvent = (record, retryState, { rawEvent, unwrapRepairs }) => {
    const { source, firstFailedAt } = retryState;
    const timeFallbacks = { recordTime: source.timestamp, firstFailedAt, wallNow };
    const { event, repairs } = normaliseEvent(rawEvent, timeFallbacks, unwrapRepairs);
    const decided = decide(event);
    // An event without a user, and one that can only become a dead letter, has a queue of its own: the dead-letter limit
    // may hold it for a long time, and no other event of the user waits for it.
    const user = decided.decision.kind === "dead" ? source.id : (userOf(event) ?? source.id);
    return { record, user, messageId: messageIdOf(event), ...decided, retryState, repairs };
  };
  return parseEvent;
};

type UnwrappedList = Pick<Extract<Decoded, { kind: "events" }>, "events" | "repairs">;
type ParseList = (record: KafkaRecord, retryState: RetryState, list: UnwrappedList) => ReadResult;

/** Parses the events of a list. A record of a retry topic stands for one of them, whose index is in the headers. */
const createParseList = (parseEvent: ParseEvent): ParseList => {
  const parseList: ParseList = (record, retryState, { events, repairs: unwrapRepairs }) => {
    const { source } = retryState;
    if (events.length === 0) return withoutUser(record, retryState, skipped("tombstone"));
    if (source.index === undefined) {
      const retryStateAt = (index: number): RetryState => ({
        ...retryState,
        source: sourcePositionInList(source, index),
      });
      const parseAt = (rawEvent: JsonObject, index: number): ParsedRecord =>
        parseEvent(record, retryStateAt(index), { rawEvent, unwrapRepairs });
      return { kind: "parsed", parsedRecords: events.map(parseAt) };
    }
    const rawEvent = events[source.index];
    if (rawEvent)
      return { kind: "parsed", parsedRecords: [parseEvent(record, retryState, { rawEvent, unwrapRepairs })] };
    const given = `${headerNames.index} ${source.index}`;
    const error = `Cannot find the event in its list: got ${given}, want 0 to ${events.length - 1}`;
    return withoutUser(record, retryState, dead("undecodable", error));
  };
  return parseList;
};

/** Creates the reader of all records: it decodes the bytes, parses the events and decides each of them. */
export const createRecordReader = ({ decoder, ...options }: RecordReaderOptions): RecordReader => {
  const parseEvent = createParseEvent(options);
  const parseList = createParseList(parseEvent);
  const readRecord: RecordReader = (message, { topic, partition, tier, topicId }) => {
    const record = toKafkaRecord(message);
    const source = sourcePositionOf({ topic, partition, offset: message.offset, timestamp: record.timestamp, topicId });
    const retryState = retryStateOf(record, source, tier);
    const decoded = decoder.decode(message.value);
    switch (decoded.kind) {
      case "event":
        return {
          kind: "parsed",
          parsedRecords: [parseEvent(record, retryState, { rawEvent: decoded.event, unwrapRepairs: decoded.repairs })],
        };
      case "events":
        return parseList(record, retryState, decoded);
      case "tombstone":
        return withoutUser(record, retryState, skipped("tombstone"));
      case "undecodable":
        return withoutUser(record, retryState, dead("undecodable", decoded.error));
      case "unknown_schema":
        return awaitingSchema(record, retryState, decoded.schemaId);
      case "needs_schema":
        return decoded;
    }
  };
  return readRecord;
};
