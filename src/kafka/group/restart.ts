import { isOwnError } from "../own-errors.ts";

export interface ComebackOptions {
  /** Ends what the consumer has left behind, and asks whether it may start. False where it may not. */
  readonly mayStart: () => Promise<boolean>;
  readonly start: () => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  /** Milliseconds by a clock that nobody can set. */
  readonly monotonic: () => number;
  /** Why the consumer does not run. */
  readonly onProblem: (problem: unknown) => void;
  readonly onFatal: (error: Error) => void;
}

const firstPauseMs = 1_000;
const maxPauseMs = 8_000;
/** A consumer that is refused sooner than this after its start is paused for longer each time: each start disturbs the whole group. */
const longRunMs = 60_000;

/** Starts a consumer again that the cluster has refused. It asks before, so that the group is not disturbed in vain. */
export class Comeback {
  readonly #options: ComebackOptions;
  #pauseMs = firstPauseMs;
  #startedAt = -Infinity;
  #isTrying = false;
  #isWanted = false;
  #isStopped = false;

  constructor(options: ComebackOptions) {
    this.#options = options;
  }

  /** The consumer has ended with this refusal. Resolves when it runs again, or nobody wants it any more. */
  async begin(refusal: unknown): Promise<void> {
    const { monotonic, onProblem, pause } = this.#options;
    onProblem(refusal);
    this.#isWanted = true;
    if (this.#isTrying) return;
    const hasRunLong = monotonic() - this.#startedAt >= longRunMs;
    this.#pauseMs = hasRunLong ? firstPauseMs : Math.min(this.#pauseMs * 2, maxPauseMs);
    while (this.#keepsTrying()) {
      await pause(this.#pauseMs);
      await this.#try();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #keepsTrying(): boolean {
    this.#isTrying = this.#isWanted;
    return this.#isTrying;
  }

  async #try(): Promise<void> {
    const { mayStart, start, monotonic, onProblem, onFatal } = this.#options;
    try {
      if (!this.#isStopped && !(await mayStart())) return;
      // A refusal may come back before `start` has resolved.
      this.#isWanted = false;
      if (this.#isStopped) return;
      this.#startedAt = monotonic();
      await start();
    } catch (error) {
      this.#isWanted = !isOwnError(error);
      if (this.#isWanted) onProblem(error);
      else onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
