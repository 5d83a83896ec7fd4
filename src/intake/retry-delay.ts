import { dueAt } from "../core/outcome/retry-plan.ts";

/** Milliseconds: by the wall, which records are stamped with and which may be wrong, and by a clock that only counts. */
export interface Clocks {
  readonly wallNow: () => number;
  readonly monotonicNow: () => number;
}

/** The log ended here, from this time to that, as far as is known. */
interface ObservedEnd {
  readonly endOffset: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
}

const maxObservedEnds = 64;

/**
 * When the head of a tier is due. The record's own time says so, but the clock that stamped it may be wrong. As far as the end
 * of the log has been watched, the head is never later than the delay from when it was there for certain, and never earlier
 * than the delay from when it was not there yet.
 */
export class RetryDelay {
  /** Ascending. */
  readonly #observedEnds: ObservedEnd[] = [];
  #head: { readonly offset: number; readonly at: number } | undefined;

  /** The log has been seen to end at `high`. */
  recordEndOffset(endOffset: number, monotonicMs: number): void {
    const newest = this.#observedEnds.at(-1);
    if (newest && endOffset < newest.endOffset) return;
    if (newest?.endOffset === endOffset) newest.lastSeenAt = monotonicMs;
    else this.#observedEnds.push({ endOffset, firstSeenAt: monotonicMs, lastSeenAt: monotonicMs });
    // A forgotten end only makes the bounds wider.
    if (this.#observedEnds.length > maxObservedEnds) this.#observedEnds.splice(1, 1);
  }

  /** Milliseconds until the head is due, 0 or less where it is. Decided when it is first seen, and by no wall clock after that. */
  remainingMs({ offset, timestamp }: { offset: number; timestamp: number }, delayMs: number, clocks: Clocks): number {
    const monotonicMs = clocks.monotonicNow();
    if (this.#head?.offset !== offset) {
      const now = clocks.wallNow();
      const dueByTimestamp = monotonicMs + dueAt(timestamp, delayMs, now) - now;
      const { absent: lastAbsent, present: firstSeen } = this.#writtenBetween(offset, monotonicMs);
      this.#head = { offset, at: Math.min(firstSeen + delayMs, Math.max(dueByTimestamp, lastAbsent + delayMs)) };
    }
    return this.#head.at - monotonicMs;
  }

  /** Between which times the record was written. What lies before it need not be known any longer. */
  #writtenBetween(offset: number, now: number): { absent: number; present: number } {
    const after = this.#observedEnds.findIndex(({ endOffset }) => endOffset > offset);
    const before = (after === -1 ? this.#observedEnds.length : after) - 1;
    const firstSeen = this.#observedEnds[after]?.firstSeenAt ?? now;
    const lastAbsent = this.#observedEnds[before]?.lastSeenAt ?? Number.NEGATIVE_INFINITY;
    if (before > 0) this.#observedEnds.splice(0, before);
    return { absent: lastAbsent, present: firstSeen };
  }
}
