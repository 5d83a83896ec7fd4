import type { RefusalHistory } from "../core/outcome/outcome.ts";

/** So many events that are refused for the first time, in a row, speak for the key or the address; fewer may be odd ones. */
const maxConsecutiveRefusals = 5;

interface Refusal {
  /** How the event has fared before. */
  readonly refused: RefusalHistory;
  /** Other calls under way, which will say more. */
  readonly otherCallsInFlight: number;
}

/** Whether refusals (401, 403, 404, 405, 3xx) speak of all events. */
export class ConsecutiveRefusals {
  #hasSuccess = false;
  #count = 0;

  /** A call has gone through since the gate last closed. */
  get hasSuccess(): boolean {
    return this.#hasSuccess;
  }

  recordSuccess(): void {
    this.#hasSuccess = true;
    this.#count = 0;
  }

  /** A call was refused; true if that speaks of all. */
  addRefusal({ refused, otherCallsInFlight }: Refusal): boolean {
    if (refused === "alone" || refused === "suspect") return false;
    if (refused === "never") this.#count++;
    return otherCallsInFlight === 0 || this.#count >= maxConsecutiveRefusals;
  }

  /** The gate has closed. */
  reset(): void {
    this.#hasSuccess = false;
    this.#count = 0;
  }
}
