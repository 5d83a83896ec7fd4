import type { CallResult } from "../core/outcome/classify.ts";

/** A call under way. */
interface RunningCall {
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Ends the call with this answer, unless it has another already; then it is removed. */
  readonly endWith: (result: CallResult) => void;
}

/**
 * One timer for all calls, set for the oldest of them. Each call has a place in an array, not in a `Set`: that one is made anew
 * every few hundred calls, and whatever stood in its former tables is dragged through the old heap, which took a fifth of the CPU.
 */
export class CallTimeouts {
  readonly #timeoutMs: number;
  readonly #running: (RunningCall | undefined)[] = [];
  readonly #freeIndexes: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Gives back the call's place. */
  add(call: RunningCall): number {
    const index = this.#freeIndexes.pop() ?? this.#running.length;
    this.#running[index] = call;
    this.#timer ??= setTimeout(() => this.#endExpired(), this.#timeoutMs);
    return index;
  }

  /** Frees a place; once for each `add`. */
  remove(index: number): void {
    this.#running[index] = undefined;
    this.#freeIndexes.push(index);
  }

  abortAll(): void {
    for (const call of this.#running) call?.endWith({ kind: "aborted" });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #endExpired(): void {
    const expiredStart = performance.now() - this.#timeoutMs;
    let oldest = Number.POSITIVE_INFINITY;
    for (const call of this.#running) {
      if (!call) continue;
      if (call.startedAt - expiredStart > 1) oldest = Math.min(oldest, call.startedAt);
      else call.endWith({ kind: "timeout", timeoutMs: this.#timeoutMs });
    }
    const isIdle = oldest === Number.POSITIVE_INFINITY;
    this.#timer = isIdle ? undefined : setTimeout(() => this.#endExpired(), oldest - expiredStart);
  }
}
