import { type Settings, parseSettings } from "../../src/config/settings/settings.ts";
import type { Outcome, Retry } from "../../src/core/outcome/outcome.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { type Decoded, createDecoder } from "../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../src/decoding/events.ts";
import type { LoadResult } from "../../src/decoding/registry/schemas.ts";
import { Commits } from "../../src/intake/commits.ts";
import { Intake } from "../../src/intake/ingest.ts";
import { KnownLogs } from "../../src/intake/known-logs.ts";
import { Membership } from "../../src/intake/rebalance.ts";
import { createReader } from "../../src/intake/record-reader.ts";
import { SchemaWait } from "../../src/intake/schema-wait.ts";
import { Producers } from "../../src/kafka/publish/producers.ts";
import { Settler } from "../../src/kafka/publish/retry-publisher.ts";
import { Flood } from "../../src/limits/dead-letter-limit.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createBudget } from "../../src/limits/memory-budget.ts";
import { Stream } from "../../src/pipeline/pipeline.ts";
import { handlerOf } from "../../src/service/live-settings.ts";
import type { TestClock } from "../delivery/test-clock.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import { createSimulatedConsumer } from "./simulated-consumer.ts";
import { createSimulatedProducer } from "./simulated-producer.ts";
import { createSimulatedTarget } from "./simulated-target.ts";

export const source = "source";
export const retryTopics = [
  { topic: "retry-1s", delayMs: 1_000 },
  { topic: "retry-3s", delayMs: 3_000 },
] as const;
export const deadLetters = "dlq";

/** What is set as small as it goes, so that a few records meet every limit. */
export const limits = { maxRecords: 6, maxBytes: 20_000, maxReady: 3, maxSpan: 8, quickAttempts: 2 };

export const failed: Retry = { kind: "retry", reason: "server_error", error: "Gainsight failed", status: 500 };

const defaults = parseSettings("");
/** An operator who goes through these, one after the other, changes the limit each time. */
const deadLetterLimits = [1, 2, 3].flatMap((consecutive) =>
  (["cause", "all"] as const).map((scope) => ({ scope, consecutive, percent: 100, minEvents: 1_000 })),
);
const [firstLimit = false as const] = deadLetterLimits;
const settingsNow: Settings = { ...defaults, deadLetterLimit: firstLimit };

export interface Ended {
  readonly arrival: Arrival;
  readonly outcome: Outcome;
}

interface MemberOptions {
  readonly broker: SimulatedBroker;
  readonly clock: TestClock;
  readonly onEnded: (ended: Ended) => void;
  /** An event has gone to a retry topic. */
  readonly onMoved: (arrival: Arrival, reason: string) => void;
}

export type RegistryAnswer = "known" | "unknown" | "down";

/** Values that begin with `schema` and a digit need the schema of that number; the registry answers by hand. */
const createSimulatedRegistry = () => {
  const answered = new Map<number, "known" | "unknown">();
  const asked: { readonly id: number; readonly answer: (how: RegistryAnswer) => void }[] = [];
  const json = createDecoder({ format: "json" });
  const decode = (value: Buffer | null): Decoded => {
    const [, id] = /^schema(\d) /.exec(String(value)) ?? [];
    if (id === undefined || !value) return json.decode(value);
    const schemaId = Number(id);
    const known = answered.get(schemaId);
    if (known === undefined) return { kind: "needs_schema", schemaId };
    return known === "unknown" ? { kind: "unknown_schema", schemaId } : json.decode(value.subarray(8));
  };
  const load = (id: number): Promise<LoadResult> =>
    new Promise((resolve) => {
      const answer = (how: RegistryAnswer): void => {
        asked.splice(
          asked.findIndex((one) => one.id === id),
          1,
        );
        if (how === "down") return resolve({ kind: "registry_down", error: "No answer" });
        answered.set(id, how);
        return resolve(how === "known" ? { kind: "decoder", decode: decodeJsonEvents } : { kind: "unknown" });
      };
      asked.push({ id, answer });
    });
  /** The producer has registered them after all. */
  const registerAll = (): void => {
    for (const id of answered.keys()) answered.set(id, "known");
  };
  return { asked, decode, load, registerAll };
};

