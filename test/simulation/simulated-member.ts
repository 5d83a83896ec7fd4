import { type Settings, parseSettings } from "../../src/config/settings/settings.ts";
import type { Outcome, Retry } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import { createDecoder } from "../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../src/decoding/events.ts";
import type { SchemaLoadResult } from "../../src/decoding/registry/decoder-cache.ts";
import { Commits } from "../../src/intake/commits.ts";
import { Ingest } from "../../src/intake/ingest.ts";
import { KnownLogs } from "../../src/intake/known-logs.ts";
import { RebalanceHandler } from "../../src/intake/rebalance-handler.ts";
import { createRecordReader } from "../../src/intake/record-reader.ts";
import { SchemaWait } from "../../src/intake/schema-wait.ts";
import { Producers } from "../../src/kafka/publish/producers.ts";
import { RetryPublisher } from "../../src/kafka/publish/retry-publisher.ts";
import { DeadLetterLimit } from "../../src/limits/dead-letter-limit.ts";
import { Dedupe } from "../../src/limits/dedupe.ts";
import { createMemoryBudget } from "../../src/limits/memory-budget.ts";
import { Scheduler } from "../../src/pipeline/scheduler.ts";
import { createDecideFor } from "../../src/service/live-settings.ts";
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
export const limits = { maxRecords: 6, maxBytes: 20_000, maxReadyQueues: 3, maxInFlightWindow: 8, quickAttempts: 2 };

export const failed: Retry = { kind: "retry", reason: "server_error", error: "Gainsight failed", status: 500 };

const defaults = parseSettings("");
/** An operator who goes through these, one after the other, changes the limit each time. */
const deadLetterLimits = [1, 2, 3].flatMap((consecutive) =>
  (["cause", "all"] as const).map((scope) => ({ scope, consecutive, percent: 100, minEvents: 1_000 })),
);
const [firstLimit = false as const] = deadLetterLimits;
const settingsNow: Settings = { ...defaults, deadLetterLimit: firstLimit };

export interface Ended {
  readonly parsed: ParsedRecord;
  readonly outcome: Outcome;
}

interface MemberOptions {
  readonly broker: SimulatedBroker;
  readonly clock: TestClock;
  readonly onEnded: (ended: Ended) => void;
  /** An event has gone to a retry topic. */
  readonly onMoved: (parsed: ParsedRecord, reason: string) => void;
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
  const load = (id: number): Promise<SchemaLoadResult> =>
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
  const state = { isPaused: false, mayStart: true, settings: settingsNow, decide: createDecideFor(settingsNow) };
  let limitChanges = 0;
  const fatal: Error[] = [];
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.schedule(ms, resolve));
  const clocks = { wallNow: clock.now, monotonicNow: clock.now, random: () => 0.5, schedule: clock.schedule };
  const time = { ...clocks, nextTurn: (callback: () => void) => void setImmediate(callback) };
  const budget = createMemoryBudget(limits);
  const limit = new DeadLetterLimit({ limit: settingsNow.deadLetterLimit, onHoldChange: () => undefined });
  const publisher = new RetryPublisher({
    producers: new Producers({ createProducer: () => producer, onCloseError: () => undefined }),
    retryTopics: retryTopics.map(({ topic }) => topic),
    deadLetterTopic: deadLetters,
    compressions: ["none"],
    random: clocks.random,
    pause,
    onWriteFailed: () => undefined,
    onWriteEnded: () => undefined,
    onTimestampRefused: () => undefined,
    onCodecRefused: () => undefined,
  });
  const scheduler = new Scheduler({
    delivery: target.delivery,
    publisher,
    observer: {
      completed: (parsed, outcome) => onEnded({ parsed, outcome }),
      movedToRetry: (parsed, { reason }) => onMoved(parsed, reason),
    },
    clock: time,
    budget,
    deadLetterLimit: limit,
    dedupe: new Dedupe({ rules: { windowMs: 3_600_000, maxEvents: 1_000 }, seed: 1 }),
    retryRules: { delaysMs: retryTopics.map(({ delayMs }) => delayMs), maxAttempts: 2, maxAgeMs: 1_000 },
    maxQuickAttempts: limits.quickAttempts,
    maxReadyQueues: limits.maxReadyQueues,
    mayStart: () => state.mayStart,
    isPaused: () => state.isPaused,
    recheckWaiting: () => ingest.reviewCapacityPauses(),
  });
  const schemaWait = new SchemaWait({
    ...time,
    load: registry.load,
    onHold: () => undefined,
    onLoaded: () => ingest.reviewPauses(["schema"]),
  });
  const ingest: Ingest = new Ingest({
    ...time,
    consumer,
    scheduler,
    schemas: schemaWait,
    read: createRecordReader({ decoder: registry, decide: (event) => state.decide(event) }),
    retryTopics: new Map(retryTopics.map(({ topic, delayMs }, tier) => [topic, { tier, delayMs }])),
    hasDeadLetterHold: (topic) => limit.isTopicHeld(topic),
    maxInFlightWindow: limits.maxInFlightWindow,
    onSuspectLog: () => undefined,
    unreadableEvents: { onWaiting: () => undefined, onResumed: () => undefined, onSkipped: () => undefined },
  });
  const commits = new Commits({
    consumer,
    ownedPartitions: () => ingest.openPartitions,
    onError: () => undefined,
    onMetadataShortened: () => undefined,
  });
  const rebalanceHandler = new RebalanceHandler({
    ingest,
    scheduler,
    commits,
    startOffsets: {
      admin: broker,
      groupId: "group",
      startFrom: "earliest",
      knownLogs: new KnownLogs(),
    },
    onLogReset: () => undefined,
    drainTimeoutMs: { join: 5_000, leave: 5_000 },
    pause,
    abortCalls: () => {
      for (const { answer } of target.calls.slice()) answer({ kind: "aborted" });
    },
    onState: () => undefined,
    onFatal: (error) => void fatal.push(error),
  });
  /** As the service wires a change of the settings, or of who may start. */
  const changed = (): void => {
    ingest.reviewPauses();
    scheduler.startReady();
  };
  return {
    consumer,
    producer,
    target,
    registry,
    scheduler,
    ingest,
    commits,
    rebalanceHandler,
    budget,
    fatal,
    /** The group's heartbeats are answered, or not. */
    setMayStart: (mayStart: boolean): void => {
      state.mayStart = mayStart;
      if (mayStart) scheduler.startReady();
    },
    setPaused: (isPaused: boolean): void => {
      state.isPaused = isPaused;
      changed();
    },
    /** Only these track events go from now on; all if there is none. */
    setEvents: (events: readonly string[]): void => {
      state.settings = { ...state.settings, events: [...events] };
      state.decide = createDecideFor(state.settings);
      changed();
    },
    /** An operator has looked at the dead letters. */
    changeLimit: (): void => {
      limitChanges++;
      const deadLetterLimit = deadLetterLimits[limitChanges % deadLetterLimits.length] ?? firstLimit;
      state.settings = { ...state.settings, deadLetterLimit };
      limit.setLimit(deadLetterLimit, clock.now());
      changed();
    },
  };
};

export type SimulatedMember = ReturnType<typeof createSimulatedMember>;
