import { isoOf, nearestTime } from "../event/iso.ts";

type OneValue = Uint8Array | string | null;

/** Header values as Kafka clients give and take them; a repeated header is an array. */
export type HeaderValue = OneValue | readonly OneValue[] | undefined;
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
export interface Origin {
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
export interface Past {
  readonly origin: Origin;
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

const textOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  const last = Array.isArray(value) ? (value.at(-1) as OneValue | undefined) : value;
  if (last === undefined || last === null) return undefined;
  return typeof last === "string" ? last : decoder.decode(last as Uint8Array);
};

const countOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

const timeOf = (text: string | undefined): number | undefined => {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
};

export const originOf = ({ topic, partition, offset, timestamp, topicId }: Omit<Origin, "id" | "index">): Origin => ({
  id: `${topic}-${partition}-${offset}`,
  topic,
  partition,
  offset,
  timestamp,
  topicId,
});

/** What no two events have in common: a topic that was made anew gives the same ids once more, but at another time. */
export const eventKeyOf = ({ id, timestamp }: Pick<Origin, "id" | "timestamp">): string =>
  `${id}@${nearestTime(timestamp)}`;

/** The key of the record that an event came in, whether alone or in a list. */
export const recordKeyOf = (origin: Origin): string => eventKeyOf(originOf(origin));

/** The origin of one event of a record that holds a list. */
export const originInList = (record: Origin, index: number): Origin => ({
  ...record,
  id: `${record.id}#${index}`,
  index,
});

/** A name that Kafka allows: a foreign header must not swell ours. */
const isTopicName = (text: string | undefined): text is string =>
  text !== undefined && /^[a-zA-Z0-9._-]{1,249}$/.test(text);

/** 16 bytes in base64url. */
const topicIdOf = (text: string | undefined): string | undefined =>
  text !== undefined && /^[\w-]{22}$/.test(text) ? text : undefined;

const readOrigin = (headers: Headers): Origin | undefined => {
  const topic = textOf(headers, headerNames.topic);
  const partition = countOf(textOf(headers, headerNames.partition));
  const offset = countOf(textOf(headers, headerNames.offset));
  const timestamp = timeOf(textOf(headers, headerNames.timestamp));
  if (!isTopicName(topic) || partition === undefined || offset === undefined || timestamp === undefined)
    return undefined;
  const topicId = topicIdOf(textOf(headers, headerNames.topicId));
  const origin = originOf({ topic, partition, offset: String(offset), timestamp, topicId });
  const index = countOf(textOf(headers, headerNames.index));
  return index === undefined ? origin : originInList(origin, index);
};

/**
 * Reads our headers off a record of a tier. What is missing, foreign or broken counts as absent: a record without a
 * readable origin is its own origin, as if it had been read from a source here.
 */
export const readPast = (headers: Headers, here: Origin): Past => ({
  origin: readOrigin(headers) ?? here,
  attempts: countOf(textOf(headers, headerNames.attempts)) ?? 0,
  firstFailedAt: timeOf(textOf(headers, headerNames.firstFailedAt)),
  reason: textOf(headers, headerNames.reason),
  status: countOf(textOf(headers, headerNames.status)),
});

/** Why and how a record goes to a tier or to the dead-letter topic. */
export interface Failure {
  readonly origin: Origin;
  readonly reason: string;
  /** One sentence; never a payload or a secret. Longer than 1,024 characters it is cut. */
  readonly error: string;
  readonly status?: number | undefined;
  readonly attempts: number;
  readonly firstFailedAt: number | undefined;
}

const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);

const ours = ({ origin, reason, error, status, attempts, firstFailedAt }: Failure): Record<string, string> => ({
  [headerNames.reason]: reason,
  [headerNames.error]: cut(error, maxErrorChars),
  ...(status !== undefined && { [headerNames.status]: String(status) }),
  [headerNames.attempts]: String(attempts),
  ...(firstFailedAt !== undefined && { [headerNames.firstFailedAt]: isoOf(firstFailedAt) }),
  [headerNames.topic]: origin.topic,
  [headerNames.partition]: String(origin.partition),
  [headerNames.offset]: origin.offset,
  [headerNames.timestamp]: isoOf(origin.timestamp),
  [headerNames.id]: origin.id,
  ...(origin.topicId !== undefined && { [headerNames.topicId]: origin.topicId }),
  ...(origin.index !== undefined && { [headerNames.index]: String(origin.index) }),
});

const isReplaced = (name: string): boolean =>
  (name !== headerNames.redrives && Object.values<string>(headerNames).includes(name)) ||
  name.startsWith("__connect.errors.");

const isValue = (value: unknown): boolean => value === null || typeof value === "string" || value instanceof Uint8Array;

/** Stands for null in a header to be written, which kafkajs 2.2.4 cannot do by itself (see `kafka/publish/write-null-headers.ts`). */
export const nullHeader: Uint8Array = new Uint8Array();

/** kafkajs reads for a name such as `constructor` what every object has of that name, before the value. */
const writable = (value: HeaderValue): HeaderValue =>
  Array.isArray(value) ? value.filter(isValue).map((one: OneValue) => one ?? nullHeader) : (value ?? nullHeader);

const theirs = (headers: Headers): Record<string, HeaderValue> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (isReplaced(name) ? [] : [[name, writable(value)] as const])),
  );

/** The headers of a record on its way to a tier: the original ones unchanged, ours replaced, never appended. */
export const retryHeaders = (headers: Headers, failure: Failure): Headers => ({ ...theirs(headers), ...ours(failure) });

/** The names that viewers of dead letters know from Kafka Connect. Source: Apache Kafka, `DeadLetterQueueReporter`. */
const connectHeaders = ({ origin, reason, error }: Failure): Record<string, string> => ({
  "__connect.errors.topic": origin.topic,
  "__connect.errors.partition": String(origin.partition),
  "__connect.errors.offset": origin.offset,
  "__connect.errors.connector.name": "gainstream",
  "__connect.errors.task.id": "0",
  "__connect.errors.stage": reason === "undecodable" || reason === "unknown_schema" ? "VALUE_CONVERTER" : "TASK_PUT",
  "__connect.errors.class.name": "gainstream",
  "__connect.errors.exception.class.name": reason,
  "__connect.errors.exception.message": cut(error, maxErrorChars),
});

/** The headers of a dead letter: those of a retry, and Kafka Connect's names beside them. */
export const deadLetterHeaders = (headers: Headers, failure: Failure): Headers => ({
  ...retryHeaders(headers, failure),
  ...connectHeaders(failure),
});

/** Only ours, for a record whose own headers do not fit the topic any more. */
export const bareHeaders = (failure: Failure): Headers => ({ ...ours(failure), ...connectHeaders(failure) });
