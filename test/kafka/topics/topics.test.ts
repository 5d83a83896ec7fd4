import { describe, expect, it } from "vitest";

import type { TopicShape } from "../../../src/kafka/admin.ts";
import { type TopicsOptions, ensureTopics } from "../../../src/kafka/topics/topics.ts";

const options: TopicsOptions = {
  sources: ["source-a", "source-b"],
  tiers: ["retry-30s", "retry-5m"],
  deadLetter: "dlq",
  create: true,
  principal: { brokers: ["k1:9092", "k2:9092"] },
};

const shapeOf = (topic: string, partitions = 12, replication = 3): TopicShape => ({ topic, partitions, replication });

/** A cluster that is nothing but its topics. */
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
    if (topic === forbidden) return { error: "TOPIC_AUTHORIZATION_FAILED", partitions: 0, replication: 1 };
    return shape
      ? { ...shape, error: undefined }
      : { error: "UNKNOWN_TOPIC_OR_PARTITION", partitions: 0, replication: 1 };
  };
  const admin = {
    topics: async (names: readonly string[]) =>
      names.map((topic) => ({ id: undefined, operations: undefined, ...stateOf(topic), topic })),
    create: async (wanted: readonly TopicShape[]) => change("create", wanted),
    grow: async (wanted: readonly Partial<TopicShape>[]) => change("grow", wanted),
  };
  return { admin, changes };
};

const sources = [shapeOf("source-a"), shapeOf("source-b")];
const ours = [shapeOf("retry-30s"), shapeOf("retry-5m"), shapeOf("dlq")];
const nothing = { missing: [], problems: [], notGrown: undefined, created: [], grown: [], warnings: [] };
const allRead = sources.map(({ topic }) => ({ topic, partitions: 0 }));
const alter = "kafka-topics.sh --bootstrap-server k1:9092,k2:9092 --alter --topic";

describe("ensureTopics", () => {
  it("changes nothing where all topics are there and large enough", async () => {
    const { admin, changes } = createCluster([...sources, ...ours]);
    expect(await ensureTopics(admin, options)).toEqual({ ...nothing, unread: allRead });
    expect(changes).toEqual([]);
  });

  it("makes the missing topics of ours as large as the largest, with the source's replication", async () => {
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

  it("makes ours again also while a source is missing, as large as those that are there", async () => {
    const { admin, changes } = createCluster([shapeOf("source-a"), shapeOf("retry-30s")]);
    expect(await ensureTopics(admin, options)).toMatchObject({ missing: ["source-b"], created: ["retry-5m", "dlq"] });
    expect(changes).toHaveLength(1);
  });

  it("makes nothing where it cannot know how large", async () => {
    const { admin, changes } = createCluster([shapeOf("dlq")]);
    expect(await ensureTopics(admin, options)).toMatchObject({
      missing: ["source-a", "source-b", "retry-30s", "retry-5m"],
    });
    expect(changes).toEqual([]);
  });

  it("names what is missing where it may not make it", async () => {
    const { admin, changes } = createCluster([...sources, shapeOf("retry-30s")]);
    expect(await ensureTopics(admin, { ...options, create: false })).toMatchObject({ missing: ["retry-5m", "dlq"] });
    expect(changes).toEqual([]);
  });

  it.each([
    ["may not", false, undefined],
    ["is not allowed to", true, new Error("Cluster authorization failed")],
  ])("where it %s grow them, says what is not read and how to have it read", async (_, create, refusal) => {
    const shapes = [shapeOf("source-a", 5), shapeOf("source-b", 2), shapeOf("retry-30s", 2), shapeOf("retry-5m", 5)];
    const { admin, changes } = createCluster([...shapes, shapeOf("dlq", 1)], refusal);
    const report = await ensureTopics(admin, { ...options, create });
    expect(report.unread).toEqual([
      { topic: "source-a", partitions: 3 },
      { topic: "source-b", partitions: 0 },
    ]);
    expect(report.warnings).toEqual([
      "3 of the partitions of source-a are not read, because not all retry topics have as many: " +
        `${alter} retry-30s --partitions 5`,
    ]);
    expect(report).toMatchObject({ problems: [], notGrown: refusal, grown: [] });
    expect(changes).toEqual([]);
  });

  it("goes on with what it is told where a topic is forbidden or cannot be made, and says why", async () => {
    const { admin } = createCluster([...sources, shapeOf("retry-30s")], new Error("No"), "dlq");
    const report = await ensureTopics(admin, options);
    expect([report.missing, report.created]).toEqual([["retry-5m"], []]);
    expect(report.problems).toEqual([
      new Error("Cannot look at topic dlq: TOPIC_AUTHORIZATION_FAILED"),
      new Error("No"),
    ]);
  });

  it("takes it for no problem where another member was first", async () => {
    const { admin } = createCluster([...sources, shapeOf("retry-30s", 6), shapeOf("retry-5m")]);
    const other = createCluster([...sources, ...ours]);
    const refuse = async () => {
      Object.assign(admin, { topics: other.admin.topics });
      throw new Error("Topic already exists");
    };
    const report = await ensureTopics({ ...admin, topics: (names) => admin.topics(names), create: refuse }, options);
    expect(report).toMatchObject({ ...nothing, notGrown: undefined, created: [], missing: [], grown: ["retry-30s"] });
  });

  it("takes no mistake of ours for a refusal", async () => {
    const { admin } = createCluster([...sources], new TypeError("x is not a function"));
    await expect(ensureTopics(admin, options)).rejects.toThrow("x is not a function");
  });
});
