import type { CallResult } from "../core/outcome/classify.ts";

interface RunningCall {
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
  /** Ends the call with this result, unless it has one already. The call then removes itself. */
  readonly endWith: (result: CallResult) => void;
}

/**
 * One timer for all calls in flight, set for the oldest. Calls are kept in an array and not in a `Set`: V8 rebuilds a `Set`
 * every few hundred calls, and what was in its old tables is promoted to the old heap, which took a fifth of the CPU.
 */
export class CallTimeouts {
  readonly #timeoutMs: number;
  readonly #running: (RunningCall | undefined)[] = [];
  readonly #freeIndexes: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Returns the index to `remove` the call by. */
  add(call: RunningCall): number {
    const index = this.#freeIndexes.pop() ?? this.#running.length;
    this.#running[index] = call;
    this.#timer ??= setTimeout(() => this.#endExpired(), this.#timeoutMs);
    return index;
  }

  /** Once for each `add`. */
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
    const latestExpiredStart = performance.now() - this.#timeoutMs;
    let oldestStart = Number.POSITIVE_INFINITY;
    for (const call of this.#running) {
      if (!call) continue;
      if (call.startedAt - latestExpiredStart > 1) oldestStart = Math.min(oldestStart, call.startedAt);
      else call.endWith({ kind: "timeout", timeoutMs: this.#timeoutMs });
    }
    const isIdle = oldestStart === Number.POSITIVE_INFINITY;
    this.#timer = isIdle ? undefined : setTimeout(() => this.#endExpired(), oldestStart - latestExpiredStart);
  }
}
