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
  /** Milliseconds since 1970; stands in where neither an event nor its record has a time. */
  readonly wallNow?: () => number;
}

/** A record understood, with the events it holds, or the schema that has to be fetched first. */
export type ReadResult =
  | { readonly kind: "parsed"; readonly parsedRecords: readonly ParsedRecord[] }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

/** Reads a message of a source, or of the retry tier of this number: there its headers tell of its past. */
export type RecordReader = (
  message: KafkaMessage,
  place: TopicPartition & { readonly tier: number | undefined; readonly topicId?: string | undefined },
) => ReadResult;

const toKafkaRecord = ({ key, value, headers, timestamp }: KafkaMessage): KafkaRecord => ({
  key,
  value,
  headers: headers ?? {},
  timestamp: Number(timestamp),
});

const retryStateOf = (record: KafkaRecord, source: SourcePosition, tier: number | undefined): RetryState =>
  tier === undefined ? { source, attempts: 0, firstFailedAt: undefined } : readRetryState(record.headers, source);

/** Nobody knows whose it is: it waits for nobody. */
const withoutUser = (record: KafkaRecord, retryState: RetryState, decision: ParsedRecord["decision"]): ReadResult => ({
  kind: "parsed",
  parsedRecords: [{ record, user: retryState.source.id, type: "unknown", decision, retryState, repairs: [] }],
});

/** Its schema may come late, and tell whose it is: until then its key is the best guess, so that what follows waits behind it. */
const awaitingSchema = (record: KafkaRecord, retryState: RetryState, schemaId: number): ReadResult => {
  const user = record.key?.length ? Buffer.from(record.key).toString() : retryState.source.id;
  const error = `The registry knows no schema ${schemaId}`;
  const decision = { kind: "retry", reason: "unknown_schema", error } as const;
  return { kind: "parsed", parsedRecords: [{ record, user, type: "unknown", decision, retryState, repairs: [] }] };
};

const messageIdOf = ({ messageId }: JsonObject): string | undefined =>
  typeof messageId === "string" && messageId !== "" ? messageId : undefined;

interface UnwrappedEvent {
  readonly rawEvent: JsonObject;
  readonly unwrapRepairs: readonly Repair[] | undefined;
}

/** What one event means. */
const createParseEvent =
  ({ decide, wallNow = Date.now }: Pick<RecordReaderOptions, "decide" | "wallNow">) =>
  (record: KafkaRecord, retryState: RetryState, { rawEvent, unwrapRepairs }: UnwrappedEvent): ParsedRecord => {
    const { source, firstFailedAt } = retryState;
    const timeFallbacks = { recordTime: source.timestamp, firstFailedAt, wallNow };
    const { event, repairs } = normaliseEvent(rawEvent, timeFallbacks, unwrapRepairs);
    const decided = decide(event);
    // A record that belongs to nobody waits for nobody. Nor does one that can only become a dead letter, and nobody waits for it,
    // however long the limit of dead letters may hold it.
    const user = decided.decision.kind === "dead" ? source.id : (userOf(event) ?? source.id);
    return { record, user, messageId: messageIdOf(event), ...decided, retryState, repairs };
  };

type UnwrappedList = Pick<Extract<Decoded, { kind: "events" }>, "events" | "repairs">;

/** The events of a list. From a tier comes only one of them: the others went their own ways. */
const createParseList =
  (parseEvent: ReturnType<typeof createParseEvent>) =>
  (record: KafkaRecord, retryState: RetryState, { events, repairs: unwrapRepairs }: UnwrappedList): ReadResult => {
    const { index } = retryState.source;
    if (events.length === 0) return withoutUser(record, retryState, skipped("tombstone"));
    if (index === undefined) {
      const retryStateAt = (place: number): RetryState => ({
        ...retryState,
        source: sourcePositionInList(retryState.source, place),
      });
      return {
        kind: "parsed",
        parsedRecords: events.map((rawEvent, place) =>
          parseEvent(record, retryStateAt(place), { rawEvent, unwrapRepairs }),
        ),
      };
    }
    const rawEvent = events[index];
    if (rawEvent)
      return { kind: "parsed", parsedRecords: [parseEvent(record, retryState, { rawEvent, unwrapRepairs })] };
    const error = `Cannot find the event in its list: got ${headerNames.index} ${index}, want 0 to ${events.length - 1}`;
    return withoutUser(record, retryState, dead("undecodable", error));
  };

/** Turns messages into parsedRecords: bytes, then events, then what they mean. Never throws. */
export const createRecordReader = ({ decoder, ...options }: RecordReaderOptions): RecordReader => {
  const parseEvent = createParseEvent(options);
  const parseList = createParseList(parseEvent);
  return (message, { topic, partition, tier, topicId }) => {
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
};
