import { vi } from "vitest";

import { type Answer, classify } from "../../src/core/outcome/classify.ts";
import type { Outcome } from "../../src/core/outcome/outcome.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { Delivery } from "../../src/delivery/delivery.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createBudget } from "../../src/limits/memory-budget.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import { Stream } from "../../src/pipeline/pipeline.ts";
import { type Inlet, createAssignment, holdEvents } from "../../src/pipeline/work-item.ts";
import { createRandom } from "../../src/standin/random.ts";
import { arrivalOf } from "./rig.ts";

/** How the target answers the call of this event now. */
export type Behaviour = (event: string) => Answer;

export const ok: Answer = { kind: "response", status: 200 };
export const refusal = (status: number): Answer => ({ kind: "response", status });

const latencyMs = 20;

/**
 * The real stream and the real delivery in simulated time, between a target that answers after 20 ms and a Kafka that
 * acknowledges at once: vitest's fake timers must be on.
 */
export const createWholeStream = (behave: Behaviour, { concurrency = 64, seed = 1 } = {}) => {
  const random = createRandom(seed);
  const target = { behave };
  const calls = new Map<string, number>();
  const ended: { event: string; outcome: Outcome; at: number }[] = [];
  const retried: { event: string; reason: string; attempts: number; error: string }[] = [];
  const holds: string[] = [];
  const now = (): number => performance.now();
  const schedule = (delayMs: number, callback: () => void): void => void setTimeout(callback, delayMs);
  const eventOf = (arrival: ReturnType<typeof arrivalOf>): string =>
    arrival.meaning.kind === "call" ? String(arrival.meaning.body) : "";
  const delivery = new Delivery({
    concurrency,
    timeoutMs: 10_000,
    breaker: { errorPercent: 50, minCalls: 10, windowMs: 10_000, probeMinMs: 1_000, probeMaxMs: 60_000 },
    now,
    random,
    schedule,
    send: ({ body }, onAnswer) => {
      const event = String(body);
      calls.set(event, (calls.get(event) ?? 0) + 1);
      // It is judged when it comes to the target, half way.
      setTimeout(() => {
        const answer = target.behave(event);
        setTimeout(() => onAnswer(answer), latencyMs / 2);
      }, latencyMs / 2);
    },
    onChange: () => stream.pumpSoon(),
    onHold: ({ reason, isHeld }) => void (isHeld && holds.push(reason)),
    onCall: () => {},
    judge: classify,
    onUnauthorized: () => {},
  });
  const stream = new Stream({
    delivery,
    settle: {
      retry: async (moves) => {
        for (const { arrival, failure } of moves)
          retried.push({ event: eventOf(arrival), ...failure, reason: failure.reason });
        return retried.length - moves.length;
      },
      dead: async () => true,
    },
    clock: { now, random, schedule, nextTurn: queueMicrotask },
    budget: createBudget({ maxRecords: 1e6, maxBytes: 1e9 }),
    flood: { isHeld: false, admit: () => "admitted", check: () => "admitted", passed: () => {} },
    observer: {
      finished: (arrival, outcome) => void ended.push({ event: eventOf(arrival), outcome, at: now() }),
      moved: () => {},
    },
    retryRules: { delaysMs: [30_000, 300_000], maxAttempts: 6, maxAgeMs: 14_400_000 },
    quickAttempts: 3,
    maxReady: 256,
    mayStart: () => true,
    isPaused: () => false,
    dedupe: new Dedupe({ rules: false, seed: 1 }),
    review: () => {},
  });
  const tracker = new Tracker({ start: 0 });
  const inlet: Inlet = { topic: "events", partition: 0, tier: undefined, tracker, chains: new Chains([]) };
  const assignment = createAssignment();
  stream.begin(assignment, [0]);
  let offset = 0;
  const take = (user: string, event: string, more: Partial<Arrival> = {}): void => {
    const slot = tracker.see(offset);
    const arrivals = [arrivalOf(event, offset, { user, ...more })];
    offset++;
    for (const held of slot ? holdEvents(inlet, slot, arrivals) : []) stream.take(assignment, held);
  };
  const run = async (ms: number, next?: Behaviour): Promise<void> => {
    if (next) target.behave = next;
    stream.pump();
    await vi.advanceTimersByTimeAsync(ms);
  };
  const count = (kind: Outcome["kind"]): number => ended.filter(({ outcome }) => outcome.kind === kind).length;
  return { stream, delivery, tracker, calls, ended, retried, holds, take, run, count };
};
