import type { Call } from "../../src/core/decide.ts";
import { sourcePositionOf } from "../../src/core/outcome/headers.ts";
import type { Outcome, Verdict } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { DeadLetterLimit, type DeadLetterLimitSetting } from "../../src/limits/dead-letter-limit.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createMemoryBudget } from "../../src/limits/memory-budget.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import { type Assignment, createAssignment } from "../../src/pipeline/assignment.ts";
import type { DeliveryPort, PublisherPort } from "../../src/pipeline/ports.ts";
import { Scheduler } from "../../src/pipeline/scheduler.ts";
import { type OpenPartition, createWorkItems } from "../../src/pipeline/work-item.ts";

type Failure = Parameters<PublisherPort["publishDeadLetter"]>[1];

export interface PendingCall {
  readonly body: string;
  readonly isFirst: boolean;
  readonly answer: (verdict: Verdict) => void;
}

export interface PendingWrite {
  readonly parsed: ParsedRecord;
  readonly failure: Failure;
  /** Undefined for the dead-letter topic. */
  readonly tier: number | undefined;
  /** All records of the write, the first one included. */
  readonly records: readonly { readonly parsed: ParsedRecord; readonly failure: Failure }[];
  readonly answer: (result: "written" | "stopped" | "too_large") => void;
}

/** Lets everything run that waits for nothing but its turn. */
export const turns = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const callOf = (body: string): Call => ({ kind: "call", type: "track", body: Buffer.from(body) });

/** A parsed record of the user whose letter its name begins with: `u1` is of `u`. */
export const parsedOf = (name: string, offset: number, more: Partial<ParsedRecord> = {}): ParsedRecord => ({
  record: { key: null, value: new Uint8Array(3), headers: {}, timestamp: 0 },
  user: name.slice(0, 1),
  type: "track",
  decision: callOf(name),
  retryState: {
    source: sourcePositionOf({ topic: "events", partition: 0, offset: String(offset), timestamp: 0 }),
    attempts: 0,
    firstFailedAt: undefined,
  },
  repairs: [],
  ...more,
});

/** Gainsight's side of the port: calls are answered by hand, and the gate is moved by hand. */
const createFakeDelivery = () => {
  const calls: PendingCall[] = [];
  const gate: { state: DeliveryPort["state"]; isHeld: boolean } = { state: "open", isHeld: false };
  const delivery: DeliveryPort = {
    get state() {
      return gate.state;
    },
    get isHeld() {
      return gate.isHeld || gate.state !== "open";
    },
    attempt: ({ body }, { isFirst }, onVerdict) => {
      if (gate.state === "probe") gate.state = "closed";
      const call: PendingCall = {
        body: String(body),
        isFirst,
        answer: (verdict) => {
          calls.splice(calls.indexOf(call), 1);
          queueMicrotask(() => onVerdict(verdict));
        },
      };
      calls.push(call);
    },
  };
  return { calls, gate, delivery };
};

/** The broker's side of the port: writes are acknowledged by hand; offsets count up in each retry topic. */
const createFakePublisher = () => {
  const writes: PendingWrite[] = [];
  const written = [0, 0, 0];
  const wait = (write: Omit<PendingWrite, "answer">): Promise<"written" | "stopped" | "too_large"> =>
    new Promise((resolve) => {
      const pending: PendingWrite = {
        ...write,
        answer: (result) => {
          writes.splice(writes.indexOf(pending), 1);
          resolve(result);
        },
      };
      writes.push(pending);
    });
  const publisher: PublisherPort = {
    publishRetries: async (records) => {
      const [first] = records;
      if (!first) throw new Error("Cannot write nothing: want at least one record");
      const { tier } = first.failure;
      const offset = written[tier] ?? 0;
      written[tier] = offset + records.length;
      const result = await wait({ ...first, tier, records });
      if (result === "too_large") return result;
      return result === "written" ? offset : undefined;
    },
    publishDeadLetter: async (parsed, failure) =>
      (await wait({ parsed, failure, tier: undefined, records: [{ parsed, failure }] })) === "written",
  };
  return { writes, written, publisher };
};

const nameOf = ({ decision, retryState }: ParsedRecord): string =>
  decision.kind === "call" ? String(decision.body) : retryState.source.offset;

/** A real pipeline between fake ports, with a clock that is moved by hand. */
export const createRig = ({
  maxReady = 1_000,
  limit = false,
}: { maxReady?: number; limit?: DeadLetterLimitSetting } = {}) => {
  const { calls, gate, delivery } = createFakeDelivery();
  const { writes, written, publisher } = createFakePublisher();
  const timers: { delayMs: number; callback: () => void }[] = [];
  const ended: { name: string; outcome: Outcome }[] = [];
  const moved: { name: string; reason: string; tier: number }[] = [];
  const budget = createMemoryBudget({ maxRecords: 1_000, maxBytes: 1_000_000 });
  const limitHolds: boolean[] = [];
  const deadLetterLimit = new DeadLetterLimit({ limit, onHoldChange: ({ isHeld }) => void limitHolds.push(isHeld) });
  const clock = {
    time: 1_000,
    mayStart: true,
    isPaused: false,
    wallNow: () => clock.time,
    random: () => 0.5,
    schedule: (delayMs: number, callback: () => void) => void timers.push({ delayMs, callback }),
    nextTurn: queueMicrotask,
  };
  const dedupe = new Dedupe({ rules: { windowMs: 60_000, maxEvents: 1_000 }, seed: 1 });
  const scheduler = new Scheduler({
    delivery,
    publisher,
    clock,
    budget,
    deadLetterLimit,
    observer: {
      completed: (parsed, outcome) => void ended.push({ name: nameOf(parsed), outcome }),
      movedToRetry: (parsed, { reason, tier }) => void moved.push({ name: nameOf(parsed), reason, tier }),
    },
    retryRules: { delaysMs: [30_000, 300_000, 1_800_000], maxAttempts: 2, maxAgeMs: 10_000 },
    maxQuickAttempts: 2,
    maxReadyQueues: maxReady,
    mayStart: () => clock.mayStart,
    isPaused: () => clock.isPaused,
    dedupe,
    recheckWaiting: () => undefined,
  });
  return { scheduler, calls, gate, writes, written, timers, ended, moved, budget, clock, deadLetterLimit, limitHolds };
};

export type Rig = ReturnType<typeof createRig>;

/** One assignment of partition 0: a source and three retry topics, read into the pipeline by hand. */
export const createOwner = (
  rig: Rig,
  {
    backlog = new RetryBacklog([]),
    trackerOf,
  }: { backlog?: RetryBacklog; trackerOf?: (tier: number | undefined) => OffsetTracker | undefined } = {},
) => {
  const assignment: Assignment = createAssignment();
  const createPartition = (tier: number | undefined): OpenPartition => ({
    topic: tier === undefined ? "events" : `tier-${tier}`,
    partition: 0,
    tier,
    tracker: trackerOf?.(tier) ?? new OffsetTracker({ startOffset: 0 }),
    backlog,
  });
  const source = createPartition(undefined);
  const retryTopics = [0, 1, 2].map(createPartition);
  rig.scheduler.beginAssignment(assignment, [0]);
  const enqueue = (owned: OpenPartition, parsed: ParsedRecord, offset: number): void => {
    const entry = owned.tracker.register(offset);
    for (const item of entry ? createWorkItems(owned, entry, [parsed]) : []) rig.scheduler.enqueue(assignment, item);
    rig.scheduler.startReady();
  };
  return { assignment, source, retryTopics, backlog, enqueue };
};
