import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import { createFeed } from "../../src/intake/owned-partition.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { createLog } from "../../src/ops/log.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import { TopicWatch, type TopicWatchOptions } from "../../src/service/topic-watch.ts";

const env = {
  KAFKA_BROKERS: "127.0.0.1:1",
  GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab",
  RETRY_DELAYS: "1s",
};
const [source, tier, deadLetter] = ["segment-events", "gainstream-retry-1s", "gainstream-dlq"];

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
};

/** A member at work on partition 0, read up to 5, in a cluster that answers as the test says. */
const createWorld = (more: Record<string, string> = {}) => {
  const lines: Record<string, unknown>[] = [];
  const fatal: string[] = [];
  const resets: string[] = [];
  const begun: unknown[] = [];
  const timers: { delayMs: number; callback: () => void }[] = [];
  const sizes = new Map<string, number>([source, tier, deadLetter].map((topic) => [topic, 2]));
  const world = { time: 0, low: 0, high: 9, questions: 0, id: "id", answer: async () => {}, state: "owner" };
  const place = { topic: source, partition: 0 };
  const inlet = { ...place, tier: undefined, chains: new Chains([]), tracker: new Tracker({ start: 5 }) };
  const feeds = [{ ...createFeed(place, undefined), topicId: "id", inlet }];
  const member = {
    membership: {
      get state() {
        return world.state;
      },
      beginAgain: async (over: unknown) => void begun.push(over),
    },
    intake: { feeds, heardEnd: () => {}, gaps: { goOn: () => {}, passOver: () => {} } },
  };
  const admin: TopicWatchOptions["admin"] = {
    topics: async (topics) => {
      world.questions++;
      await world.answer();
      return topics.map((topic) => {
        const partitions = sizes.get(topic) ?? 0;
        const error = sizes.has(topic) ? undefined : "UNKNOWN_TOPIC_OR_PARTITION";
        return { topic, error, id: world.id, operations: undefined, partitions, replication: 1 };
      });
    },
    ranges: async () => [{ ...place, low: world.low, high: world.high }],
    create: async (shapes) => {
      for (const { topic, partitions } of shapes) sizes.set(topic, partitions);
    },
    grow: async (shapes) => {
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
    member: () => member as unknown as ReturnType<TopicWatchOptions["member"]>,
    monotonic: () => world.time,
    schedule: (delayMs, callback) => void timers.push({ delayMs, callback }),
    metrics: { logReset: (topic) => void resets.push(topic) },
    onFatal: ({ message }) => void fatal.push(message),
  });
  const messages = (): unknown[] => lines.map(({ msg }) => msg);
  return { watch, world, sizes, timers, lines, messages, fatal, resets, begun };
};

describe("TopicWatch", () => {
  it("says nothing where all is well", async () => {
    const { watch, lines } = createWorld();
    expect(await watch.check()).toBeUndefined();
    await watch.run();
    expect([watch.reasons, watch.warnings, lines]).toEqual([[], [], []]);
    expect(watch.unread).toEqual([{ topic: source, partitions: 0 }]);
  });

  it("makes topics of ours that are gone again, and tells", async () => {
    const { watch, sizes, lines } = createWorld();
    await watch.run();
    sizes.delete(tier);
    sizes.delete(deadLetter);
    await watch.run();
    expect(watch.reasons).toEqual([]);
    expect(lines).toMatchObject([{ level: "info", topics: [tier, deadLetter], msg: "Created topics" }]);
  });

  it("names what is gone and not its to make, once in the log, and for as long as it is so", async () => {
    const { watch, sizes, messages } = createWorld();
    await watch.run();
    sizes.delete(source);
    await watch.run();
    await watch.run();
    expect(watch.reasons).toEqual([`These topics do not exist: ${source}`]);
    sizes.set(source, 2);
    await watch.run();
    expect(watch.reasons).toEqual([]);
    expect(messages()).toEqual(["These topics do not exist any more", "All topics are there again"]);
  });

  it("warns once of partitions that are not read, until they are", async () => {
    const { watch, sizes, lines, messages } = createWorld({ CREATE_TOPICS: "false" });
    sizes.set(source, 5);
    await watch.run();
    await watch.run();
    expect([watch.reasons, watch.warnings.length, lines.length]).toEqual([[], 1, 1]);
    expect(lines[0]).toMatchObject({ level: "warn", msg: watch.warnings[0] });
    sizes.set(tier, 5);
    await watch.run();
    expect([watch.warnings, messages().at(-1)]).toEqual([[], "All partitions are read"]);
  });

  it("tells what retention has removed, counts it, and goes on; with START_FROM=fail it ends the service", async () => {
    for (const [startFrom, expected] of [
      ["earliest", []],
      ["fail", [expect.stringContaining(`${source}/0 (5 to 7)`)]],
    ] as const) {
      const { watch, world, lines, fatal, resets } = createWorld({ START_FROM: startFrom });
      world.low = 8;
      await watch.run();
      await watch.run();
      const fields = { cause: "removed", oldOffset: 5, newOffset: 8, topic: source, partition: 0 };
      const msg = "Kafka's retention removed records before they were delivered";
      expect(lines).toMatchObject([{ level: "error", ...fields, msg }]);
      expect([resets, fatal]).toEqual([[source], expected]);
    }
  });

  it("asks once more soon where a log seems to be another one, and then has everything begin again", async () => {
    const { watch, world, timers, begun } = createWorld();
    world.id = "other";
    await watch.run();
    expect([begun.length, timers.map(({ delayMs }) => delayMs)]).toEqual([0, [1_000]]);
    timers[0]?.callback();
    await settle();
    expect([begun.length, world.questions]).toEqual([1, 4]);
  });

  it("asks at once when told to, but not more than once a second, and not while it has not joined", async () => {
    const { watch, world, timers } = createWorld();
    world.state = "joining";
    watch.soon();
    timers.shift()?.callback();
    await settle();
    expect(world.questions).toBe(0);
    world.state = "owner";
    world.time = 500;
    for (let times = 0; times < 5; times++) watch.soon();
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([0]);
    timers.shift()?.callback();
    await settle();
    world.time = 700;
    watch.soon();
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([800]);
  });

  it("asks one round at a time, however long an answer takes, and once more where something came up meanwhile", async () => {
    const { watch, world, timers } = createWorld();
    const answer = Promise.withResolvers<void>();
    world.answer = () => answer.promise;
    void watch.run();
    void watch.run();
    watch.soon();
    timers.shift()?.callback();
    await settle();
    expect(world.questions).toBe(1);
    answer.resolve();
    await settle();
    expect(world.questions).toBe(4);
  });

  it("asks a cluster again that does not answer; a mistake of ours ends the service", async () => {
    const { watch, world, fatal, lines } = createWorld();
    world.answer = () => Promise.reject(new Error("Broker not connected"));
    await watch.run();
    await watch.run();
    expect([world.questions, fatal, lines]).toEqual([2, [], []]);
    world.answer = () => Promise.reject(new TypeError("x is not a function"));
    await watch.run();
    expect(fatal).toEqual(["x is not a function"]);
  });

  it("looks after the topics while the group joins, and asks for no logs then", async () => {
    const { watch, world, sizes } = createWorld();
    await watch.run();
    world.state = "joining";
    sizes.delete(tier);
    world.low = 8;
    await watch.run();
    expect([sizes.get(tier), watch.reasons]).toEqual([2, []]);
  });
});
