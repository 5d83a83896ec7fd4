import type { Kafka } from "kafkajs";
import { describe, expect, it } from "vitest";

import { ClusterAdmin } from "../../src/kafka/admin.ts";

type Answers = Record<string, (request: unknown) => unknown>;

/** kafkajs's admin client with hand-made answers, which counts how many calls run at the same time. */
const createTestAdmin = (answers: Answers) => {
  const calls: { name: string; request: unknown }[] = [];
  let running = 0;
  let most = 0;
  const client = new Proxy(
    {},
    {
      get: (_, name: string) => async (request: unknown) => {
        calls.push({ name, request });
        most = Math.max(most, ++running);
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        running--;
        return answers[name]?.(request);
      },
    },
  );
  const admin = new ClusterAdmin({ admin: () => client } as unknown as Kafka);
  return { admin, calls, most: () => most };
};

const failWith = (type: string) => (): never => {
  throw Object.assign(new Error(type), { type });
};

describe("cluster admin", () => {
  it("never asks two questions at a time, also where one of them fails", async () => {
    const { admin, calls, most } = createTestAdmin({
      fetchOffsets: failWith("COORDINATOR_NOT_AVAILABLE"),
      fetchTopicOffsets: () => [],
      listTopics: () => ["a"],
      fetchTopicMetadata: () => ({ topics: [{ partitions: [] }] }),
    });
    const asked = [
      admin.connect(),
      admin.committed("g", ["a"]),
      admin.ranges(["a", "b", "c"]),
      admin.shape("a"),
      admin.create([{ topic: "a", partitions: 1, replication: 1 }]),
      admin.committed("g", ["b"]),
      admin.close(),
    ];
    const settled = await Promise.allSettled(asked);
    expect(settled.map(({ status }) => status === "fulfilled")).toEqual([true, false, true, true, true, false, true]);
    expect(calls).toHaveLength(10);
    expect(most()).toBe(1);
  });

  it("asks for commits topic by topic, and tells partitions without a commit from those that were not answered", async () => {
    const partitions = [
      { partition: 0, offset: "12", metadata: "g1:1.1" },
      { partition: 1, offset: "-1", metadata: null },
    ];
    const asked: unknown[] = [];
    const { admin } = createTestAdmin({
      fetchOffsets: (request: unknown) => {
        asked.push(request);
        return asked.length === 1 ? [{ topic: "a", partitions }] : [];
      },
    });
    expect(await admin.committed("g", ["a", "b"])).toEqual([
      { topic: "a", partition: 0, offset: 12, metadata: "g1:1.1" },
      { topic: "a", partition: 1, offset: undefined, metadata: null },
    ]);
    expect(asked).toEqual([
      { groupId: "g", topics: ["a"] },
      { groupId: "g", topics: ["b"] },
    ]);
  });

  it("gives ranges as numbers, for every topic", async () => {
    const { admin } = createTestAdmin({
      fetchTopicOffsets: () => [{ partition: 3, offset: "9", low: "5", high: "9" }],
    });
    expect(await admin.ranges(["a", "b"])).toEqual([
      { topic: "a", partition: 3, low: 5, high: 9 },
      { topic: "b", partition: 3, low: 5, high: 9 },
    ]);
  });

  it("knows no shape of a topic that does not exist, and does not hide other errors", async () => {
    const missing = createTestAdmin({ listTopics: () => ["b"] });
    expect(await missing.admin.shape("a")).toBeUndefined();
    expect(missing.calls.map(({ name }) => name)).toEqual(["listTopics"]);
    const denied = createTestAdmin({ listTopics: () => ["a"], fetchTopicMetadata: failWith("TOPIC_AUTHORIZATION") });
    await expect(denied.admin.shape("a")).rejects.toThrow("TOPIC_AUTHORIZATION");
  });

  it("reads partitions and replication, and makes topics of such a shape that keep what lies in them", async () => {
    const { admin, calls } = createTestAdmin({
      listTopics: () => ["a", "b"],
      fetchTopicMetadata: () => ({ topics: [{ name: "a", partitions: [{ replicas: [1, 2, 3] }, { replicas: [2] }] }] }),
    });
    const shape = { topic: "a", partitions: 2, replication: 3 };
    expect(await admin.shape("a")).toEqual(shape);
    await admin.create([{ ...shape, topic: "b" }]);
    expect(calls.at(-1)).toEqual({
      name: "createTopics",
      request: {
        topics: [
          {
            topic: "b",
            numPartitions: 2,
            replicationFactor: 3,
            configEntries: [
              { name: "cleanup.policy", value: "delete" },
              { name: "retention.ms", value: "-1" },
              { name: "retention.bytes", value: "-1" },
            ],
          },
        ],
        waitForLeaders: true,
      },
    });
  });

  it("waits for topics that were made and that the broker has not yet heard of", async () => {
    const known: string[][] = [[], ["a"]];
    const { admin, calls } = createTestAdmin({
      createTopics: failWith("UNKNOWN_TOPIC_OR_PARTITION"),
      listTopics: () => known.shift(),
      fetchTopicMetadata: () => ({ topics: [{ name: "a", partitions: [{ replicas: [1] }] }] }),
    });
    await admin.create([{ topic: "a", partitions: 1, replication: 1 }]);
    expect(calls.map(({ name }) => name)).toEqual(["createTopics", "listTopics", "listTopics", "fetchTopicMetadata"]);
  });

  it("reads how long topics keep their records, and takes what is not told for kept", async () => {
    const entry = (configName: string, configValue: string | null) => ({ configName, configValue });
    const { admin, calls } = createTestAdmin({
      describeConfigs: () => ({
        resources: [
          {
            resourceName: "a",
            configEntries: [entry("retention.ms", "60000"), entry("cleanup.policy", "compact,delete"), entry("x", "y")],
          },
          { resourceName: "b", configEntries: [entry("retention.bytes", null)] },
        ],
      }),
    });
    expect(await admin.configs(["a", "b"])).toEqual([
      { topic: "a", cleanupPolicy: "compact,delete", retentionMs: 60_000, retentionBytes: -1 },
      { topic: "b", cleanupPolicy: "delete", retentionMs: -1, retentionBytes: -1 },
    ]);
    const configNames = ["cleanup.policy", "retention.ms", "retention.bytes"];
    expect(calls[0]?.request).toMatchObject({ resources: [{ type: 2, name: "a", configNames }, { name: "b" }] });
  });

  it.each([
    { type: "TOPIC_AUTHORIZATION_FAILED", retriable: false },
    { type: "UNSUPPORTED_VERSION", retriable: false },
    { name: "KafkaJSServerDoesNotSupportApiKey" },
  ])("says that it may not ask for settings where the cluster answers %j", async (refusal) => {
    const refuse = () => {
      throw Object.assign(new Error("No"), refusal);
    };
    expect(await createTestAdmin({ describeConfigs: refuse }).admin.configs(["a"])).toBe("refused");
  });

  it("does not take other errors about settings for a refusal", async () => {
    const { admin } = createTestAdmin({ describeConfigs: failWith("REQUEST_TIMED_OUT") });
    await expect(admin.configs(["a"])).rejects.toThrow("REQUEST_TIMED_OUT");
  });

  it("does not ask where there is nothing to make", async () => {
    const { admin, calls } = createTestAdmin({});
    await admin.create([]);
    expect(calls).toEqual([]);
  });
});
