export interface ConcurrencyLimitOptions {
  /** The highest number of calls in flight. */
  readonly max: number;
  /** Per call, in milliseconds. It is the scale for what a slow call is. */
  readonly timeoutMs: number;
}

/** Fewer calls say too little about the target's latency. */
const minRoundCalls = 16;
/** A round is slow if its mean latency is above this multiple of the baseline. */
const slowFactor = 2;
/** One call counts for at most this multiple of the baseline: if one in ten calls takes long, that is no queue. */
const maxSlowFactor = 8;
const reductionFactor = 0.8;
/** How much of a round that was faster than the baseline goes into the baseline. */
const baselineGain = 1 / 8;
/** Linear growth takes this long from nothing to the maximum, at any latency. */
const linearGrowthSeconds = 32;

/**
 * How many calls may be in flight. After an outage or throttling the limit starts at one, doubles with every round up to a
 * threshold and then grows linearly, so that a target that has just recovered is not overloaded again. This is slow start
 * and congestion avoidance as in TCP: https://www.rfc-editor.org/rfc/rfc5681#section-3.1. The limit falls while the target is
 * twice as slow as usual: then calls queue there, and more of them would only wait longer.
 */
export class ConcurrencyLimit {
  readonly #max: number;
  /** Slow rounds cut no deeper, so that a wrong guess never starves the stream. */
  readonly #min: number;
  #limit: number;
  #slowStartThreshold: number;
  /** The baseline is never lower, so that a fast target is never cut. */
  readonly #minBaselineMs: number;
  /** The usual latency. */
  #baselineMs = Number.POSITIVE_INFINITY;
  /** The last round was slow: the limit does not grow until a round is not. */
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

  recordSuccess(tookMs: number): void {
    this.#roundCalls++;
    if (this.#roundCalls <= 0) return;
    this.#roundTotalMs += Math.min(tookMs, maxSlowFactor * this.#baselineMs);
    if (this.#limit < this.#max && !this.#isReducing) this.#grow(tookMs);
    if (this.#roundCalls >= this.#roundSize) this.#endRound();
  }

  /** The target was down: starts with one call and doubles up to the maximum. */
  restartAfterOutage(): void {
    this.#restart(this.#max);
  }

  /** The target throttles: starts with one call and grows linearly from half of the last limit on. */
  restartAfterThrottling(): void {
    this.#restart(Math.max(this.#min, this.#limit / 2));
  }

  #restart(threshold: number): void {
    this.#limit = 1;
    this.#slowStartThreshold = threshold;
    this.#isReducing = false;
    this.#beginRound(0);
  }

  /** Linear growth goes by time, not by rounds: a fast target ends a round at once. All calls together take `limit` times that time. */
  #grow(tookMs: number): void {
    const isLinear = this.#limit >= this.#slowStartThreshold;
    const increment = isLinear ? ((tookMs / 1_000) * (this.#max / linearGrowthSeconds)) / this.#limit : 1;
    this.#limit = Math.min(this.#max, this.#limit + increment);
  }

  /** The first `skippedCalls` do not count: they are in flight already, and show the effect of the limit before. */
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
    // So few calls make no queue: the target itself has become slower, and this latency is the new baseline.
    if (reduced <= this.#min) this.#updateBaseline(meanMs, 1);
    this.#limit = Math.max(reduced, Math.min(this.#limit, this.#min));
    this.#slowStartThreshold = this.#limit;
  }

  #updateBaseline(meanMs: number, gain: number): void {
    const currentMs = Number.isFinite(this.#baselineMs) ? this.#baselineMs : meanMs;
    this.#baselineMs = Math.max(this.#minBaselineMs, currentMs + (meanMs - currentMs) * gain);
  }
}
