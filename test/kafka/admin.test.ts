import { KafkaJSAggregateError } from "kafkajs";
import { describe, expect, it } from "vitest";

import { ClusterAdmin } from "../../src/kafka/admin.ts";
import { type FakeTopic, createFakeKafka } from "./fake-cluster.ts";

type Topics = Readonly<Record<string, FakeTopic>>;

const createTestAdmin = (topics: Topics | (() => Topics), answers: Parameters<typeof createFakeKafka>[1] = {}) => {
  const fake = createFakeKafka(typeof topics === "function" ? topics : () => topics, answers);
  return { admin: new ClusterAdmin(fake.kafka), ...fake };
};

const failWith = (type: string) => (): never => {
  throw Object.assign(new Error(type), { type, retriable: false });
};

const oneTopic: FakeTopic = { partitions: [{ beginningOffset: 5, endOffset: 9 }] };

describe("ClusterAdmin", () => {
  it("never sends two requests at a time, even if one of them fails", async () => {
    const { admin, maxRunning } = createTestAdmin(
      { a: oneTopic, b: oneTopic },
      { offsetFetch: failWith("NOT_AUTHORIZED") },
    );
    const requested = [
      admin.connect(),
      admin.committedOffsets("g", ["a"]),
      admin.logRanges(["a", "b", "c"]),
      admin.topicShape("a"),
      admin.topicStates(["a"]),
      admin.createTopics([{ topic: "a", partitions: 1, replicationFactor: 1 }]),
      admin.createPartitions([{ topic: "b", partitions: 1 }]),
      admin.committedOffsets("g", ["b"]),
      admin.close(),
    ];
    const settled = await Promise.allSettled(requested);
    const failed = settled.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(failed).toEqual([1, 7]);
    expect(maxRunning()).toBe(1);
  });

  it("requests committed offsets topic by topic, and distinguishes partitions without a commit from those without an answer", async () => {
    const partitions = [
      { partition: 0, offset: "12", metadata: "g1:1.1" },
      { partition: 1, offset: "-1", metadata: null },
    ];
    const requested: unknown[] = [];
    const offsetFetch = (request: unknown) => {
      requested.push(request);
      return { responses: requested.length === 1 ? [{ topic: "a", partitions }] : [] };
    };
    const { admin } = createTestAdmin({ a: { partitions: [{}, {}] }, b: oneTopic }, { offsetFetch });
    expect(await admin.committedOffsets("g", ["a", "b"])).toEqual([
      { topic: "a", partition: 0, offset: 12, metadata: "g1:1.1" },
      { topic: "a", partition: 1, offset: undefined, metadata: null },
    ]);
    expect(requested).toEqual([
      { groupId: "g", topics: [{ topic: "a", partitions: [{ partition: 0 }, { partition: 1 }] }] },
      { groupId: "g", topics: [{ topic: "b", partitions: [{ partition: 0 }] }] },
    ]);
  });

  it("returns log ranges as numbers, although one topic is missing, forbidden or without a leader", async () => {
    const { admin } = createTestAdmin({
      a: oneTopic,
      forbidden: { errorCode: 29 },
      some: { partitions: [{ leader: -1 }, { endOffset: 3 }, { errorCode: 5 }] },
    });
    expect(await admin.logRanges(["a", "missing", "forbidden", "some"])).toEqual([
      { topic: "a", partition: 0, beginningOffset: 5, endOffset: 9 },
      { topic: "some", partition: 1, beginningOffset: 0, endOffset: 3 },
    ]);
  });

  it("returns the state of each topic, whatever the states of the others", async () => {
    const { admin } = createTestAdmin({ a: { partitions: [{ replicas: [1, 2, 3] }, {}] }, b: { errorCode: 29 } });
    expect(await admin.topicStates(["b", "a", "c"])).toEqual([
      { topic: "b", error: "TOPIC_AUTHORIZATION_FAILED", id: "id-of-b", partitions: 0, replicationFactor: 1 },
      { topic: "a", error: undefined, id: "id-of-a", partitions: 2, replicationFactor: 3 },
      { topic: "c", error: "UNKNOWN_TOPIC_OR_PARTITION", id: undefined, partitions: 0, replicationFactor: 1 },
    ]);
    expect(await admin.topicShape("a")).toEqual({ topic: "a", partitions: 2, replicationFactor: 3 });
    expect(await admin.topicShape("c")).toBeUndefined();
    await expect(admin.topicShape("b")).rejects.toThrow("TOPIC_AUTHORIZATION_FAILED");
  });

  it("creates topics that keep their records, and waits until the broker knows them", async () => {
    const states: Topics[] = [{}, {}, { b: { partitions: [{}] } }, { b: { partitions: [{}, {}] } }];
    const { admin, calls } = createTestAdmin(() => (states.length > 1 ? states.shift() : states[0]) ?? {});
    await admin.createTopics([{ topic: "b", partitions: 2, replicationFactor: 3 }]);
    const configEntries = [
      { name: "cleanup.policy", value: "delete" },
      { name: "retention.ms", value: "-1" },
      { name: "retention.bytes", value: "-1" },
      { name: "compression.type", value: "producer" },
    ];
    expect(calls.find(({ name }) => name === "createTopics")?.request).toMatchObject({
      topics: [{ topic: "b", numPartitions: 2, replicationFactor: 3, configEntries }],
    });
    expect(states).toHaveLength(1);
  });

  it.each(["INVALID_CONFIG", "POLICY_VIOLATION", "INVALID_REQUEST"])(
    "leaves the codec of a topic to a cluster that answers %s to ours",
    async (type) => {
      const errors = ["TOPIC_ALREADY_EXISTS", type].map((name) => Object.assign(new Error(name), { type: name }));
      const attempts: string[][] = [];
      const createTopics = (request: unknown) => {
        const { topics } = request as { topics: { configEntries: { name: string }[] }[] };
        attempts.push(topics[0]?.configEntries.map(({ name }) => name) ?? []);
        if (attempts.length === 1) throw new KafkaJSAggregateError("Topic creation errors", errors);
        return {};
      };
      const { admin } = createTestAdmin({ a: oneTopic, b: oneTopic }, { createTopics });
      await admin.createTopics(["a", "b"].map((topic) => ({ topic, partitions: 1, replicationFactor: 1 })));
      const kept = ["cleanup.policy", "retention.ms", "retention.bytes"];
      expect(attempts).toEqual([[...kept, "compression.type"], kept]);
    },
  );

  it("does not try again if a topic is refused for another reason", async () => {
    const { admin, calls } = createTestAdmin({ a: oneTopic }, { createTopics: failWith("TOPIC_AUTHORIZATION_FAILED") });
    await expect(admin.createTopics([{ topic: "a", partitions: 1, replicationFactor: 1 }])).rejects.toThrow(
      "AUTHORIZATION",
    );
    expect(calls.filter(({ name }) => name === "createTopics")).toHaveLength(1);
  });

  it("adds partitions to topics", async () => {
    const { admin, calls } = createTestAdmin({ a: { partitions: [{}, {}] } });
    await admin.createPartitions([{ topic: "a", partitions: 2 }]);
    expect(calls.find(({ name }) => name === "createPartitions")?.request).toMatchObject({
      topicPartitions: [{ topic: "a", count: 2 }],
    });
  });

  it("reads the retention of topics, and treats what is not reported as unlimited", async () => {
    const entry = (configName: string, configValue: string | null) => ({ configName, configValue });
    const resources = [
      {
        resourceName: "a",
        configEntries: [entry("retention.ms", "60000"), entry("cleanup.policy", "compact,delete"), entry("x", "y")],
      },
      { resourceName: "b", configEntries: [entry("retention.bytes", null)] },
    ];
    const { admin, calls } = createTestAdmin({}, { describeConfigs: () => ({ resources }) });
    expect(await admin.topicConfigs(["a", "b"])).toEqual([
      { topic: "a", cleanupPolicy: "compact,delete", retentionMs: 60_000, retentionBytes: -1 },
      { topic: "b", cleanupPolicy: "delete", retentionMs: -1, retentionBytes: -1 },
    ]);
    const configNames = ["cleanup.policy", "retention.ms", "retention.bytes"];
    expect(calls.at(-1)?.request).toMatchObject({ resources: [{ type: 2, name: "a", configNames }, { name: "b" }] });
  });

  it.each([
    { type: "TOPIC_AUTHORIZATION_FAILED", retriable: false },
    { type: "UNSUPPORTED_VERSION", retriable: false },
    { name: "KafkaJSServerDoesNotSupportApiKey" },
  ])("returns `refused` for settings if the cluster answers %j", async (refusal) => {
    const describeConfigs = () => {
      throw Object.assign(new Error("No"), refusal);
    };
    expect(await createTestAdmin({}, { describeConfigs }).admin.topicConfigs(["a"])).toBe("refused");
  });

  it("does not treat other errors about settings as a refusal", async () => {
    const { admin } = createTestAdmin({}, { describeConfigs: failWith("x") });
    expect(await admin.topicConfigs(["a"])).toBe("refused");
    const describeConfigs = () => {
      throw Object.assign(new Error("REQUEST_TIMED_OUT"), { type: "REQUEST_TIMED_OUT" });
    };
    await expect(createTestAdmin({}, { describeConfigs }).admin.topicConfigs(["a"])).rejects.toThrow(
      "REQUEST_TIMED_OUT",
    );
  });

  it("sends no request if there is nothing to create", async () => {
    const { admin, calls } = createTestAdmin({});
    await admin.createTopics([]);
    await admin.createPartitions([]);
    expect(calls).toEqual([]);
  });
});
