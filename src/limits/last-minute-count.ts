const sliceCount = 12;
const sliceMs = 5_000;

/** The number of the 5 s slice that a time, in ms since 1970, belongs to. */
export const sliceOf = (wallNow: number): number => Math.floor(wallNow / sliceMs);

/** Counts what happened within the last minute, in 12 slices of 5 s. */
export class LastMinuteCount {
  readonly #sliceNumbers = Array.from({ length: sliceCount }, () => -sliceCount);
  readonly #counts = Array.from({ length: sliceCount }, () => 0);

  /** Counts one more in this slice. A slice never comes before an earlier call's. */
  increment(slice: number): void {
    const index = slice % sliceCount;
    const count = this.#sliceNumbers[index] === slice ? (this.#counts[index] ?? 0) : 0;
    this.#sliceNumbers[index] = slice;
    this.#counts[index] = count + 1;
  }

  /** The sum of the minute that ends with this slice. */
  sum(slice: number): number {
    return this.#counts.reduce((sum, count, index) => (this.#isCurrent(index, slice) ? sum + count : sum), 0);
  }

  #isCurrent(index: number, slice: number): boolean {
    return (this.#sliceNumbers[index] ?? 0) > slice - sliceCount;
  }
}
