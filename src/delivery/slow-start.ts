export interface ConcurrencyLimitOptions {
  /** The hard cap of calls in flight. */
  readonly max: number;
  /** Per call, in milliseconds: what slow means is measured by it. */
  readonly timeoutMs: number;
}

/** Fewer calls say too little of the target's latency. */
const minRoundCalls = 16;
/** A round whose mean is above twice the usual is slow. */
const slowFactor = 2;
/** No call counts for more than so many times the usual: where one in ten takes long, that is no queue. */
const maxSlowFactor = 8;
const reductionFactor = 0.8;
/** How much of a round that was faster than usual passes into what is. */
const baselineGain = 1 / 8;
/** In so many seconds careful growth leads from nothing to the cap, however fast the target answers. */
const linearGrowthSeconds = 32;

/**
 * How many calls may be in flight. After trouble from one upwards, doubling with every round up to the threshold, then
 * carefully, much as TCP does it (RFC 5681), so that a target that has just come back is not trampled down again. Fewer
 * while the target is twice as slow as usual: then calls queue there, and more of them would only wait longer.
 */
export class ConcurrencyLimit {
  readonly #max: number;
  /** Slowness cuts no deeper, so that a wrong guess never starves the stream. */
  readonly #min: number;
  #limit: number;
  #slowStartThreshold: number;
  /** The usual latency is never taken for less, so that fast targets are never cut. */
  readonly #minBaselineMs: number;
  #baselineMs = Number.POSITIVE_INFINITY;
  /** The last round was slow: no growth until one is not. */
  #isReducing = false;
  #roundSize = minRoundCalls;
  #roundCalls = 0;
  #roundTotalMs = 0;

  constructor({ max, timeoutMs }: ConcurrencyLimitOptions) {
    this.#max = max;
    this.#min = Math.max(1, max / 8);
    this.#limit = max;
    this.#slowStartThreshold = max;
    this.#minBaselineMs = timeoutMs / 40;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** One call went well, and took so long. */
  recordSuccess(tookMs: number): void {
    this.#roundCalls++;
    if (this.#roundCalls <= 0) return;
    this.#roundTotalMs += Math.min(tookMs, maxSlowFactor * this.#baselineMs);
    if (this.#limit < this.#max && !this.#isReducing) this.#grow(tookMs);
    if (this.#roundCalls >= this.#roundSize) this.#endRound();
  }

  /** The target was down: begin with one call, and grow to the full number. */
  restartAfterOutage(): void {
    this.#restart(this.#max);
  }

  /** The target was asked too much: begin with one call, and be careful from half of the former number on. */
  restartAfterThrottling(): void {
    this.#restart(Math.max(this.#min, this.#limit / 2));
  }

  #restart(threshold: number): void {
    this.#limit = 1;
    this.#slowStartThreshold = threshold;
    this.#isReducing = false;
    this.#beginRound(0);
  }

  /** Careful growth goes by time, for a round of a fast target is over at once; all calls take `limit` times that time. */
  #grow(tookMs: number): void {
    const isLinear = this.#limit >= this.#slowStartThreshold;
    const increment = isLinear ? ((tookMs / 1_000) * (this.#max / linearGrowthSeconds)) / this.#limit : 1;
    this.#limit = Math.min(this.#max, this.#limit + increment);
  }

  /** `skipped`: so many calls are in flight, and still show what the limit before did. */
  #beginRound(skippedCalls: number): void {
    this.#roundSize = Math.max(minRoundCalls, this.limit);
    this.#roundCalls = -skippedCalls;
    this.#roundTotalMs = 0;
  }

  #endRound(): void {
    const meanMs = this.#roundTotalMs / this.#roundCalls;
    const { limit } = this;
    this.#isReducing = meanMs > slowFactor * this.#baselineMs;
    if (this.#isReducing) this.#reduce(meanMs);
    else if (meanMs < this.#baselineMs) this.#updateBaseline(meanMs, baselineGain);
    this.#beginRound(this.#isReducing ? limit : 0);
  }

  #reduce(meanMs: number): void {
    const reduced = this.#limit * reductionFactor;
    // So few calls make no queue to speak of: the target itself has become slower, and this is what is usual now.
    if (reduced <= this.#min) this.#updateBaseline(meanMs, 1);
    this.#limit = Math.max(reduced, Math.min(this.#limit, this.#min));
    this.#slowStartThreshold = this.#limit;
  }

  #updateBaseline(meanMs: number, gain: number): void {
    const currentMs = Number.isFinite(this.#baselineMs) ? this.#baselineMs : meanMs;
    this.#baselineMs = Math.max(this.#minBaselineMs, currentMs + (meanMs - currentMs) * gain);
  }
}
