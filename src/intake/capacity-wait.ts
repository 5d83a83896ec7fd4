import type { Capacity } from "../pipeline/capacity.ts";

/** A batch handler returns to kafkajs after this time at the latest, so that a rebalance or a shutdown is not delayed. */
const maxWaitMs = 200;

export interface CapacityWaitOptions {
  readonly capacity: Pick<Capacity, "mayContinueBatch">;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * The batches that wait for capacity. Capacity is checked when a wait begins and at every `review`. Waiting for a change
 * instead could miss one: there may be capacity again before the wait begins.
 */
export class CapacityWait {
  readonly #options: CapacityWaitOptions;
  readonly #waiting = new Set<(hasCapacity: boolean) => void>();

  constructor(options: CapacityWaitOptions) {
    this.#options = options;
  }

  /**
   * Resolves with true as soon as there is capacity; with false if the batch, read for `waitedMs` already, has taken 200
   * ms.
   */
  wait(waitedMs: number): Promise<boolean> {
    if (waitedMs >= maxWaitMs) return Promise.resolve(false);
    const { capacity, schedule, nextTurn } = this.#options;
    return new Promise((resolve) => {
      // In the next turn of the event loop: answers from Gainsight are processed between two parts of a batch.
      if (capacity.mayContinueBatch) return nextTurn(() => resolve(true));
      this.#waiting.add(resolve);
      return schedule(maxWaitMs - waitedMs, () => {
        if (this.#waiting.delete(resolve)) resolve(false);
      });
    });
  }

  /** Lets all waiting batches continue if there is capacity. */
  review(): void {
    if (this.#waiting.size === 0 || !this.#options.capacity.mayContinueBatch) return;
    for (const resolve of this.#waiting) resolve(true);
    this.#waiting.clear();
  }
}
