import { isProgrammingError } from "../own-errors.ts";

export interface ConsumerRestartOptions {
  /** Ends what the consumer has left behind, and asks whether it may start. False where it may not. */
  readonly mayStart: () => Promise<boolean>;
  readonly start: () => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  /** Milliseconds by a clock that nobody can set. */
  readonly monotonicNow: () => number;
  /** Why the consumer does not run. */
  readonly onProblem: (problem: unknown) => void;
  readonly onFatal: (error: Error) => void;
}

const minPauseMs = 1_000;
const maxPauseMs = 8_000;
/** A consumer that is refused sooner than this after its start is paused for longer each time: each start disturbs the whole group. */
const stableAfterMs = 60_000;

/** Starts a consumer again that the cluster has refused. It asks before, so that the group is not disturbed in vain. */
export class ConsumerRestart {
  readonly #options: ConsumerRestartOptions;
  #pauseMs = minPauseMs;
  #startedAt = -Infinity;
  #isRestarting = false;
  #isRestartNeeded = false;
  #isStopped = false;

  constructor(options: ConsumerRestartOptions) {
    this.#options = options;
  }

  /** The consumer has ended with this refusal. Resolves when it runs again, or nobody wants it any more. */
  async restart(refusal: unknown): Promise<void> {
    const { monotonicNow, onProblem, pause } = this.#options;
    onProblem(refusal);
    this.#isRestartNeeded = true;
    if (this.#isRestarting) return;
    const wasStable = monotonicNow() - this.#startedAt >= stableAfterMs;
    this.#pauseMs = wasStable ? minPauseMs : Math.min(this.#pauseMs * 2, maxPauseMs);
    while (this.#continueRestarting()) {
      await pause(this.#pauseMs);
      await this.#tryStart();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #continueRestarting(): boolean {
    this.#isRestarting = this.#isRestartNeeded;
    return this.#isRestarting;
  }

  async #tryStart(): Promise<void> {
    const { mayStart, start, monotonicNow, onProblem, onFatal } = this.#options;
    try {
      if (!this.#isStopped && !(await mayStart())) return;
      // A refusal may come back before `start` has resolved.
      this.#isRestartNeeded = false;
      if (this.#isStopped) return;
      this.#startedAt = monotonicNow();
      await start();
    } catch (error) {
      this.#isRestartNeeded = !isProgrammingError(error);
      if (this.#isRestartNeeded) onProblem(error);
      else onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
