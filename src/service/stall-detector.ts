/** What is known at one moment. */
export interface ProgressReading {
  /** Records finished or moved to a tier so far; only grows. */
  readonly finishedRecords: number;
  /** Records in memory. */
  readonly heldRecords: number;
  /** Why nothing need move just now: a hold, a rebalance, a dependency. */
  readonly idleReason: string | undefined;
}

export interface StallDetectorOptions {
  /** Longer than any silence that has a right to be, in milliseconds. */
  readonly limitMs: number;
  readonly monotonicNow: () => number;
  readonly readProgress: () => ProgressReading;
  /** Once per stall. */
  readonly onStall: (idleMs: number) => void;
  /** A stall has ended after so long. */
  readonly onStallEnd: (idleMs: number) => void;
}

/** A process that was stopped, or a clock that was set, must not look like a stall. */
const maxStepMs = 5_000;

/**
 * How long records may be held without one finished: a head of a lane may take its quick attempts, each with its time-out
 * and pause, and then a write. Twice that, and a minute at least.
 */
export const stallLimitMs = ({ timeoutMs, quickAttempts }: { timeoutMs: number; quickAttempts: number }): number =>
  Math.max(60_000, 2 * (timeoutMs * quickAttempts + 15_000));

export interface ServiceConditions {
  /** What the start still lacks; empty once it is done. */
  readonly startupProblem: string;
  readonly groupState: string;
  readonly holds: readonly string[];
  readonly isSessionAlive: boolean;
}

/** Why nothing need move: never is the process to blame for what it depends on. Undefined where something should. */
export const idleReasonOf = (conditions: ServiceConditions): string | undefined => {
  if (conditions.startupProblem !== "") return conditions.startupProblem;
  if (conditions.groupState !== "owner") return `The group is ${conditions.groupState}`;
  if (conditions.holds.length > 0) return `Holding: ${conditions.holds.join(", ")}`;
  return conditions.isSessionAlive ? undefined : "The group does not answer";
};

/** Finds out that the service is alive and yet stands still: records held, no excuse, nothing finished for too long. */
export class StallDetector {
  readonly #options: StallDetectorOptions;
  #checkedAt: number;
  #finishedRecords = 0;
  #idleMs = 0;
  #isStalled = false;

  constructor(options: StallDetectorOptions) {
    this.#options = options;
    this.#checkedAt = options.monotonicNow();
  }

  /** To be called every second or so. */
  check(): void {
    const { limitMs, onStall, onStallEnd: onEnd } = this.#options;
    this.#idleMs += this.#elapsedMs();
    const mayBeIdle = this.#mayBeIdle();
    const isStalled = !mayBeIdle && this.#idleMs >= limitMs;
    const hasChanged = isStalled !== this.#isStalled;
    this.#isStalled = isStalled;
    if (hasChanged) (isStalled ? onStall : onEnd)(this.#idleMs);
    if (mayBeIdle) this.#idleMs = 0;
  }

  /** A sentence while it stands still. */
  get stallSentence(): string | undefined {
    return this.#isStalled
      ? `Nothing has been finished for ${Math.round(this.#idleMs / 1000)} s although records are held and nothing stands in the way`
      : undefined;
  }

  /** Milliseconds since the last check. */
  #elapsedMs(): number {
    const before = this.#checkedAt;
    this.#checkedAt = this.#options.monotonicNow();
    return Math.min(Math.max(0, this.#checkedAt - before), maxStepMs);
  }

  #mayBeIdle(): boolean {
    const { finishedRecords, heldRecords, idleReason } = this.#options.readProgress();
    const hasMoved = finishedRecords !== this.#finishedRecords;
    this.#finishedRecords = finishedRecords;
    return hasMoved || heldRecords === 0 || idleReason !== undefined;
  }
}
