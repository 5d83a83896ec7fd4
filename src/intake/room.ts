/** No batch stays in kafkajs's hands for longer, however often there is room for a few: rebalances and shutdown come first. */
const inHandMs = 200;

/** Waiting for room in the budget. One batch waits at a time, since kafkajs hands them over one after the other. */
export class Room {
  readonly #schedule: (delayMs: number, callback: () => void) => void;
  #waiting = new Set<(hasRoom: boolean) => void>();

  constructor(schedule: (delayMs: number, callback: () => void) => void) {
    this.#schedule = schedule;
  }

  /** Resolves with true as soon as there is room; with false once the batch, in hand for `heldMs` already, has been there too long. */
  wait(heldMs: number): Promise<boolean> {
    if (heldMs >= inHandMs) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#schedule(inHandMs - heldMs, () => {
        if (this.#waiting.delete(resolve)) resolve(false);
      });
    });
  }

  /** There is room: whoever waits goes on. */
  open(): void {
    for (const resolve of this.#waiting) resolve(true);
    this.#waiting.clear();
  }
}
