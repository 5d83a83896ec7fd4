import type { Call } from "./decide.ts";
import type { Repair } from "./event/repairs.ts";
import type { Headers, Past } from "./outcome/headers.ts";
import type { Dead, Retry, Skipped } from "./outcome/outcome.ts";

/** A record as it was read from Kafka: its bytes and headers travel unchanged to the tiers and the dead-letter topic. */
export interface KafkaRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** An event that has been understood, with the record it came in: whose it is, what it means, and what became of it before. */
export interface Arrival {
  readonly record: KafkaRecord;
  /** Orders the record: events of one user are worked on one after the other. */
  readonly user: string;
  /** Segment's own id of the event, where it has one. */
  readonly messageId?: string | undefined;
  readonly type: "identify" | "track" | "group" | "other" | "unknown";
  /** A call to make, or an outcome that is clear without one. */
  readonly meaning: Call | Skipped | Dead | Retry;
  readonly past: Past;
  /** What had to be repaired to understand the event. */
  readonly repairs: readonly Repair[];
}
