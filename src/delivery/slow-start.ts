export interface RampOptions {
  /** The hard cap of calls in flight. */
  readonly max: number;
  /** Per call, in milliseconds: what slow means is measured by it. */
  readonly timeoutMs: number;
}

/** Fewer calls say too little of the target's latency. */
const leastCallsOfRound = 16;
/** A round whose mean is above twice the usual is slow. */
const slow = 2;
/** No call counts for more than so many times the usual: where one in ten takes long, that is no queue. */
const slowest = 8;
const easedTo = 0.8;
/** How much of a round that was faster than usual passes into what is. */
const learned = 1 / 8;
/** In so many seconds careful growth leads from nothing to the cap, however fast the target answers. */
const careSeconds = 32;

/**
 * How many calls may be in flight. After trouble from one upwards, doubling with every round up to the threshold, then
 * carefully, much as TCP does it (RFC 5681), so that a target that has just come back is not trampled down again. Fewer
 * while the target is twice as slow as usual: then calls queue there, and more of them would only wait longer.
 */
export class Ramp {
  readonly #max: number;
  /** Slowness cuts no deeper, so that a wrong guess never starves the stream. */
  readonly #lowest: number;
  #limit: number;
  #threshold: number;
  /** The usual latency is never taken for less, so that fast targets are never cut. */
  readonly #leastUsualMs: number;
  #usualMs = Number.POSITIVE_INFINITY;
  /** The last round was slow: no growth until one is not. */
  #isEasing = false;
  #roundSize = leastCallsOfRound;
  #roundCalls = 0;
  #roundMs = 0;

  constructor({ max, timeoutMs }: RampOptions) {
    this.#max = max;
    this.#lowest = Math.max(1, max / 8);
    this.#limit = max;
    this.#threshold = max;
    this.#leastUsualMs = timeoutMs / 40;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** One call went well, and took so long. */
  succeeded(tookMs: number): void {
    this.#roundCalls++;
    if (this.#roundCalls <= 0) return;
    this.#roundMs += Math.min(tookMs, slowest * this.#usualMs);
    if (this.#limit < this.#max && !this.#isEasing) this.#grow(tookMs);
    if (this.#roundCalls >= this.#roundSize) this.#endRound();
  }

  /** The target was down: begin with one call, and grow to the full number. */
  restart(): void {
    this.#beginAgain(this.#max);
  }

  /** The target was asked too much: begin with one call, and be careful from half of the former number on. */
  cut(): void {
    this.#beginAgain(Math.max(this.#lowest, this.#limit / 2));
  }

  #beginAgain(threshold: number): void {
    this.#limit = 1;
    this.#threshold = threshold;
    this.#isEasing = false;
    this.#beginRound(0);
  }

  /** Careful growth goes by time, for a round of a fast target is over at once; all calls take `limit` times that time. */
  #grow(tookMs: number): void {
    const isCareful = this.#limit >= this.#threshold;
    const step = isCareful ? ((tookMs / 1_000) * (this.#max / careSeconds)) / this.#limit : 1;
    this.#limit = Math.min(this.#max, this.#limit + step);
  }

  /** `skipped`: so many calls are in flight, and still show what the limit before did. */
  #beginRound(skipped: number): void {
    this.#roundSize = Math.max(leastCallsOfRound, this.limit);
    this.#roundCalls = -skipped;
    this.#roundMs = 0;
  }

  #endRound(): void {
    const meanMs = this.#roundMs / this.#roundCalls;
    const { limit } = this;
    this.#isEasing = meanMs > slow * this.#usualMs;
    if (this.#isEasing) this.#ease(meanMs);
    else if (meanMs < this.#usualMs) this.#learn(meanMs, learned);
    this.#beginRound(this.#isEasing ? limit : 0);
  }

  #ease(meanMs: number): void {
    const eased = this.#limit * easedTo;
    // So few calls make no queue to speak of: the target itself has become slower, and this is what is usual now.
    if (eased <= this.#lowest) this.#learn(meanMs, 1);
    this.#limit = Math.max(eased, Math.min(this.#limit, this.#lowest));
    this.#threshold = this.#limit;
  }

  #learn(meanMs: number, share: number): void {
    const knownMs = Number.isFinite(this.#usualMs) ? this.#usualMs : meanMs;
    this.#usualMs = Math.max(this.#leastUsualMs, knownMs + (meanMs - knownMs) * share);
  }
}
