/** What is known at one moment. */
export interface ProgressReading {
  /** Records finished or moved to a tier so far; only grows. */
  readonly finished: number;
  /** Records in memory. */
  readonly held: number;
  /** Why nothing need move just now: a hold, a rebalance, a dependency. */
  readonly excuse: string | undefined;
}

export interface ProgressOptions {
  /** Longer than any silence that has a right to be, in milliseconds. */
  readonly limitMs: number;
  readonly now: () => number;
  readonly read: () => ProgressReading;
  /** Once per stall. */
  readonly onStall: (silentMs: number) => void;
  /** A stall has ended after so long. */
  readonly onEnd: (silentMs: number) => void;
}

/** A process that was stopped, or a clock that was set, must not look like a stall. */
const maxStepMs = 5_000;

/**
 * How long records may be held without one finished: a head of a lane may take its quick attempts, each with its time-out
 * and pause, and then a write. Twice that, and a minute at least.
 */
export const stallLimitMs = ({ timeoutMs, quickAttempts }: { timeoutMs: number; quickAttempts: number }): number =>
  Math.max(60_000, 2 * (timeoutMs * quickAttempts + 15_000));

export interface Circumstances {
  /** What the start still lacks; empty once it is done. */
  readonly missing: string;
  readonly membership: string;
  readonly holds: readonly string[];
  readonly hasContact: boolean;
}

/** Why nothing need move: never is the process to blame for what it depends on. Undefined where something should. */
export const excuseOf = (now: Circumstances): string | undefined => {
  if (now.missing !== "") return now.missing;
  if (now.membership !== "owner") return `The group is ${now.membership}`;
  if (now.holds.length > 0) return `Holding: ${now.holds.join(", ")}`;
  return now.hasContact ? undefined : "The group does not answer";
};

/** Finds out that the service is alive and yet stands still: records held, no excuse, nothing finished for too long. */
export class Progress {
  readonly #options: ProgressOptions;
  #checkedAt: number;
  #finished = 0;
  #silentMs = 0;
  #isStalled = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#checkedAt = options.now();
  }

  /** To be called every second or so. */
  check(): void {
    const { limitMs, onStall, onEnd } = this.#options;
    this.#silentMs += this.#step();
    const mayBeStill = this.#mayBeStill();
    const isStalled = !mayBeStill && this.#silentMs >= limitMs;
    const hasChanged = isStalled !== this.#isStalled;
    this.#isStalled = isStalled;
    if (hasChanged) (isStalled ? onStall : onEnd)(this.#silentMs);
    if (mayBeStill) this.#silentMs = 0;
  }

  /** A sentence while it stands still. */
  get stall(): string | undefined {
    return this.#isStalled
      ? `Nothing has been finished for ${Math.round(this.#silentMs / 1000)} s although records are held and nothing stands in the way`
      : undefined;
  }

  /** Milliseconds since the last check. */
  #step(): number {
    const before = this.#checkedAt;
    this.#checkedAt = this.#options.now();
    return Math.min(Math.max(0, this.#checkedAt - before), maxStepMs);
  }

  #mayBeStill(): boolean {
    const { finished, held, excuse } = this.#options.read();
    const hasMoved = finished !== this.#finished;
    this.#finished = finished;
    return hasMoved || held === 0 || excuse !== undefined;
  }
}
