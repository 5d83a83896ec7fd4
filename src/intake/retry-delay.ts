import { dueAt } from "../core/outcome/retry-plan.ts";

/** Milliseconds: by the wall, which records are stamped with and which may be wrong, and by a clock that only counts. */
export interface Clocks {
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** The log ended here, from this time to that, as far as is known. */
interface End {
  readonly high: number;
  readonly first: number;
  last: number;
}

const maxEnds = 64;

/**
 * When the head of a tier is due. The record's own time says so, but the clock that stamped it may be wrong. As far as the end
 * of the log has been watched, the head is never later than the delay from when it was there for certain, and never earlier
 * than the delay from when it was not there yet.
 */
export class Due {
  /** Ascending. */
  readonly #ends: End[] = [];
  #head: { readonly offset: number; readonly at: number } | undefined;

  /** The log has been seen to end at `high`. */
  ended(high: number, monotonic: number): void {
    const last = this.#ends.at(-1);
    if (last && high < last.high) return;
    if (last?.high === high) last.last = monotonic;
    else this.#ends.push({ high, first: monotonic, last: monotonic });
    // A forgotten end only makes the bounds wider.
    if (this.#ends.length > maxEnds) this.#ends.splice(1, 1);
  }

  /** Milliseconds until the head is due, 0 or less where it is. Decided when it is first seen, and by no wall clock after that. */
  inMs({ offset, timestamp }: { offset: number; timestamp: number }, delayMs: number, clocks: Clocks): number {
    const monotonic = clocks.monotonic();
    if (this.#head?.offset !== offset) {
      const now = clocks.now();
      const byRecord = monotonic + dueAt(timestamp, delayMs, now) - now;
      const { absent, present } = this.#written(offset, monotonic);
      this.#head = { offset, at: Math.min(present + delayMs, Math.max(byRecord, absent + delayMs)) };
    }
    return this.#head.at - monotonic;
  }

  /** Between which times the record was written. What lies before it need not be known any longer. */
  #written(offset: number, now: number): { absent: number; present: number } {
    const after = this.#ends.findIndex(({ high }) => high > offset);
    const before = (after === -1 ? this.#ends.length : after) - 1;
    const present = this.#ends[after]?.first ?? now;
    const absent = this.#ends[before]?.last ?? Number.NEGATIVE_INFINITY;
    if (before > 0) this.#ends.splice(0, before);
    return { absent, present };
  }
}
