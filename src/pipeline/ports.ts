import type { Call } from "../core/decide.ts";
import type { Failure } from "../core/outcome/headers.ts";
import type { Outcome, Refused, Verdict } from "../core/outcome/outcome.ts";
import type { Arrival } from "../core/parsed-record.ts";

export interface AttemptOptions {
  /** False for the repetitions of one round. */
  readonly isFirst: boolean;
  readonly refused: Refused;
}

/** What the stream needs of Gainsight. */
export interface DeliveryPort {
  readonly state: "open" | "probe" | "closed";
  /** Nothing moves but a probe: the target's trouble, not that of an event. */
  readonly isHeld: boolean;
  /** Makes a call. Its one verdict comes in a turn of its own, never before this returns. */
  attempt(call: Call, options: AttemptOptions, onVerdict: (verdict: Verdict) => void): void;
}

/** A failure that waits in a tier, on the partition number it came from. */
export type TierFailure = Failure & { readonly tier: number; readonly partition: number };

/** An event on its way into a tier, in a copy of its record. */
export interface Move {
  readonly arrival: Arrival;
  readonly failure: TierFailure;
}

/** What the stream needs of the retry tiers and the dead-letter topic. Both try until the write is acknowledged. */
export interface SettlePort {
  /**
   * Writes records that go to the same tier and partition, one or more, in this order and without a gap. Resolves with the
   * offset of the first; undefined where shutdown came first, or nobody wanted it any more.
   */
  retry(moves: readonly Move[], isWanted: () => boolean): Promise<number | "too_large" | undefined>;
  /** Resolves with true when it is safe; false where shutdown came first, or nobody wanted it any more. */
  dead(arrival: Arrival, failure: Failure, isWanted: () => boolean): Promise<boolean>;
}

/** What the stream tells of itself. */
export interface Observer {
  /** An event has reached its final outcome. */
  finished(arrival: Arrival, outcome: Exclude<Outcome, { kind: "retry" }>): void;
  /** An event waits in a tier: it failed, or an earlier one of its user did. */
  moved(arrival: Arrival, failure: TierFailure): void;
}

export interface Clock {
  readonly now: () => number;
  readonly random: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Calls back when what the present turn of the event loop has brought is done with. */
  readonly nextTurn: (callback: () => void) => void;
}
