import type { RefusalHistory } from "../core/outcome/outcome.ts";

/** So many different events, refused one after the other, prove a wrong access key or address. Fewer may be odd events. */
const longSeries = 5;

/** The event was refused while others succeeded: another refusal of it says nothing about other events. */
export const isOfOneEvent = (history: RefusalHistory): boolean => history === "alone" || history === "suspect";

/** Counts events refused (401, 403, 404, 405, 3xx) one after the other, to tell a wrong access key or address from odd events. */
export class ConsecutiveRefusals {
  #hasSuccess = false;
  #count = 0;

  /** A call has succeeded since the gate last closed. */
  get hasSuccess(): boolean {
    return this.#hasSuccess;
  }

  get isLongSeries(): boolean {
    return this.#count >= longSeries;
  }

  recordSuccess(): void {
    this.#hasSuccess = true;
    this.#count = 0;
  }

  /** A call was refused. Only the first refusal of an event counts. */
  recordRefusal(history: RefusalHistory): void {
    if (history === "never") this.#count++;
  }

  /** The gate has closed. */
  reset(): void {
    this.#hasSuccess = false;
    this.#count = 0;
  }
}
