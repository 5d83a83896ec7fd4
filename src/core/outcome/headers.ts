import { toIso, clampToDateRange } from "../event/iso.ts";

type SingleHeaderValue = Uint8Array | string | null;

/** Header values as Kafka clients give and take them; a repeated header is an array. */
export type HeaderValue = SingleHeaderValue | readonly SingleHeaderValue[] | undefined;
export type Headers = Readonly<Record<string, HeaderValue>>;

/** Every header of ours, in one place. All values are text: numbers decimal, times ISO 8601 in UTC. */
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

/** Where and when a record was first read from its source topic; the same on every later copy of it. */
export interface SourcePosition {
  /** `topic-partition-offset`; for an event of a list `topic-partition-offset#index`. */
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Kafka's id of the topic, which tells a topic from one of the same name that was made anew; undefined if it is not known. */
  readonly topicId?: string | undefined;
  /** Which event of the record, from 0, where its value is a list of them. */
  readonly index?: number | undefined;
}

/** What the headers of a record from a tier say of its past. */
export interface RetryState {
  readonly source: SourcePosition;
  /** Rounds of attempts spent. */
  readonly attempts: number;
  /** Milliseconds since 1970; undefined where it has not failed itself (it waits behind another). */
  readonly firstFailedAt: number | undefined;
  /** Why it went to the retry topic. */
  readonly reason?: string | undefined;
  /** The status of its last failure; with `parked`, of the refusal that waits for another limit of dead letters. */
  readonly status?: number | undefined;
}

const decoder = new TextDecoder();
const maxErrorChars = 1_024;

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

/** What no two events have in common: a topic that was made anew gives the same ids once more, but at another time. */
export const eventKeyOf = ({ id, timestamp }: Pick<SourcePosition, "id" | "timestamp">): string =>
  `${id}@${clampToDateRange(timestamp)}`;

/** The key of the record that an event came in, whether alone or in a list. */
export const recordKeyOf = (source: SourcePosition): string => eventKeyOf(sourcePositionOf(source));

/** The origin of one event of a record that holds a list. */
export const sourcePositionInList = (recordPosition: SourcePosition, index: number): SourcePosition => ({
  ...recordPosition,
  id: `${recordPosition.id}#${index}`,
  index,
});

/** A name that Kafka allows: a foreign header must not swell ours. */
const isTopicName = (text: string | undefined): text is string =>
  text !== undefined && /^[a-zA-Z0-9._-]{1,249}$/.test(text);

/** 16 bytes in base64url. */
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
 * Reads our headers off a record of a tier. What is missing, foreign or broken counts as absent: a record without a
 * readable origin is its own origin, as if it had been read from a source here.
 */
export const readRetryState = (headers: Headers, ownPosition: SourcePosition): RetryState => ({
  source: readSourcePosition(headers) ?? ownPosition,
  attempts: parseCount(headerText(headers, headerNames.attempts)) ?? 0,
  firstFailedAt: parseTime(headerText(headers, headerNames.firstFailedAt)),
  reason: headerText(headers, headerNames.reason),
  status: parseCount(headerText(headers, headerNames.status)),
});

/** Why and how a record goes to a tier or to the dead-letter topic. */
export interface FailureDetails {
  readonly source: SourcePosition;
  readonly reason: string;
  /** One sentence; never a payload or a secret. Longer than 1,024 characters it is cut. */
  readonly error: string;
  readonly status?: number | undefined;
  readonly attempts: number;
  readonly firstFailedAt: number | undefined;
}

const truncate = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);

const failureHeaders = ({
  source,
  reason,
  error,
  status,
  attempts,
  firstFailedAt,
}: FailureDetails): Record<string, string> => ({
  [headerNames.reason]: reason,
  [headerNames.error]: truncate(error, maxErrorChars),
  ...(status !== undefined && { [headerNames.status]: String(status) }),
  [headerNames.attempts]: String(attempts),
  ...(firstFailedAt !== undefined && { [headerNames.firstFailedAt]: toIso(firstFailedAt) }),
  [headerNames.topic]: source.topic,
  [headerNames.partition]: String(source.partition),
  [headerNames.offset]: source.offset,
  [headerNames.timestamp]: toIso(source.timestamp),
  [headerNames.id]: source.id,
  ...(source.topicId !== undefined && { [headerNames.topicId]: source.topicId }),
  ...(source.index !== undefined && { [headerNames.index]: String(source.index) }),
});

const isReplacedHeader = (name: string): boolean =>
  (name !== headerNames.redrives && Object.values<string>(headerNames).includes(name)) ||
  name.startsWith("__connect.errors.");

const isHeaderValue = (value: unknown): boolean =>
  value === null || typeof value === "string" || value instanceof Uint8Array;

/** Stands for null in a header to be written, which kafkajs 2.2.4 cannot do by itself (see `kafka/publish/write-null-headers.ts`). */
export const nullHeader: Uint8Array = new Uint8Array();

/** kafkajs reads for a name such as `constructor` what every object has of that name, before the value. */
const toWritableValue = (value: HeaderValue): HeaderValue =>
  Array.isArray(value)
    ? value.filter(isHeaderValue).map((element: SingleHeaderValue) => element ?? nullHeader)
    : (value ?? nullHeader);

const preservedHeaders = (headers: Headers): Record<string, HeaderValue> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      isReplacedHeader(name) ? [] : [[name, toWritableValue(value)] as const],
    ),
  );

/** The headers of a record on its way to a tier: the original ones unchanged, ours replaced, never appended. */
export const retryHeaders = (headers: Headers, failure: FailureDetails): Headers => ({
  ...preservedHeaders(headers),
  ...failureHeaders(failure),
});

/** The names that viewers of dead letters know from Kafka Connect. Source: Apache Kafka, `DeadLetterQueueReporter`. */
const connectHeaders = ({ source, reason, error }: FailureDetails): Record<string, string> => ({
  "__connect.errors.topic": source.topic,
  "__connect.errors.partition": String(source.partition),
  "__connect.errors.offset": source.offset,
  "__connect.errors.connector.name": "gainstream",
  "__connect.errors.task.id": "0",
  "__connect.errors.stage": reason === "undecodable" || reason === "unknown_schema" ? "VALUE_CONVERTER" : "TASK_PUT",
  "__connect.errors.class.name": "gainstream",
  "__connect.errors.exception.class.name": reason,
  "__connect.errors.exception.message": truncate(error, maxErrorChars),
});

/** The headers of a dead letter: those of a retry, and Kafka Connect's names beside them. */
export const deadLetterHeaders = (headers: Headers, failure: FailureDetails): Headers => ({
  ...retryHeaders(headers, failure),
  ...connectHeaders(failure),
});

/** Only ours, for a record whose own headers do not fit the topic any more. */
export const minimalHeaders = (failure: FailureDetails): Headers => ({
  ...failureHeaders(failure),
  ...connectHeaders(failure),
});
