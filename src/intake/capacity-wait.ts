import type { Capacity } from "../pipeline/capacity.ts";

/** No batch stays in kafkajs's hands for longer, however often there is room for a few: rebalances and shutdown come first. */
const inHandMs = 200;

export interface BatchWaitOptions {
  readonly capacity: Pick<Capacity, "wantsMore">;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * Batches in hand that wait for room. Whether there is room is asked, when a wait begins and at every `review`, and never told:
 * what a batch waits for may have ended before it began to wait.
 */
export class BatchWait {
  readonly #options: BatchWaitOptions;
  readonly #waiting = new Set<(hasRoom: boolean) => void>();

  constructor(options: BatchWaitOptions) {
    this.#options = options;
  }

  /** Resolves with true as soon as there is room; with false once the batch, in hand for `heldMs` already, has been there too long. */
  wait(heldMs: number): Promise<boolean> {
    if (heldMs >= inHandMs) return Promise.resolve(false);
    const { capacity, schedule, nextTurn } = this.#options;
    return new Promise((resolve) => {
      // In a turn of its own: while a batch is read without a pause, no answer from Gainsight is heard.
      if (capacity.wantsMore) return nextTurn(() => resolve(true));
      this.#waiting.add(resolve);
      return schedule(inHandMs - heldMs, () => {
        if (this.#waiting.delete(resolve)) resolve(false);
      });
    });
  }

  /** Batches that wait continue if there is room. */
  review(): void {
    if (this.#waiting.size === 0 || !this.#options.capacity.wantsMore) return;
    for (const resolve of this.#waiting) resolve(true);
    this.#waiting.clear();
  }
}
