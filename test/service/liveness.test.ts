import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import type { ConsumerGroup } from "../../src/intake/consumer-group.ts";
import { createOwnedPartition } from "../../src/intake/owned-partition.ts";
import { createLog } from "../../src/ops/log.ts";
import { type App, createApp } from "../../src/service/compose.ts";
import { type Liveness, createLiveness } from "../../src/service/liveness.ts";
import { readinessOf } from "../../src/service/readiness.ts";
import { Readiness } from "../../src/service/service-view.ts";

const env = { KAFKA_BROKERS: "127.0.0.1:1", GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab" };
/** By the default time-out and quick attempts. */
const limitMs = 90_000;

let app: App;
let rebalanceHandler: { state: string };
let schemaWait: { isHeld: boolean };
let readiness: Readiness;
let liveness: Liveness;
let lines: Record<string, unknown>[];

/** A service that owns one partition and has one record in memory. Everything is real but the group, which needs a broker. */
beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: "info", destination });
  const composed = createApp({ config: readConfig(env), log, onFatal: () => {} });
  rebalanceHandler = { state: "owner" };
  schemaWait = { isHeld: false };
  const ownedPartitions = [createOwnedPartition({ topic: "segment-events", partition: 3 }, undefined)];
  ownedPartitions[0]?.pauses.set("due", () => true);
  const ingest = { ownedPartitions, openPartitions: [], areAllOpen: true };
  const group = { ...composed.group, rebalanceHandler, schemaWait, ingest } as unknown as ConsumerGroup;
  app = { ...composed, group };
  readiness = new Readiness();
  readiness.startupProblem = undefined;
  app.budget.reserve(100);
  app.sessionGuard.onHeartbeat();
  liveness = createLiveness({ app, readiness });
});

afterEach(async () => {
  liveness.close();
  app.settings.close();
  vi.useRealTimers();
  await app.gainsight.close();
});

/** Time passes while the group answers the heartbeats. */
const pass = (ms: number): void => {
  for (let passed = 0; passed < ms; passed += 1_000) {
    app.sessionGuard.onHeartbeat();
    vi.advanceTimersByTime(1_000);
  }
};

it("a stall fails the probe, and one log line shows the state, without users and payloads", () => {
  pass(limitMs - 1_000);
  expect(liveness.check()).toEqual({ ok: true, detail: "owner" });
  pass(3 * limitMs);
  expect(liveness.check()).toEqual({ ok: false, detail: expect.stringMatching(/^No record has been completed for/) });
  expect(lines).toEqual([
    {
      level: "error",
      time: expect.any(String),
      silentMs: limitMs,
      membership: "owner",
      holds: [],
      breaker: "closed",
      gate: "open",
      inFlight: 0,
      working: 0,
      heldRecords: 1,
      heldBytes: 100,
      partitions: [{ topic: "segment-events", partition: 3, high: 0, pauses: ["due"] }],
      msg: "Stalled: nothing moves",
    },
  ]);
});

it.each<[string, () => void]>([
  ["an event is finished", () => app.metrics.recordEvent({ type: "track", outcome: "delivered" })],
  ["a record is moved to a retry topic", () => app.metrics.recordRetry("timeout")],
  ["no record is in memory", () => app.budget.reset()],
  ["a hold begins", () => (schemaWait.isHeld = true)],
  ["the group is joining", () => (rebalanceHandler.state = "joining")],
  ["the service shuts down", () => (readiness.startupProblem = "Shutting down")],
])("the probe succeeds again when %s, and the log says so", (_, move) => {
  pass(limitMs);
  expect(liveness.check().ok).toBe(false);
  move();
  pass(1_000);
  expect(liveness.check().ok).toBe(true);
  expect(lines.at(-1)).toMatchObject({ level: "info", msg: "The stall has ended" });
});

it("there is no stall while the group does not answer", () => {
  vi.advanceTimersByTime(10 * limitMs);
  expect(liveness.check().ok).toBe(true);
});

it("there is no stall while Kafka refuses writes and the hold says so", () => {
  const write = { topic: "gainstream-dlq" };
  app.producerHealth.recordFailure(write, new Error("NO"));
  pass(10 * limitMs);
  expect(liveness.check().ok).toBe(true);
  app.producerHealth.recordEnd(write);
  pass(limitMs);
  expect(liveness.check().ok).toBe(false);
});

describe("a consumer that gets no answers while other connections do", () => {
  const limit = 180_000;
  let pings: number;
  let isClusterUp: boolean;

  beforeEach(() => {
    pings = 0;
    isClusterUp = true;
    const pingCluster = (): Promise<void> => {
      pings++;
      return isClusterUp ? Promise.resolve() : Promise.reject(new Error("ECONNREFUSED"));
    };
    liveness.close();
    app.budget.reset();
    app.watchdog.onJoined();
    liveness = createLiveness({ app: { ...app, pingCluster }, readiness });
  });

  it("fails the probe and is logged once, until it gets an answer", async () => {
    await vi.advanceTimersByTimeAsync(2 * limit);
    const problem = expect.stringMatching(/^Kafka answers other connections but not the consumer's: no heartbeat/);
    expect(liveness.check()).toEqual({ ok: false, detail: problem });
    expect(readinessOf({ app, readiness })).toMatchObject({ ok: false, reasons: [problem] });
    app.watchdog.onGroupResponse();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(liveness.check().ok).toBe(true);
    expect(lines.filter(({ msg }) => String(msg).startsWith("The consumer"))).toMatchObject([
      { level: "error", problem, msg: "The consumer has died" },
      { level: "info", msg: "The consumer is alive again" },
    ]);
  });

  it("does not fail the probe while no broker answers at all, and pings the cluster every second", async () => {
    isClusterUp = false;
    await vi.advanceTimersByTimeAsync(10 * limit);
    expect(liveness.check().ok).toBe(true);
    expect(pings).toBeGreaterThan(1_000);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("is not pinged for while it gets answers", async () => {
    for (let second = 0; second < 600; second++) {
      app.watchdog.onClusterResponse();
      app.watchdog.onGroupResponse();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect([pings, liveness.check().ok]).toEqual([0, true]);
  });
});

it("a partition that waits for the budget while no record is in memory is a stall", () => {
  app.budget.reset();
  pass(2 * limitMs);
  expect(liveness.check().ok).toBe(true);
  app.group.ingest.ownedPartitions[0]?.pauses.set("budget", () => true);
  pass(2 * limitMs);
  expect(liveness.check().ok).toBe(false);
});

it.each([
  ["all", true],
  ["cause", false],
] as const)("too many dead letters excuse a stall only if the whole stream is on hold: scope %s", (scope, ok) => {
  app.deadLetterLimit.setLimit({ scope, consecutive: 1, percent: 100, minEvents: 1_000 }, 0);
  for (const _ of [1, 2])
    app.deadLetterLimit.countIfAllowed({ topic: "segment-events", reason: "undecodable" }, "No", 0);
  expect(readinessOf({ app, readiness })).toMatchObject({
    ok: true,
    holds: ["flooded"],
    warnings: [expect.stringContaining("100 % are undecodable in topic segment-events")],
  });
  pass(limitMs + 5_000);
  expect(liveness.check().ok).toBe(ok);
});
