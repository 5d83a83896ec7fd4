import { toIso } from "../event/iso.ts";
import { type FailureDetails, type HeaderValue, type Headers, type SingleHeaderValue, headerNames } from "./headers.ts";

const maxErrorChars = 1_024;

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

/**
 * Marks a header value to be written as null. kafkajs 2.2.4 cannot write null; `kafka/publish/write-null-headers.ts` recognises this
 * object.
 */
export const nullHeader: Uint8Array = new Uint8Array();

/**
 * Replaces null and removes what kafkajs cannot write. For a header named `constructor`, kafkajs reads the function that every object
 * inherits and returns an array of the function and the value.
 */
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

/** The headers of a record for a retry topic: the original headers unchanged, and gainstream's headers replaced, never appended. */
export const retryHeaders = (headers: Headers, failure: FailureDetails): Headers => ({
  ...preservedHeaders(headers),
  ...failureHeaders(failure),
});

/**
 * The header names of Kafka Connect's dead letters, which viewers of dead letters know. Source:
 * https://github.com/apache/kafka/blob/trunk/connect/runtime/src/main/java/org/apache/kafka/connect/runtime/errors/DeadLetterQueueReporter.java
 */
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

/** The headers of a dead letter: those of a retry, and those of Kafka Connect. */
export const deadLetterHeaders = (headers: Headers, failure: FailureDetails): Headers => ({
  ...retryHeaders(headers, failure),
  ...connectHeaders(failure),
});

/** gainstream's and Kafka Connect's headers only, for a record that is too large for the topic with its own headers. */
export const minimalHeaders = (failure: FailureDetails): Headers => ({
  ...failureHeaders(failure),
  ...connectHeaders(failure),
});
