/** Longer than this a batch does not wait in kafkajs's hands: rebalances and shutdown come first. */
const waitLimitMs = 200;

/** Waiting for room in the budget. One batch waits at a time, since kafkajs hands them over one after the other. */
export class Room {
  readonly #schedule: (delayMs: number, callback: () => void) => void;
  #waiting = new Set<(hasRoom: boolean) => void>();

  constructor(schedule: (delayMs: number, callback: () => void) => void) {
    this.#schedule = schedule;
  }

  /** Resolves with true as soon as there is room, with false where it takes too long. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#schedule(waitLimitMs, () => {
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
