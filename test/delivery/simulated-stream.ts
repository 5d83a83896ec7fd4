import { vi } from "vitest";

import type { Call } from "../../src/core/decide.ts";
import { type CallResult, classify } from "../../src/core/outcome/classify.ts";
import type { Verdict } from "../../src/core/outcome/outcome.ts";
import { Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";

const call: Call = { kind: "call", type: "track", body: Buffer.alloc(0) };

export const ok: CallResult = { kind: "response", status: 200 };

/** The result of the next call, and after how many milliseconds it comes. */
export type Behaviour = () => { readonly answer: CallResult; readonly afterMs: number };

export interface EndedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly verdict: Verdict;
}

/**
 * A delivery with the default settings and a stream that never runs out of calls, in simulated time: vitest's fake timers
 * must be on. A failed call is repeated a moment later, like a quick attempt.
 */
export const createSimulatedStream = (behave: Behaviour, change: Partial<DeliveryOptions> = {}) => {
  const target = { behave };
  const endedCalls: EndedCall[] = [];
  const holds: string[] = [];
  const startCall = (): void => {
    const startedAt = performance.now();
    delivery.attempt(call, { isFirst: true, refusalHistory: "never" }, (verdict) => {
      endedCalls.push({ startedAt, endedAt: performance.now(), verdict });
      startCalls();
    });
  };
  const startCalls = (): void => {
    while (delivery.state !== "closed") startCall();
  };
  const delivery = new Delivery({
    concurrency: 64,
    timeoutMs: 10_000,
    breaker: { errorPercent: 50, minCalls: 10, windowMs: 10_000, probeMinMs: 1_000, probeMaxMs: 60_000 },
    monotonicNow: () => performance.now(),
    random: () => 0.5,
    schedule: (delayMs, callback) => void setTimeout(callback, delayMs),
    send: (_, onResult) => {
      const { answer, afterMs } = target.behave();
      setTimeout(() => onResult(answer), afterMs);
    },
    onMaySend: startCalls,
    onHold: ({ reason, isHeld, error }) => void holds.push(`${reason} ${isHeld} ${error}`),
    onCall: () => {},
    classifyResult: classify,
    onUnauthorized: () => {},
    ...change,
  });
  const run = async (ms: number, next?: Behaviour): Promise<readonly EndedCall[]> => {
    if (next) target.behave = next;
    const from = performance.now();
    startCalls();
    await vi.advanceTimersByTimeAsync(ms);
    return endedCalls.filter(({ startedAt }) => startedAt >= from);
  };
  return { delivery, holds, endedCalls, run };
};
