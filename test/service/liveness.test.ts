import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import type { Member } from "../../src/intake/consumer-group.ts";
import { createFeed } from "../../src/intake/owned-partition.ts";
import { createLog } from "../../src/ops/log.ts";
import { type App, createApp } from "../../src/service/compose.ts";
import { type Liveness, createLiveness } from "../../src/service/liveness.ts";
import { Readiness, readyOf } from "../../src/service/status.ts";

const env = { KAFKA_BROKERS: "127.0.0.1:1", GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab" };
/** Of the default time-out and quick attempts. */
const limitMs = 90_000;

let app: App;
let membership: { state: string };
let schemas: { isHeld: boolean };
let readiness: Readiness;
let liveness: Liveness;
let lines: Record<string, unknown>[];

/** A member at work on one partition, with one record held: all of it real but for the group, which needs a broker. */
beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: "info", destination });
  const made = createApp({ config: readConfig(env), log, onFatal: () => {} });
  membership = { state: "owner" };
  schemas = { isHeld: false };
  const feeds = [createFeed({ topic: "segment-events", partition: 3 }, undefined)];
  feeds[0]?.pauses.set("due", () => true);
  const intake = { feeds, inlets: [], isOpen: true };
  const member = { ...made.member, membership, schemas, intake } as unknown as Member;
  app = { ...made, member };
  readiness = new Readiness();
  readiness.missing = "";
  app.budget.add(100);
  app.contact.heard();
  liveness = createLiveness({ app, readiness });
});

afterEach(async () => {
  liveness.close();
  app.settings.close();
  vi.useRealTimers();
  await app.gainsight.close();
});

/** Time passes for a member that the group hears of. */
const pass = (ms: number): void => {
  for (let passed = 0; passed < ms; passed += 1_000) {
    app.contact.heard();
    vi.advanceTimersByTime(1_000);
  }
};

it("a stall fails the probe, and its state is in the log once, without users and payloads", () => {
  pass(limitMs - 1_000);
  expect(liveness.live()).toEqual({ ok: true, detail: "owner" });
  pass(3 * limitMs);
  expect(liveness.live()).toEqual({ ok: false, detail: expect.stringMatching(/^Nothing has been finished for/) });
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
  ["an event is finished", () => app.metrics.event({ type: "track", outcome: "delivered" })],
  ["a record is moved to a tier", () => app.metrics.retry("timeout")],
  ["nothing is held", () => app.budget.reset()],
  ["a hold begins", () => (schemas.isHeld = true)],
  ["the group is joining", () => (membership.state = "joining")],
  ["the service shuts down", () => (readiness.missing = "Shutting down")],
])("the probe is content again when %s, and the log says so", (_, move) => {
  pass(limitMs);
  expect(liveness.live().ok).toBe(false);
  move();
  pass(1_000);
  expect(liveness.live().ok).toBe(true);
  expect(lines.at(-1)).toMatchObject({ level: "info", msg: "The stall has ended" });
});

it("a member whose group does not answer is not to blame", () => {
  vi.advanceTimersByTime(10 * limitMs);
  expect(liveness.live().ok).toBe(true);
});

it("a member whose writes Kafka refuses is not to blame as long as the hold says so", () => {
  const write = { topic: "gainstream-dlq" };
  app.writes.failed(write, new Error("NO"));
  pass(10 * limitMs);
  expect(liveness.live().ok).toBe(true);
  app.writes.ended(write);
  pass(limitMs);
  expect(liveness.live().ok).toBe(false);
});

describe("a consumer that alone gets no answers", () => {
  const limit = 180_000;
  let knocks: number;
  let isClusterUp: boolean;

  beforeEach(() => {
    knocks = 0;
    isClusterUp = true;
    const knock = (): Promise<void> => {
      knocks++;
      return isClusterUp ? Promise.resolve() : Promise.reject(new Error("ECONNREFUSED"));
    };
    liveness.close();
    app.budget.reset();
    app.silence.joined();
    liveness = createLiveness({ app: { ...app, knock }, readiness });
  });

  it("fails the probe and is named, once in the log, and an answer ends it", async () => {
    await vi.advanceTimersByTimeAsync(2 * limit);
    const problem = expect.stringMatching(/^Kafka answers other connections but not the consumer's: no heartbeat/);
    expect(liveness.live()).toEqual({ ok: false, detail: problem });
    expect(readyOf({ app, readiness })).toMatchObject({ ok: false, reasons: [problem] });
    app.silence.groupAnswered();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(liveness.live().ok).toBe(true);
    expect(lines.filter(({ msg }) => String(msg).startsWith("The consumer"))).toMatchObject([
      { level: "error", problem, msg: "The consumer has died" },
      { level: "info", msg: "The consumer is alive again" },
    ]);
  });

  it("is not to blame as long as no broker answers anybody, and asks every second whether one does", async () => {
    isClusterUp = false;
    await vi.advanceTimersByTimeAsync(10 * limit);
    expect(liveness.live().ok).toBe(true);
    expect(knocks).toBeGreaterThan(1_000);
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("costs nobody a question as long as it gets its answers", async () => {
    for (let second = 0; second < 600; second++) {
      app.silence.clusterAnswered();
      app.silence.groupAnswered();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect([knocks, liveness.live().ok]).toEqual([0, true]);
  });
});

it("a partition that waits for room where nothing is held is a stall", () => {
  app.budget.reset();
  pass(2 * limitMs);
  expect(liveness.live().ok).toBe(true);
  app.member.intake.feeds[0]?.pauses.set("budget", () => true);
  pass(2 * limitMs);
  expect(liveness.live().ok).toBe(false);
});

it.each([
  ["all", true],
  ["cause", false],
] as const)("too many dead letters excuse standing still only if everything waits for them: scope %s", (scope, ok) => {
  app.flood.change({ scope, consecutive: 1, percent: 100, minEvents: 1_000 }, 0);
  for (const _ of [1, 2]) app.flood.admit({ topic: "segment-events", reason: "undecodable" }, "No", 0);
  expect(readyOf({ app, readiness })).toMatchObject({
    ok: true,
    holds: ["flooded"],
    warnings: [expect.stringContaining("100 % are undecodable in segment-events")],
  });
  pass(limitMs + 5_000);
  expect(liveness.live().ok).toBe(ok);
});
