import type { Answer } from "../core/outcome/classify.ts";

/** A call under way. */
interface Running {
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Ends the call with this answer, unless it has another already; then it is removed. */
  readonly end: (answer: Answer) => void;
}

/**
 * One timer for all calls, set for the oldest of them. Each call has a place in an array, not in a `Set`: that one is made anew
 * every few hundred calls, and whatever stood in its former tables is dragged through the old heap, which took a fifth of the CPU.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #running: (Running | undefined)[] = [];
  readonly #free: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Gives back the call's place. */
  add(call: Running): number {
    const place = this.#free.pop() ?? this.#running.length;
    this.#running[place] = call;
    this.#timer ??= setTimeout(() => this.#sweep(), this.#timeoutMs);
    return place;
  }

  /** Frees a place; once for each `add`. */
  remove(place: number): void {
    this.#running[place] = undefined;
    this.#free.push(place);
  }

  abortAll(): void {
    for (const call of this.#running) call?.end({ kind: "aborted" });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #sweep(): void {
    const startedBy = performance.now() - this.#timeoutMs;
    let oldest = Number.POSITIVE_INFINITY;
    for (const call of this.#running) {
      if (!call) continue;
      if (call.startedAt - startedBy > 1) oldest = Math.min(oldest, call.startedAt);
      else call.end({ kind: "timeout", timeoutMs: this.#timeoutMs });
    }
    const isIdle = oldest === Number.POSITIVE_INFINITY;
    this.#timer = isIdle ? undefined : setTimeout(() => this.#sweep(), oldest - startedBy);
  }
}
