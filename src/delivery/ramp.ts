/**
 * How many calls may be in flight after trouble: from one upwards, doubling with every round up to the threshold, then by
 * one a round, as TCP does it (RFC 5681), so that a target that has just come back is not trampled down again.
 */
export class Ramp {
  readonly #max: number;
  #limit: number;
  #threshold: number;

  constructor(max: number) {
    this.#max = max;
    this.#limit = max;
    this.#threshold = max;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** One call went well. */
  succeeded(): void {
    if (this.#limit >= this.#max) return;
    this.#limit = Math.min(this.#max, this.#limit + (this.#limit < this.#threshold ? 1 : 1 / this.#limit));
  }

  /** The target was down: begin with one call, and grow to the full number. */
  restart(): void {
    this.#limit = 1;
    this.#threshold = this.#max;
  }

  /** The target was asked too much: begin with one call, and be careful from half of the former number on. */
  cut(): void {
    this.#threshold = Math.max(1, this.#limit / 2);
    this.#limit = 1;
  }
}
