/** What the service did and holds, at one moment. */
export interface ProgressReading {
  /** Events completed plus records moved to a retry topic so far; it only grows. */
  readonly progressCount: number;
  /** Records in memory. */
  readonly heldRecords: number;
  /** Why no progress is expected now: a hold, a rebalance, a dependency. */
  readonly idleReason: string | undefined;
}

export interface StallDetectorOptions {
  /** In milliseconds; longer than any time without progress in normal work. */
  readonly limitMs: number;
  readonly monotonicNow: () => number;
  readonly readProgress: () => ProgressReading;
  /** A stall begins, after `idleMs` without progress. */
  readonly onStall: (idleMs: number) => void;
  /** A stall ends, after `idleMs` without progress. */
  readonly onStallEnd: (idleMs: number) => void;
}

/** A longer time between two checks counts only for this much: the process was stopped, and that is no stall. */
const maxTickMs = 5_000;

/**
 * How long records may be in memory without progress, in milliseconds. The head of a per-key queue may use all its quick
 * attempts, each with its time-out and pause, and then one write to Kafka. The limit is twice that, and at least a minute.
 */
export const stallLimitMs = ({ timeoutMs, quickAttempts }: { timeoutMs: number; quickAttempts: number }): number =>
  Math.max(60_000, 2 * (timeoutMs * quickAttempts + 15_000));

export interface ServiceConditions {
  /** Why the service does not take part; undefined while it does. */
  readonly startupProblem: string | undefined;
  readonly groupState: string;
  readonly holds: readonly string[];
  readonly isSessionAlive: boolean;
}

/** Why no progress is expected: the process is never to blame for a dependency. Undefined if progress is expected. */
export const idleReasonOf = (conditions: ServiceConditions): string | undefined => {
  if (conditions.startupProblem !== undefined) return conditions.startupProblem;
  if (conditions.groupState !== "owner") return `The group is ${conditions.groupState}`;
  if (conditions.holds.length > 0) return `Holding: ${conditions.holds.join(", ")}`;
  return conditions.isSessionAlive ? undefined : "The group does not answer";
};

/** Finds out that the service lives but makes no progress: records are in memory, nothing excuses it, and none is completed for too long. */
export class StallDetector {
  readonly #options: StallDetectorOptions;
  #checkedAt: number;
  #progressCount = 0;
  #idleMs = 0;
  #isStalled = false;

  constructor(options: StallDetectorOptions) {
    this.#options = options;
    this.#checkedAt = options.monotonicNow();
  }

  /** To be called about every second. */
  check(): void {
    const { limitMs, monotonicNow, readProgress, onStall, onStallEnd } = this.#options;
    const now = monotonicNow();
    const progress = readProgress();
    const isExcused = this.#isExcused(progress);
    this.#idleMs += Math.min(Math.max(0, now - this.#checkedAt), maxTickMs);
    this.#checkedAt = now;
    this.#progressCount = progress.progressCount;
    const isStalled = !isExcused && this.#idleMs >= limitMs;
    const hasChanged = isStalled !== this.#isStalled;
    this.#isStalled = isStalled;
    if (hasChanged) (isStalled ? onStall : onStallEnd)(this.#idleMs);
    if (isExcused) this.#idleMs = 0;
  }

  /** For `/livez`; undefined if there is no stall. */
  get stallSentence(): string | undefined {
    return this.#isStalled
      ? `No record has been completed for ${Math.round(this.#idleMs / 1000)} s, although records are in memory and no hold explains it`
      : undefined;
  }

  #isExcused({ progressCount, heldRecords, idleReason }: ProgressReading): boolean {
    return progressCount !== this.#progressCount || heldRecords === 0 || idleReason !== undefined;
  }
}
