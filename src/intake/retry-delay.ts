import { dueAt } from "../core/outcome/retry-plan.ts";

/** Two clocks, in milliseconds. */
export interface Clocks {
  /** Since 1970. May be wrong, and may be set back; record timestamps come from such clocks. */
  readonly wallNow: () => number;
  /** Since some fixed moment. Never set back. */
  readonly monotonicNow: () => number;
}

/** An end offset of the log, and when it was seen first and last, by the monotonic clock. */
interface ObservedEnd {
  readonly endOffset: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
}

/** The times between which a record was written, by the monotonic clock. */
interface WriteBounds {
  /** The last time the log was seen to end before the record. */
  readonly lastAbsentAt: number;
  /** The first time the log was seen to contain the record. */
  readonly firstSeenAt: number;
}

const maxObservedEnds = 64;

/**
 * Decides when the head of a retry topic is due. By its timestamp it is due at `timestamp + delay`, but the clock that
 * wrote the timestamp may be wrong. So the end offsets of the log, seen while the partition is owned, give bounds: the
 * record was written between two end-offset polls. It becomes due no earlier than `lastAbsentAt + delay` and no later than
 * `firstSeenAt + delay`, whatever its timestamp says.
 */
export class RetryDelay {
  /** In ascending order. */
  readonly #observedEnds: ObservedEnd[] = [];
  #head: { readonly offset: number; readonly dueAt: number } | undefined;

  /** The log ended at `endOffset` at this time of the monotonic clock. */
  recordEndOffset(endOffset: number, monotonicMs: number): void {
    const newest = this.#observedEnds.at(-1);
    if (newest && endOffset < newest.endOffset) return;
    if (newest?.endOffset === endOffset) newest.lastSeenAt = monotonicMs;
    else this.#observedEnds.push({ endOffset, firstSeenAt: monotonicMs, lastSeenAt: monotonicMs });
    // Without one of the ends the bounds are only wider.
    if (this.#observedEnds.length > maxObservedEnds) this.#observedEnds.splice(1, 1);
  }

  /**
   * The record at `offset` is the head now. Decides once when it is due, so that later changes of the wall clock do not matter.
   * `timestamp` and `delayMs` are in milliseconds.
   */
  recordHead({ offset, timestamp }: { offset: number; timestamp: number }, delayMs: number, clocks: Clocks): void {
    if (this.#head?.offset === offset) return;
    const monotonicMs = clocks.monotonicNow();
    const wallMs = clocks.wallNow();
    const dueByTimestamp = monotonicMs + dueAt(timestamp, delayMs, wallMs) - wallMs;
    const { lastAbsentAt, firstSeenAt } = this.#writeBoundsOf(offset, monotonicMs);
    const earliest = lastAbsentAt + delayMs;
    const latest = firstSeenAt + delayMs;
    this.#head = { offset, dueAt: Math.min(latest, Math.max(dueByTimestamp, earliest)) };
    this.#forgetEndsBefore(offset);
  }

  /** Milliseconds until the head is due; 0 or less if it is due, or if there is no head. */
  remainingMs(monotonicMs: number): number {
    return this.#head ? this.#head.dueAt - monotonicMs : 0;
  }

  #writeBoundsOf(offset: number, monotonicMs: number): WriteBounds {
    const lastAbsent = this.#observedEnds.findLast(({ endOffset }) => endOffset <= offset);
    const firstSeen = this.#observedEnds.find(({ endOffset }) => endOffset > offset);
    return {
      lastAbsentAt: lastAbsent?.lastSeenAt ?? Number.NEGATIVE_INFINITY,
      firstSeenAt: firstSeen?.firstSeenAt ?? monotonicMs,
    };
  }

  /** Keeps the last end at or before the offset, and all later ends. */
  #forgetEndsBefore(offset: number): void {
    const last = this.#observedEnds.findLastIndex(({ endOffset }) => endOffset <= offset);
    if (last > 0) this.#observedEnds.splice(0, last);
  }
}
