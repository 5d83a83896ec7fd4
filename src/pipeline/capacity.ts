import type { MemoryBudget } from "../limits/memory-budget.ts";

export interface CapacityOptions {
  readonly budget: MemoryBudget;
  /** Per-key queues that may stand ready before no more records are read. */
  readonly maxReadyQueues: number;
  /** An operator's stop: nothing is read or started. */
  readonly isPaused: () => boolean;
}

/** Room for so many queues more is room enough to continue with a batch. */
const continueStep = 64;

/** "May more come in?": asked of the present state each time, never told. */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #readyQueues: () => number;

  constructor(options: CapacityOptions, readyQueues: () => number) {
    this.#options = options;
    this.#readyQueues = readyQueues;
  }

  /** No further record is wanted: memory is full, or so many queues could start already that more would only grow old. */
  get isFull(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return budget.isFull || this.#readyQueues() >= maxReadyQueues || isPaused();
  }

  /** Room for a handful more. In small steps, for while records are read answers wait, and connections stand idle. */
  get mayContinueBatch(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return (
      budget.isHalfFree &&
      this.#readyQueues() <= Math.max(maxReadyQueues / 2, maxReadyQueues - continueStep) &&
      !isPaused()
    );
  }

  /** Records are wanted again. Half of the limits, so that pausing and resuming do not flutter. */
  get mayResume(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return budget.isHalfFree && this.#readyQueues() <= maxReadyQueues / 2 && !isPaused();
  }
}
