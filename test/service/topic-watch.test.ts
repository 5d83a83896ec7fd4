import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import { createOwnedPartition } from "../../src/intake/owned-partition.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { createLog } from "../../src/ops/log.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import { TopicWatch, type TopicWatchOptions } from "../../src/service/topic-watch.ts";

const env = {
  KAFKA_BROKERS: "127.0.0.1:1",
  GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab",
  RETRY_DELAYS: "1s",
};
const [source, retryTopic, deadLetter] = ["segment-events", "gainstream-retry-1s", "gainstream-dlq"];

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
};

/** An instance that owns partition 0 and has read up to 5, in a cluster that answers as the test says. */
const createWorld = (more: Record<string, string> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const fatal: string[] = [];
  const resets: string[] = [];
  const restarted: unknown[] = [];
  const timers: { delayMs: number; callback: () => void }[] = [];
  const sizes = new Map<string, number>([source, retryTopic, deadLetter].map((topic) => [topic, 2]));
  const world = {
    time: 0,
    beginningOffset: 0,
    endOffset: 9,
    requests: 0,
    id: "id",
    answer: async () => {},
    state: "owner",
  };
  const place = { topic: source, partition: 0 };
  const backlog = new RetryBacklog([]);
  const tracker = new OffsetTracker({ startOffset: 5 });
  const ownedPartitions = [{ ...createOwnedPartition(place, undefined), topicId: "id", backlog, tracker }];
  const group = {
    rebalanceHandler: {
      get state() {
        return world.state;
      },
      restartAssignment: async (owned: unknown) => void restarted.push(owned),
    },
    ingest: { ownedPartitions, recordEndOffset: () => {}, gaps: { resume: () => {}, skipRemoved: () => {} } },
  };
  const admin: TopicWatchOptions["admin"] = {
    topicStates: async (topics) => {
      world.requests++;
      await world.answer();
      return topics.map((topic) => {
        const partitions = sizes.get(topic) ?? 0;
        const error = sizes.has(topic) ? undefined : "UNKNOWN_TOPIC_OR_PARTITION";
        return { topic, error, id: world.id, operations: undefined, partitions, replicationFactor: 1 };
      });
    },
    logRanges: async () => [{ ...place, beginningOffset: world.beginningOffset, endOffset: world.endOffset }],
    createTopics: async (shapes) => {
      for (const { topic, partitions } of shapes) sizes.set(topic, partitions);
    },
    createPartitions: async (shapes) => {
      for (const { topic, partitions } of shapes) sizes.set(topic, partitions);
    },
  };
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const config = readConfig({ ...env, ...more });
  const watch = new TopicWatch({
    admin,
    config,
    principal: { brokers: config.kafka.brokers },
    log: createLog({ level: "info", destination }),
    group: () => group as unknown as ReturnType<TopicWatchOptions["group"]>,
    monotonicNow: () => world.time,
    schedule: (delayMs, callback) => void timers.push({ delayMs, callback }),
    metrics: { recordLogReset: (topic) => void resets.push(topic) },
    onFatal: ({ message }) => void fatal.push(message),
  });
  const messages = (): unknown[] => lines.map(({ msg }) => msg);
  return { watch, world, sizes, timers, lines, messages, fatal, resets, restarted };
};

