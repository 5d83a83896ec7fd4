import type { Call } from "../core/decide.ts";
import type { FailureDetails } from "../core/outcome/headers.ts";
import type { Outcome, RefusalHistory, Verdict } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";

export interface AttemptOptions {
  /** False for the quick retries of a round. */
  readonly isFirst: boolean;
  /** The event's earlier refusals. */
  readonly refusalHistory: RefusalHistory;
}

/** Delivery to Gainsight, as the pipeline uses it. */
export interface DeliveryPort {
  /** `open`: calls start freely; `probe`: one call may start, to test a target on hold; `closed`: no call may start. */
  readonly state: "open" | "probe" | "closed";
  /** Whether the target is on hold: all events wait, except probes. */
  readonly isHeld: boolean;
  /** Starts a call. `onVerdict` runs once, in a later turn of the event loop, never before `attempt` returns. */
  attempt(call: Call, options: AttemptOptions, onVerdict: (verdict: Verdict) => void): void;
}

/** The failure of an event that moves to retry topic number `tier`, into the partition number of its source. */
export type RetryDetails = FailureDetails & { readonly tier: number; readonly partition: number };

/** An event that is written to a retry topic as a copy of its record. */
export interface RetryRecord {
  readonly parsed: ParsedRecord;
  readonly failure: RetryDetails;
}

/** Writes to the retry topics and the dead-letter topic. Both methods retry until Kafka acknowledges the write. */
export interface PublisherPort {
  /**
   * Writes one or more records to one partition of one retry topic, in this order and at consecutive offsets. Resolves with the
   * offset of the first record; with `too_large` if the topic does not accept a request of this size; with undefined if
   * the service stops or `isWanted` returns false before the write is acknowledged.
   */
  publishRetries(records: readonly RetryRecord[], isWanted: () => boolean): Promise<number | "too_large" | undefined>;
  /**
   * Resolves with true once the dead letter is acknowledged; with false if the service stops or `isWanted` returns false
   * before.
   */
  publishDeadLetter(parsed: ParsedRecord, failure: FailureDetails, isWanted: () => boolean): Promise<boolean>;
}

/** What the pipeline reports, for log and metrics. */
export interface Observer {
  /** An event has reached its final outcome. */
  completed(parsed: ParsedRecord, outcome: Exclude<Outcome, { kind: "retry" }>): void;
  /** An event was written to a retry topic: it failed, or it follows an earlier event of its user. */
  movedToRetry(parsed: ParsedRecord, failure: RetryDetails): void;
}

/** Time, timers and randomness. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
}