/** One process of the service from fetch to commit: all of it real but the cluster, the registry and Gainsight. */
export const createSimulatedMember = ({ broker, clock, onEnded, onMoved }: MemberOptions) => {
  const consumer = createSimulatedConsumer(broker);
  const producer = createSimulatedProducer(broker);
  const target = createSimulatedTarget();
  const registry = createSimulatedRegistry();
  const state = { isPaused: false, mayStart: true, settings: settingsNow, handle: handlerOf(settingsNow) };
  let limitChanges = 0;
  const fatal: Error[] = [];
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.schedule(ms, resolve));
  const clocks = { now: clock.now, monotonic: clock.now, random: () => 0.5, schedule: clock.schedule };
  const time = { ...clocks, nextTurn: (callback: () => void) => void setImmediate(callback) };
  const budget = createBudget(limits);
  const flood = new Flood({ limit: settingsNow.deadLetterLimit, onHold: () => undefined });
  const settler = new Settler({
    producers: new Producers({ create: () => producer, onCloseError: () => undefined }),
    tiers: retryTopics.map(({ topic }) => topic),
    deadLetterTopic: deadLetters,
    compressions: ["none"],
    random: clocks.random,
    pause,
    onFailed: () => undefined,
    onEnded: () => undefined,
    onClockRefused: () => undefined,
    onCodecRefused: () => undefined,
  });
  const stream = new Stream({
    delivery: target.delivery,
    settle: settler,
    observer: {
      finished: (arrival, outcome) => onEnded({ arrival, outcome }),
      moved: (arrival, { reason }) => onMoved(arrival, reason),
    },
    clock: time,
    budget,
    flood,
    dedupe: new Dedupe({ rules: { windowMs: 3_600_000, maxEvents: 1_000 }, seed: 1 }),
    retryRules: { delaysMs: retryTopics.map(({ delayMs }) => delayMs), maxAttempts: 2, maxAgeMs: 1_000 },
    quickAttempts: limits.quickAttempts,
    maxReady: limits.maxReady,
    mayStart: () => state.mayStart,
    isPaused: () => state.isPaused,
    review: () => intake.reviewEnds(),
  });
  const schemas = new SchemaWait({
    ...time,
    load: registry.load,
    onHold: () => undefined,
    onReady: () => intake.review(["schema"]),
  });
  const intake: Intake = new Intake({
    ...time,
    consumer,
    stream,
    schemas,
    read: createReader({ decoder: registry, handle: (raw) => state.handle(raw) }),
    tiers: new Map(retryTopics.map(({ topic, delayMs }, tier) => [topic, { tier, delayMs }])),
    isHeldIn: (topic) => flood.isHeldIn(topic),
    maxSpan: limits.maxSpan,
    onDoubt: () => undefined,
    onUnreadable: { onWaits: () => undefined, onReadsOn: () => undefined, onSkipped: () => undefined },
  });
  const commits = new Commits({
    consumer,
    inlets: () => intake.inlets,
    onError: () => undefined,
    onShortened: () => undefined,
  });
  const membership = new Membership({
    intake,
    stream,
    commits,
    starts: {
      admin: broker,
      groupId: "group",
      startFrom: "earliest",
      known: new KnownLogs(),
    },
    onReset: () => undefined,
    drainLimitMs: { join: 5_000, leave: 5_000 },
    pause,
    abort: () => {
      for (const { answer } of target.calls.slice()) answer({ kind: "aborted" });
    },
    onState: () => undefined,
    onFatal: (error) => void fatal.push(error),
  });
  /** As the service wires a change of the settings, or of who may start. */
  const changed = (): void => {
    intake.review();
    stream.pump();
  };
  return {
    consumer,
    producer,
    target,
    registry,
    stream,
    intake,
    commits,
    membership,
    budget,
    fatal,
    /** The group's heartbeats are answered, or not. */
    contact: (mayStart: boolean): void => {
      state.mayStart = mayStart;
      if (mayStart) stream.pump();
    },
    setPaused: (isPaused: boolean): void => {
      state.isPaused = isPaused;
      changed();
    },
    /** Only these track events go from now on; all if there is none. */
    setEvents: (events: readonly string[]): void => {
      state.settings = { ...state.settings, events: [...events] };
      state.handle = handlerOf(state.settings);
      changed();
    },
    /** An operator has looked at the dead letters. */
    changeLimit: (): void => {
      limitChanges++;
      const deadLetterLimit = deadLetterLimits[limitChanges % deadLetterLimits.length] ?? firstLimit;
      state.settings = { ...state.settings, deadLetterLimit };
      flood.change(deadLetterLimit, clock.now());
      changed();
    },
  };
};

export type SimulatedMember = ReturnType<typeof createSimulatedMember>;
