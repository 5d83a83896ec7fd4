import type { Call } from "../../src/core/decide.ts";
import { originOf } from "../../src/core/outcome/headers.ts";
import type { Outcome, Verdict } from "../../src/core/outcome/outcome.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { Flood, type FloodLimit } from "../../src/limits/dead-letter-limit.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createBudget } from "../../src/limits/memory-budget.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import { Stream } from "../../src/pipeline/pipeline.ts";
import type { DeliveryPort, SettlePort } from "../../src/pipeline/ports.ts";
import { type Assignment, type Inlet, createAssignment, holdEvents } from "../../src/pipeline/work-item.ts";

type Failure = Parameters<SettlePort["dead"]>[1];

export interface PendingCall {
  readonly body: string;
  readonly isFirst: boolean;
  readonly answer: (verdict: Verdict) => void;
}

export interface PendingWrite {
  readonly arrival: Arrival;
  readonly failure: Failure;
  /** Undefined for the dead-letter topic. */
  readonly tier: number | undefined;
  /** All records of the write, the first one included. */
  readonly moves: readonly { readonly arrival: Arrival; readonly failure: Failure }[];
  readonly answer: (result: "written" | "stopped" | "too_large") => void;
}

/** Lets everything run that waits for nothing but its turn. */
export const turns = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const callOf = (body: string): Call => ({ kind: "call", call: "track", body: Buffer.from(body) });

/** An arrival of the user whose letter its name begins with: `u1` is of `u`. */
export const arrivalOf = (name: string, offset: number, more: Partial<Arrival> = {}): Arrival => ({
  record: { key: null, value: new Uint8Array(3), headers: {}, timestamp: 0 },
  user: name.slice(0, 1),
  type: "track",
  meaning: callOf(name),
  past: {
    origin: originOf({ topic: "events", partition: 0, offset: String(offset), timestamp: 0 }),
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

/** The broker's side of the port: writes are acknowledged by hand; offsets count up in each tier. */
const createFakeSettle = () => {
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
  const settle: SettlePort = {
    retry: async (moves) => {
      const [first] = moves;
      if (!first) throw new Error("Cannot write nothing: want at least one record");
      const { tier } = first.failure;
      const offset = written[tier] ?? 0;
      written[tier] = offset + moves.length;
      const result = await wait({ ...first, tier, moves });
      if (result === "too_large") return result;
      return result === "written" ? offset : undefined;
    },
    dead: async (arrival, failure) =>
      (await wait({ arrival, failure, tier: undefined, moves: [{ arrival, failure }] })) === "written",
  };
  return { writes, written, settle };
};

const nameOf = ({ meaning, past }: Arrival): string =>
  meaning.kind === "call" ? String(meaning.body) : past.origin.offset;

/** A real stream between fake ports, with a clock that stands until it is moved. */
export const createRig = ({
  maxReady = 1_000,
  deadLetterLimit = false,
}: { maxReady?: number; deadLetterLimit?: FloodLimit } = {}) => {
  const { calls, gate, delivery } = createFakeDelivery();
  const { writes, written, settle } = createFakeSettle();
  const timers: { delayMs: number; callback: () => void }[] = [];
  const ended: { name: string; outcome: Outcome }[] = [];
  const moved: { name: string; reason: string; tier: number }[] = [];
  const budget = createBudget({ maxRecords: 1_000, maxBytes: 1_000_000 });
  const floodHolds: boolean[] = [];
  const flood = new Flood({ limit: deadLetterLimit, onHold: ({ isHeld }) => void floodHolds.push(isHeld) });
  const clock = {
    time: 1_000,
    mayStart: true,
    isPaused: false,
    now: () => clock.time,
    random: () => 0.5,
    schedule: (delayMs: number, callback: () => void) => void timers.push({ delayMs, callback }),
    nextTurn: queueMicrotask,
  };
  const dedupe = new Dedupe({ rules: { windowMs: 60_000, maxEvents: 1_000 }, seed: 1 });
  const stream = new Stream({
    delivery,
    settle,
    clock,
    budget,
    flood,
    observer: {
      finished: (arrival, outcome) => void ended.push({ name: nameOf(arrival), outcome }),
      moved: (arrival, { reason, tier }) => void moved.push({ name: nameOf(arrival), reason, tier }),
    },
    retryRules: { delaysMs: [30_000, 300_000, 1_800_000], maxAttempts: 2, maxAgeMs: 10_000 },
    quickAttempts: 2,
    maxReady,
    mayStart: () => clock.mayStart,
    isPaused: () => clock.isPaused,
    dedupe,
    review: () => undefined,
  });
  return { stream, calls, gate, writes, written, timers, ended, moved, budget, clock, flood, floodHolds };
};

export type Rig = ReturnType<typeof createRig>;

/** One assignment of partition 0: a source and three tiers, read into the stream by hand. */
export const createOwner = (
  rig: Rig,
  {
    chains = new Chains([]),
    trackerOf,
  }: { chains?: Chains; trackerOf?: (tier: number | undefined) => Tracker | undefined } = {},
) => {
  const assignment: Assignment = createAssignment();
  const inletOf = (tier: number | undefined): Inlet => ({
    topic: tier === undefined ? "events" : `tier-${tier}`,
    partition: 0,
    tier,
    tracker: trackerOf?.(tier) ?? new Tracker({ start: 0 }),
    chains,
  });
  const source = inletOf(undefined);
  const tiers = [0, 1, 2].map(inletOf);
  rig.stream.begin(assignment, [0]);
  const take = (inlet: Inlet, arrival: Arrival, offset: number): void => {
    const slot = inlet.tracker.see(offset);
    for (const held of slot ? holdEvents(inlet, slot, [arrival]) : []) rig.stream.take(assignment, held);
    rig.stream.pump();
  };
  return { assignment, source, tiers, chains, take };
};
