import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { App } from "../src/app.ts";
import { readConfig } from "../src/config/read-config.ts";
import { Chains } from "../src/flow/chains.ts";
import { Tracker } from "../src/flow/tracker.ts";
import { createFeed } from "../src/intake/feed.ts";
import { createLog } from "../src/ops/log.ts";
import { startTimers } from "../src/timers.ts";

const env = { KAFKA_BROKERS: "127.0.0.1:1", GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A member at work on one partition, read up to 5, of which retention has left what begins at `low`. */
const createWorld = (startFrom: "earliest" | "fail", low: number, answer = async () => {}) => {
  const lines: Record<string, unknown>[] = [];
  const fatal: string[] = [];
  const counts = { commits: 0, questions: 0 };
  const membership = { state: "owner" };
  const config = readConfig({ ...env, START_FROM: startFrom });
  const place = { topic: "segment-events", partition: 3 };
  const inlet = { ...place, tier: undefined, chains: new Chains([]), tracker: new Tracker({ start: 5 }) };
  const feeds = [{ ...createFeed(place, undefined), inlet }];
  const member = {
    membership,
    commits: { run: async () => void counts.commits++ },
    intake: { feeds, heardEnd: () => {}, relieve: () => {} },
  };
  const ranges = async () => {
    counts.questions++;
    await answer();
    return [{ ...place, low, high: 9 }];
  };
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLog({ level: "info", destination });
  const app = { config, log, admin: { ranges }, member } as unknown as App;
  const stop = startTimers(app, ({ message }) => void fatal.push(message));
  return { lines, fatal, counts, membership, stop };
};

it("a member at work commits every second and asks where the logs end every ten", async () => {
  const { counts, membership, stop, lines } = createWorld("earliest", 5);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 2 });
  membership.state = "joining";
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 2 });
  membership.state = "owner";
  stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(lines).toEqual([]);
});

it("what retention has removed is in the log once, and the service goes on", async () => {
  const { lines, fatal } = createWorld("earliest", 8);
  await vi.advanceTimersByTimeAsync(30_000);
  const msg = "Kafka's retention removed records before they were delivered";
  expect(lines).toMatchObject([{ level: "error", topic: "segment-events", partition: 3, from: 5, to: 7, msg }]);
  expect(fatal).toEqual([]);
});

it("with START_FROM=fail it ends the service", async () => {
  const { fatal } = createWorld("fail", 8);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fatal).toEqual([expect.stringContaining("segment-events/3 (5 to 7)")]);
});

it("the cluster is asked one round at a time, however long an answer takes", async () => {
  const answer = Promise.withResolvers<void>();
  const { counts } = createWorld("earliest", 5, () => answer.promise);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(counts.questions).toBe(1);
  answer.resolve();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(counts.questions).toBe(2);
});

it("a cluster that does not answer is asked again; a mistake of ours ends the service", async () => {
  let error = new Error("Broker not connected");
  const { counts, fatal } = createWorld("earliest", 5, () => Promise.reject(error));
  await vi.advanceTimersByTimeAsync(20_000);
  expect([counts.questions, fatal]).toEqual([2, []]);
  error = new TypeError("x is not a function");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fatal).toEqual(["x is not a function"]);
});
