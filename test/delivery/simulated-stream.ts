import { vi } from "vitest";

import type { Call } from "../../src/core/decide.ts";
import { type Answer, classify } from "../../src/core/outcome/classify.ts";
import type { Verdict } from "../../src/core/outcome/outcome.ts";
import { Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";

const call: Call = { kind: "call", call: "track", body: Buffer.alloc(0) };

export const ok: Answer = { kind: "response", status: 200 };

/** What the target does with the next call: it answers so, after so many milliseconds. */
export type Behaviour = () => { readonly answer: Answer; readonly afterMs: number };

export interface CallMade {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly verdict: Verdict;
}

/**
 * A delivery with the default settings and a stream that never runs out of calls, in simulated time: vitest's fake timers
 * must be on. A failed call is made again a moment later, like a quick attempt.
 */
export const createSimulatedStream = (behave: Behaviour, change: Partial<DeliveryOptions> = {}) => {
  const target = { behave };
  const made: CallMade[] = [];
  const holds: string[] = [];
  const work = (): void => {
    const startedAt = performance.now();
    delivery.attempt(call, { isFirst: true, refused: "never" }, (verdict) => {
      made.push({ startedAt, endedAt: performance.now(), verdict });
      pump();
    });
  };
  const pump = (): void => {
    while (delivery.state !== "closed") work();
  };
  const delivery = new Delivery({
    concurrency: 64,
    timeoutMs: 10_000,
    breaker: { errorPercent: 50, minCalls: 10, windowMs: 10_000, probeMinMs: 1_000, probeMaxMs: 60_000 },
    now: () => performance.now(),
    random: () => 0.5,
    schedule: (delayMs, callback) => void setTimeout(callback, delayMs),
    send: (_, onAnswer) => {
      const { answer, afterMs } = target.behave();
      setTimeout(() => onAnswer(answer), afterMs);
    },
    onChange: pump,
    onHold: ({ reason, isHeld, error }) => void holds.push(`${reason} ${isHeld} ${error}`),
    onCall: () => {},
    judge: classify,
    onUnauthorized: () => {},
    ...change,
  });
  const run = async (ms: number, next?: Behaviour): Promise<readonly CallMade[]> => {
    if (next) target.behave = next;
    const from = performance.now();
    pump();
    await vi.advanceTimersByTimeAsync(ms);
    return made.filter(({ startedAt }) => startedAt >= from);
  };
  return { delivery, holds, made, run };
};
