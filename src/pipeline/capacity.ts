import type { MemoryBudget } from "../limits/memory-budget.ts";

export interface CapacityOptions {
  readonly budget: MemoryBudget;
  /** Reading stops when this many per-key queues are ready to start. */
  readonly maxReadyQueues: number;
  /** Whether an operator has paused delivery: then nothing is read or started. */
  readonly isPaused: () => boolean;
}

/** A batch continues as soon as this many more queues fit. */
const minFreeQueuesToContinue = 64;

/**
 * Answers whether more records may come in. Each answer is computed from the present state, so no change can be missed.
 * `readyQueues` returns the number of per-key queues that are ready to start.
 */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #readyQueues: () => number;

  constructor(options: CapacityOptions, readyQueues: () => number) {
    this.#options = options;
    this.#readyQueues = readyQueues;
  }

  /** Whether reading stops: memory is full, enough queues are ready to start, or an operator has paused delivery. */
  get isFull(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return budget.isFull || this.#readyQueues() >= maxReadyQueues || isPaused();
  }

  /**
   * Whether a batch may continue with a few more records. The steps are small: while records are read, answers from
   * Gainsight wait and connections are idle.
   */
  get mayContinueBatch(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return (
      budget.isHalfFree &&
      this.#readyQueues() <= Math.max(maxReadyQueues / 2, maxReadyQueues - minFreeQueuesToContinue) &&
      !isPaused()
    );
  }

  /** Whether paused partitions may resume. They resume at half of the limits, so that they do not pause again at once. */
  get mayResume(): boolean {
    const { budget, maxReadyQueues, isPaused } = this.#options;
    return budget.isHalfFree && this.#readyQueues() <= maxReadyQueues / 2 && !isPaused();
  }
}
