import { describe, expect, it } from "vitest";

import type { TopicShape } from "../../../src/kafka/admin.ts";
import { type TopicsOptions, ensureTopics } from "../../../src/kafka/topics/ensure-topics.ts";

const options: TopicsOptions = {
  sources: ["source-a", "source-b"],
  retryTopics: ["retry-30s", "retry-5m"],
  deadLetter: "dlq",
  mayCreate: true,
  principal: { brokers: ["k1:9092", "k2:9092"] },
};

const shapeOf = (topic: string, partitions = 12, replicationFactor = 3): TopicShape => ({
  topic,
  partitions,
  replicationFactor,
});

/** A cluster that consists only of topics. */
const createCluster = (shapes: readonly TopicShape[], refusal?: Error, forbidden = "") => {
  const topics = new Map(shapes.map((shape) => [shape.topic, shape]));
  const changes: unknown[] = [];
  const change = (kind: string, wanted: readonly Partial<TopicShape>[]): void => {
    if (wanted.length === 0) return;
    if (refusal) throw refusal;
    changes.push([kind, ...wanted]);
    for (const shape of wanted) {
      const topic = shape.topic ?? "";
      topics.set(topic, { ...shapeOf(topic), ...topics.get(topic), ...shape });
    }
  };
  const stateOf = (topic: string) => {
    const shape = topics.get(topic);
    if (topic === forbidden) return { error: "TOPIC_AUTHORIZATION_FAILED", partitions: 0, replicationFactor: 1 };
    return shape
      ? { ...shape, error: undefined }
      : { error: "UNKNOWN_TOPIC_OR_PARTITION", partitions: 0, replicationFactor: 1 };
  };
  const admin = {
    topicStates: async (names: readonly string[]) =>
      names.map((topic) => ({ id: undefined, operations: undefined, ...stateOf(topic), topic })),
    createTopics: async (wanted: readonly TopicShape[]) => change("create", wanted),
    createPartitions: async (wanted: readonly Partial<TopicShape>[]) => change("grow", wanted),
  };
  return { admin, changes };
};

const sources = [shapeOf("source-a"), shapeOf("source-b")];
const ours = [shapeOf("retry-30s"), shapeOf("retry-5m"), shapeOf("dlq")];
const nothing = { missing: [], problems: [], growError: undefined, created: [], grown: [], warnings: [] };
const allRead = sources.map(({ topic }) => ({ topic, partitions: 0 }));
const alter = "kafka-topics.sh --bootstrap-server k1:9092,k2:9092 --alter --topic";

describe("ensureTopics", () => {
  it("changes nothing if all topics exist and are large enough", async () => {
    const { admin, changes } = createCluster([...sources, ...ours]);
    expect(await ensureTopics(admin, options)).toEqual({ ...nothing, unread: allRead });
    expect(changes).toEqual([]);
  });

  it("creates missing retry and dead-letter topics as large as the largest topic, with the source's replication", async () => {
    const { admin, changes } = createCluster([shapeOf("source-a", 4), shapeOf("source-b", 12), shapeOf("retry-30s")]);
    const report = await ensureTopics(admin, options);
    expect(report).toEqual({ ...nothing, created: ["retry-5m", "dlq"], unread: allRead });
    expect(changes).toEqual([["create", shapeOf("retry-5m"), shapeOf("dlq")]]);
  });

  it("grows the retry topics that are smaller than the largest, not the dead-letter topic", async () => {
    const { admin, changes } = createCluster([
      ...sources,
      shapeOf("retry-30s", 6),
      shapeOf("retry-5m"),
      shapeOf("dlq", 1),
    ]);
    expect(await ensureTopics(admin, options)).toEqual({ ...nothing, grown: ["retry-30s"], unread: allRead });
    expect(changes).toEqual([["grow", { topic: "retry-30s", partitions: 12 }]]);
  });

  it("creates them although a source is missing, as large as the topics that exist", async () => {
    const { admin, changes } = createCluster([shapeOf("source-a"), shapeOf("retry-30s")]);
    expect(await ensureTopics(admin, options)).toMatchObject({ missing: ["source-b"], created: ["retry-5m", "dlq"] });
    expect(changes).toHaveLength(1);
  });

  it("creates nothing if it cannot know how large", async () => {
    const { admin, changes } = createCluster([shapeOf("dlq")]);
    expect(await ensureTopics(admin, options)).toMatchObject({
      missing: ["source-a", "source-b", "retry-30s", "retry-5m"],
    });
    expect(changes).toEqual([]);
  });

  it("names what is missing if it may not create it", async () => {
    const { admin, changes } = createCluster([...sources, shapeOf("retry-30s")]);
    expect(await ensureTopics(admin, { ...options, mayCreate: false })).toMatchObject({ missing: ["retry-5m", "dlq"] });
    expect(changes).toEqual([]);
  });

  it.each([
    ["may not", false, undefined],
    ["is not allowed to", true, new Error("Cluster authorization failed")],
  ])("if it %s add partitions, reports which are not read and how to have them read", async (_, mayCreate, refusal) => {
    const shapes = [shapeOf("source-a", 5), shapeOf("source-b", 2), shapeOf("retry-30s", 2), shapeOf("retry-5m", 5)];
    const { admin, changes } = createCluster([...shapes, shapeOf("dlq", 1)], refusal);
    const report = await ensureTopics(admin, { ...options, mayCreate });
    expect(report.unread).toEqual([
      { topic: "source-a", partitions: 3 },
      { topic: "source-b", partitions: 0 },
    ]);
    expect(report.warnings).toEqual([
      "3 partitions of source-a are not read, because not all retry topics have as many; " +
        `add partitions with ${alter} retry-30s --partitions 5`,
    ]);
    expect(report).toMatchObject({ problems: [], growError: refusal, grown: [] });
    expect(changes).toEqual([]);
  });

  it("continues with the known topics if one is forbidden or cannot be created, and says why", async () => {
    const { admin } = createCluster([...sources, shapeOf("retry-30s")], new Error("No"), "dlq");
    const report = await ensureTopics(admin, options);
    expect([report.missing, report.created]).toEqual([["retry-5m"], []]);
    expect(report.problems).toEqual([
      new Error("Cannot read the metadata of dlq: TOPIC_AUTHORIZATION_FAILED"),
      new Error("No"),
    ]);
  });

  it("reports no problem if another member was first", async () => {
    const { admin } = createCluster([...sources, shapeOf("retry-30s", 6), shapeOf("retry-5m")]);
    const other = createCluster([...sources, ...ours]);
    const refuse = async () => {
      Object.assign(admin, { topicStates: other.admin.topicStates });
      throw new Error("Topic already exists");
    };
    const report = await ensureTopics(
      { ...admin, topicStates: (names) => admin.topicStates(names), createTopics: refuse },
      options,
    );
    expect(report).toMatchObject({ ...nothing, growError: undefined, created: [], missing: [], grown: ["retry-30s"] });
  });

  it("does not treat a programming error as a refusal", async () => {
    const { admin } = createCluster([...sources], new TypeError("x is not a function"));
    await expect(ensureTopics(admin, options)).rejects.toThrow("x is not a function");
  });
});
