import { toError } from "../../core/to-error.ts";
import { isProgrammingError } from "../own-errors.ts";

export interface ConsumerRestartOptions {
  /** Leaves the group for good, and checks whether the consumer has the rights to start. False if it has not. */
  readonly mayStart: () => Promise<boolean>;
  readonly start: () => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
  /** Receives the error that keeps the consumer from running. */
  readonly onProblem: (problem: unknown) => void;
  readonly onFatal: (error: Error) => void;
}

const minPauseMs = 1_000;
const maxPauseMs = 8_000;
/** If a consumer is refused sooner than this after its start, each pause is longer than the last: every start rebalances the whole group. */
const stableAfterMs = 60_000;

/** Starts a consumer again after the cluster has refused it. It checks the rights before each start, so as not to rebalance in vain. */
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

  /** Call it when a refusal has ended the consumer. Resolves when the consumer runs again or `stop` was called. */
  async restart(refusal: unknown): Promise<void> {
    this.#options.onProblem(refusal);
    this.#isRestartNeeded = true;
    if (!this.#isRestarting) await this.#restartUntilRunning();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #restartUntilRunning(): Promise<void> {
    const { monotonicNow, pause } = this.#options;
    const wasStable = monotonicNow() - this.#startedAt >= stableAfterMs;
    this.#pauseMs = wasStable ? minPauseMs : Math.min(this.#pauseMs * 2, maxPauseMs);
    this.#isRestarting = true;
    while (this.#isRestartNeeded) {
      await pause(this.#pauseMs);
      await this.#tryStart();
    }
    this.#isRestarting = false;
  }

  async #tryStart(): Promise<void> {
    const { mayStart, start, monotonicNow, onProblem, onFatal } = this.#options;
    try {
      if (!this.#isStopped && !(await mayStart())) return;
      // Before the start: the next refusal may come before `start` has resolved.
      this.#isRestartNeeded = false;
      if (this.#isStopped) return;
      this.#startedAt = monotonicNow();
      await start();
    } catch (error) {
      this.#isRestartNeeded = !isProgrammingError(error);
      if (this.#isRestartNeeded) onProblem(error);
      else onFatal(toError(error));
    }
  }
}
