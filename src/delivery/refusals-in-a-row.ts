import type { Refused } from "../core/outcome/outcome.ts";

/** So many events that are refused for the first time, in a row, speak for the key or the address; fewer may be odd ones. */
const refusalsInARow = 5;

interface Refusal {
  /** How the event has fared before. */
  readonly refused: Refused;
  /** Other calls under way, which will say more. */
  readonly underWay: number;
}

/** Whether refusals (401, 403, 404, 405, 3xx) speak of all events. */
export class RefusalRow {
  #goesThrough = false;
  #count = 0;

  /** A call has gone through since the gate last closed. */
  get goesThrough(): boolean {
    return this.#goesThrough;
  }

  passed(): void {
    this.#goesThrough = true;
    this.#count = 0;
  }

  /** A call was refused; true if that speaks of all. */
  add({ refused, underWay }: Refusal): boolean {
    if (refused === "alone" || refused === "suspect") return false;
    if (refused === "never") this.#count++;
    return underWay === 0 || this.#count >= refusalsInARow;
  }

  /** The gate has closed. */
  restart(): void {
    this.#goesThrough = false;
    this.#count = 0;
  }
}
