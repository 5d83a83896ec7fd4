import { dueAt } from "../core/retry-plan.ts";

/** Milliseconds: by the wall, which records are stamped with and which may be wrong, and by a clock that only counts. */
export interface Clocks {
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** The log ended here at this time. */
interface End {
  readonly high: number;
  at: number;
}

const maxEnds = 64;

/**
 * When the head of a tier is due. The record's own time says so, but the clock that stamped it may be wrong: the head is never
 * later than the delay from when it is first seen, and, as far as the end of the log has been watched, never earlier than the
 * delay from when it was not there yet.
 */
export class Due {
  /** Ascending. */
  readonly #ends: End[] = [];
  #head: { readonly offset: number; readonly at: number } | undefined;

  /** The log has been seen to end at `high`. */
  ended(high: number, monotonic: number): void {
    const last = this.#ends.at(-1);
    if (last && high < last.high) return;
    if (last?.high === high) last.at = monotonic;
    else this.#ends.push({ high, at: monotonic });
    // A forgotten end only makes the bound earlier.
    if (this.#ends.length > maxEnds) this.#ends.splice(1, 1);
  }

  /** Milliseconds until the head is due, 0 or less where it is. Decided when it is first seen, and by no wall clock after that. */
  inMs({ offset, timestamp }: { offset: number; timestamp: number }, delayMs: number, clocks: Clocks): number {
    const monotonic = clocks.monotonic();
    if (this.#head?.offset !== offset) {
      const now = clocks.now();
      const byRecord = monotonic + dueAt(timestamp, delayMs, now) - now;
      const at = Math.min(monotonic + delayMs, Math.max(byRecord, this.#notBefore(offset) + delayMs));
      this.#head = { offset, at };
    }
    return this.#head.at - monotonic;
  }

  /** The record was written after this; what lies before the record need not be known any longer. */
  #notBefore(offset: number): number {
    const after = this.#ends.findIndex(({ high }) => high > offset);
    const index = after === -1 ? this.#ends.length - 1 : after - 1;
    if (index > 0) this.#ends.splice(0, index);
    return index < 0 ? Number.NEGATIVE_INFINITY : (this.#ends[0]?.at ?? Number.NEGATIVE_INFINITY);
  }
}
