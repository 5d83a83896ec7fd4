import { clampToDateRange } from "../event/iso.ts";
import { topicNamePattern } from "../topic-name.ts";

/** A text, or bytes; kafkajs reads values as bytes. */
export type SingleHeaderValue = Uint8Array | string | null;

/** A header value as kafkajs reads and writes it; a repeated header is an array. */
export type HeaderValue = SingleHeaderValue | readonly SingleHeaderValue[] | undefined;
export type Headers = Readonly<Record<string, HeaderValue>>;

/** The names of gainstream's headers. All values are text: numbers in decimal, times in ISO 8601 in UTC. */
export const headerNames = {
  reason: "gainstream-reason",
  error: "gainstream-error",
  status: "gainstream-status",
  attempts: "gainstream-attempts",
  firstFailedAt: "gainstream-first-failed-at",
  topic: "gainstream-topic",
  partition: "gainstream-partition",
  offset: "gainstream-offset",
  timestamp: "gainstream-timestamp",
  id: "gainstream-id",
  topicId: "gainstream-topic-id",
  index: "gainstream-index",
  redrives: "gainstream-redrives",
} as const;

/** Where a record was first read from its source topic. Every copy in a retry topic or the dead-letter topic carries it unchanged. */
export interface SourcePosition {
  /** `topic-partition-offset`; for an event of a list `topic-partition-offset#index`. */
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** The record's timestamp in milliseconds since 1970. */
  readonly timestamp: number;
  /**
   * Kafka's id of the topic, which differs if a topic of the same name was created anew; undefined if it is not known.
   * Source: https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers
   */
  readonly topicId?: string | undefined;
  /** The event's index in the list, from 0; undefined if the record's value is no list. */
  readonly index?: number | undefined;
}

/** The state of an event that the headers of its record in a retry topic carry. */
export interface RetryState {
  readonly source: SourcePosition;
  /** Attempts used; one round of quick attempts counts as one. */
  readonly attempts: number;
  /** Milliseconds since 1970; undefined if the event has not failed itself (it waits behind another event of its user). */
  readonly firstFailedAt: number | undefined;
  /** Why the event was written to the retry topic. */
  readonly reason?: string | undefined;
  /**
   * The HTTP status of the last failure. With the reason `parked`, the status of a refusal that waits for a higher dead-letter limit.
   */
  readonly status?: number | undefined;
}

const decoder = new TextDecoder();

const headerText = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  const last = Array.isArray(value) ? (value.at(-1) as SingleHeaderValue | undefined) : value;
  if (last === undefined || last === null) return undefined;
  return typeof last === "string" ? last : decoder.decode(last as Uint8Array);
};

const parseCount = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

const parseTime = (text: string | undefined): number | undefined => {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
};

/** The source position of a whole record, or of a record with a single event. */
export const sourcePositionOf = ({
  topic,
  partition,
  offset,
  timestamp,
  topicId,
}: Omit<SourcePosition, "id" | "index">): SourcePosition => ({
  id: `${topic}-${partition}-${offset}`,
  topic,
  partition,
  offset,
  timestamp,
  topicId,
});

/** A key that no two events share. A topic that was created anew repeats ids, so the timestamp is part of the key. */
export const eventKeyOf = ({ id, timestamp }: Pick<SourcePosition, "id" | "timestamp">): string =>
  `${id}@${clampToDateRange(timestamp)}`;

/** The key of an event's record; all events of a list have the same one. */
export const recordKeyOf = (source: SourcePosition): string => eventKeyOf(sourcePositionOf(source));

/** The source position of one event of a record whose value is a list. */
export const sourcePositionInList = (recordPosition: SourcePosition, index: number): SourcePosition => ({
  ...recordPosition,
  id: `${recordPosition.id}#${index}`,
  index,
});

/** The check keeps a header from outside from making gainstream's own headers large. */
const isTopicName = (text: string | undefined): text is string => text !== undefined && topicNamePattern.test(text);

/** A Kafka UUID: 16 bytes in base64url. */
const parseTopicId = (text: string | undefined): string | undefined =>
  text !== undefined && /^[\w-]{22}$/.test(text) ? text : undefined;

const readSourcePosition = (headers: Headers): SourcePosition | undefined => {
  const topic = headerText(headers, headerNames.topic);
  const partition = parseCount(headerText(headers, headerNames.partition));
  const offset = parseCount(headerText(headers, headerNames.offset));
  const timestamp = parseTime(headerText(headers, headerNames.timestamp));
  if (!isTopicName(topic) || partition === undefined || offset === undefined || timestamp === undefined)
    return undefined;
  const topicId = parseTopicId(headerText(headers, headerNames.topicId));
  const source = sourcePositionOf({ topic, partition, offset: String(offset), timestamp, topicId });
  const index = parseCount(headerText(headers, headerNames.index));
  return index === undefined ? source : sourcePositionInList(source, index);
};

/**
 * Reads gainstream's headers of a record in a retry topic. A missing or malformed header counts as absent. Without a readable source
 * position the record's own position is used, as if the record had been read from a source topic.
 */
export const readRetryState = (headers: Headers, ownPosition: SourcePosition): RetryState => ({
  source: readSourcePosition(headers) ?? ownPosition,
  attempts: parseCount(headerText(headers, headerNames.attempts)) ?? 0,
  firstFailedAt: parseTime(headerText(headers, headerNames.firstFailedAt)),
  reason: headerText(headers, headerNames.reason),
  status: parseCount(headerText(headers, headerNames.status)),
});

/** Why an event is written to a retry topic or to the dead-letter topic. */
export interface FailureDetails {
  readonly source: SourcePosition;
  readonly reason: string;
  /** One sentence; never a payload or a secret. It is cut after 1,024 characters. */
  readonly error: string;
  readonly status?: number | undefined;
  readonly attempts: number;
  readonly firstFailedAt: number | undefined;
}
