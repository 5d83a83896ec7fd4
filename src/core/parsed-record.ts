import type { Call } from "./decide.ts";
import type { Repair } from "./event/repairs.ts";
import type { Headers, RetryState } from "./outcome/headers.ts";
import type { Dead, Retry, Skipped } from "./outcome/outcome.ts";
import type { EventType } from "./rules/validate.ts";

/** A record as read from Kafka. Its key, value and headers are written unchanged to the retry topics and the dead-letter topic. */
export interface KafkaRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/**
 * One parsed event of one record, with the decision about it. A record whose value is a list of events has one `ParsedRecord` per
 * event, all with the same `record`.
 */
export interface ParsedRecord {
  readonly record: KafkaRecord;
  /** The ordering key: events of one user are delivered one after the other. */
  readonly user: string;
  /** Segment's id of the event; undefined if the event has none. */
  readonly messageId?: string | undefined;
  /** `unknown` if there is no valid event. */
  readonly type: EventType | "unknown";
  /** The call to make, or the outcome of an event that needs no call. */
  readonly decision: Call | Skipped | Dead | Retry;
  readonly retryState: RetryState;
  /** The repairs made to the event, each name once. */
  readonly repairs: readonly Repair[];
}
