import { vi } from "vitest";

import { type CallResult, classify } from "../../src/core/outcome/classify.ts";
import type { Outcome } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { Delivery } from "../../src/delivery/delivery.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createMemoryBudget } from "../../src/limits/memory-budget.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import { createAssignment } from "../../src/pipeline/assignment.ts";
import { Scheduler } from "../../src/pipeline/scheduler.ts";
import { type OpenPartition, createWorkItems } from "../../src/pipeline/work-item.ts";
import { createRandom } from "../../src/standin/random.ts";
import { parsedOf } from "./rig.ts";

/** How the target answers the call of this event now. */
export type Behaviour = (event: string) => CallResult;

export const ok: CallResult = { kind: "response", status: 200 };
export const refusal = (status: number): CallResult => ({ kind: "response", status });

const latencyMs = 20;

/**
 * The real pipeline and the real delivery in simulated time, between a target that answers after 20 ms and a Kafka that
 * acknowledges at once: vitest's fake timers must be on.
 */
export const createWholePipeline = (behave: Behaviour, { concurrency = 64, seed = 1 } = {}) => {
  const random = createRandom(seed);
  const target = { behave };
  const calls = new Map<string, number>();
  const ended: { event: string; outcome: Outcome; at: number }[] = [];
  const retried: { event: string; reason: string; attempts: number; error: string }[] = [];
  const holds: string[] = [];
  const now = (): number => performance.now();
  const schedule = (delayMs: number, callback: () => void): void => void setTimeout(callback, delayMs);
  const eventOf = (parsed: ReturnType<typeof parsedOf>): string =>
    parsed.decision.kind === "call" ? String(parsed.decision.body) : "";
  const delivery = new Delivery({
    concurrency,
    timeoutMs: 10_000,
    breaker: { errorPercent: 50, minCalls: 10, windowMs: 10_000, probeMinMs: 1_000, probeMaxMs: 60_000 },
    monotonicNow: now,
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
    onMaySend: () => scheduler.startReadySoon(),
    onHold: ({ reason, isHeld }) => void (isHeld && holds.push(reason)),
    onCall: () => {},
    classifyResult: classify,
    onUnauthorized: () => {},
  });
  const scheduler = new Scheduler({
    delivery,
    publisher: {
      publishRetries: async (records) => {
        for (const { parsed, failure } of records)
          retried.push({ event: eventOf(parsed), ...failure, reason: failure.reason });
        return retried.length - records.length;
      },
      publishDeadLetter: async () => true,
    },
    clock: { wallNow: now, random, schedule, nextTurn: queueMicrotask },
    budget: createMemoryBudget({ maxRecords: 1e6, maxBytes: 1e9 }),
    deadLetterLimit: {
      isHeld: false,
      countIfAllowed: () => "admitted",
      rulingOf: () => "admitted",
      countOtherOutcome: () => {},
    },
    observer: {
      completed: (parsed, outcome) => void ended.push({ event: eventOf(parsed), outcome, at: now() }),
      movedToRetry: () => {},
    },
    retryRules: { delaysMs: [30_000, 300_000], maxAttempts: 6, maxAgeMs: 14_400_000 },
    maxQuickAttempts: 3,
    maxReadyQueues: 256,
    mayStart: () => true,
    isPaused: () => false,
    dedupe: new Dedupe({ rules: false, seed: 1 }),
    recheckWaiting: () => {},
  });
  const tracker = new OffsetTracker({ startOffset: 0 });
  const owned: OpenPartition = {
    topic: "events",
    partition: 0,
    tier: undefined,
    tracker,
    backlog: new RetryBacklog([]),
  };
  const assignment = createAssignment();
  scheduler.beginAssignment(assignment, [0]);
  let offset = 0;
  const enqueue = (user: string, event: string, more: Partial<ParsedRecord> = {}): void => {
    const entry = tracker.register(offset);
    const parsedRecords = [parsedOf(event, offset, { user, ...more })];
    offset++;
    for (const item of entry ? createWorkItems(owned, entry, parsedRecords) : []) scheduler.enqueue(assignment, item);
  };
  const run = async (ms: number, next?: Behaviour): Promise<void> => {
    if (next) target.behave = next;
    scheduler.startReady();
    await vi.advanceTimersByTimeAsync(ms);
  };
  const count = (kind: Outcome["kind"]): number => ended.filter(({ outcome }) => outcome.kind === kind).length;
  return { scheduler, delivery, tracker, calls, ended, retried, holds, enqueue, run, count };
};