describe("TopicWatch", () => {
  it("logs nothing if all is well", async () => {
    const { watch, lines } = createWorld();
    expect(await watch.checkBeforeJoin()).toBeUndefined();
    await watch.checkNow();
    expect([watch.problems, watch.warnings, lines]).toEqual([[], [], []]);
    expect(watch.unreadPartitions).toEqual([{ topic: source, partitions: 0 }]);
  });

  it("creates its own topics again if they are gone, and reports it", async () => {
    const { watch, sizes, lines } = createWorld();
    await watch.checkNow();
    sizes.delete(retryTopic);
    sizes.delete(deadLetter);
    await watch.checkNow();
    expect(watch.problems).toEqual([]);
    expect(lines).toMatchObject([{ level: "info", topics: [retryTopic, deadLetter], msg: "Created topics" }]);
  });

  it("names missing topics that it may not create: once in the log, and in its problems as long as they are missing", async () => {
    const { watch, sizes, messages } = createWorld();
    await watch.checkNow();
    sizes.delete(source);
    await watch.checkNow();
    await watch.checkNow();
    expect(watch.problems).toEqual([`These topics do not exist: ${source}`]);
    sizes.set(source, 2);
    await watch.checkNow();
    expect(watch.problems).toEqual([]);
    expect(messages()).toEqual(["These topics do not exist any more", "All topics exist again"]);
  });

  it("warns once about partitions that are not read", async () => {
    const { watch, sizes, lines, messages } = createWorld({ CREATE_TOPICS: "false" });
    sizes.set(source, 5);
    await watch.checkNow();
    await watch.checkNow();
    expect([watch.problems, watch.warnings.length, lines.length]).toEqual([[], 1, 1]);
    expect(lines[0]).toMatchObject({ level: "warn", msg: watch.warnings[0] });
    sizes.set(retryTopic, 5);
    await watch.checkNow();
    expect([watch.warnings, messages().at(-1)]).toEqual([[], "All partitions are read"]);
  });

  it("reports what retention has removed, counts it, and continues; with START_FROM=fail it ends the service", async () => {
    for (const [startFrom, expected] of [
      ["earliest", []],
      ["fail", [expect.stringContaining(`${source}/0 (5 to 7)`)]],
    ] as const) {
      const { watch, world, lines, fatal, resets } = createWorld({ START_FROM: startFrom });
      world.beginningOffset = 8;
      await watch.checkNow();
      await watch.checkNow();
      const fields = { cause: "removed", oldOffset: 5, newOffset: 8, topic: source, partition: 0 };
      const msg = "Kafka's retention removed records before they were delivered";
      expect(lines).toMatchObject([{ level: "error", ...fields, msg }]);
      expect([resets, fatal]).toEqual([[source], expected]);
    }
  });

  it("checks again soon if a log seems to be replaced, and then restarts the assignment", async () => {
    const { watch, world, timers, restarted } = createWorld();
    world.id = "other";
    await watch.checkNow();
    expect([restarted.length, timers.map(({ delayMs }) => delayMs)]).toEqual([0, [1_000]]);
    timers[0]?.callback();
    await settle();
    expect([restarted.length, world.requests]).toEqual([1, 4]);
  });

  it("checks at once on request, but at most once a second, and not before it has joined", async () => {
    const { watch, world, timers } = createWorld();
    world.state = "joining";
    watch.checkSoon();
    timers.shift()?.callback();
    await settle();
    expect(world.requests).toBe(0);
    world.state = "owner";
    world.time = 500;
    for (let times = 0; times < 5; times++) watch.checkSoon();
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([0]);
    timers.shift()?.callback();
    await settle();
    world.time = 700;
    watch.checkSoon();
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([800]);
  });

  it("runs one check at a time, however long a response takes, and one more if it was requested meanwhile", async () => {
    const { watch, world, timers } = createWorld();
    const answer = Promise.withResolvers<void>();
    world.answer = () => answer.promise;
    void watch.checkNow();
    void watch.checkNow();
    watch.checkSoon();
    timers.shift()?.callback();
    await settle();
    expect(world.requests).toBe(1);
    answer.resolve();
    await settle();
    expect(world.requests).toBe(4);
  });

  it("retries if the cluster does not answer; a programming error ends the service", async () => {
    const { watch, world, fatal, lines } = createWorld();
    world.answer = () => Promise.reject(new Error("Broker not connected"));
    await watch.checkNow();
    await watch.checkNow();
    expect([world.requests, fatal, lines]).toEqual([2, [], []]);
    world.answer = () => Promise.reject(new TypeError("x is not a function"));
    await watch.checkNow();
    expect(fatal).toEqual(["x is not a function"]);
  });

  it("checks topics while the group joins, but no logs", async () => {
    const { watch, world, sizes } = createWorld();
    await watch.checkNow();
    world.state = "joining";
    sizes.delete(retryTopic);
    world.beginningOffset = 8;
    await watch.checkNow();
    expect([sizes.get(retryTopic), watch.problems]).toEqual([2, []]);
  });
});
