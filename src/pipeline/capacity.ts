import type { Budget } from "../limits/memory-budget.ts";

export interface CapacityOptions {
  readonly budget: Budget;
  /** Per-key queues that may stand ready before no more records are read. */
  readonly maxReady: number;
  /** An operator's stop: nothing is read or started. */
  readonly isPaused: () => boolean;
}

/** Room for so many queues more is room enough to continue with a batch. */
const refillStep = 64;

/** "May more come in?": asked of the present state each time, never told. */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #ready: () => number;

  constructor(options: CapacityOptions, ready: () => number) {
    this.#options = options;
    this.#ready = ready;
  }

  /** No further record is wanted: memory is full, or so many queues could start already that more would only grow old. */
  get isFull(): boolean {
    const { budget, maxReady, isPaused } = this.#options;
    return budget.isFull || this.#ready() >= maxReady || isPaused();
  }

  /** Room for a handful more. In small steps, for while records are read answers wait, and connections stand idle. */
  get wantsMore(): boolean {
    const { budget, maxReady, isPaused } = this.#options;
    return budget.hasRoom && this.#ready() <= Math.max(maxReady / 2, maxReady - refillStep) && !isPaused();
  }

  /** Records are wanted again. Half of the limits, so that pausing and resuming do not flutter. */
  get hasRoom(): boolean {
    const { budget, maxReady, isPaused } = this.#options;
    return budget.hasRoom && this.#ready() <= maxReady / 2 && !isPaused();
  }
}
