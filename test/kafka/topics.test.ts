import { describe, expect, it } from "vitest";

import type { ClusterAdmin, TopicShape } from "../../src/kafka/admin.ts";
import { type TopicsOptions, ensureTopics } from "../../src/kafka/topics.ts";

const options: TopicsOptions = {
  sources: ["source-a", "source-b"],
  tiers: ["retry-30s", "retry-5m"],
  deadLetter: "dlq",
  create: true,
};

const shapeOf = (topic: string, partitions = 12, replication = 3): TopicShape => ({ topic, partitions, replication });

/** A cluster that is nothing but its topics. */
const createCluster = (...shapes: TopicShape[]) => {
  const topics = new Map(shapes.map((shape) => [shape.topic, shape]));
  const created: TopicShape[] = [];
  const admin = {
    shape: async (topic: string) => topics.get(topic),
    create: async (wanted: readonly TopicShape[]) => {
      created.push(...wanted);
      for (const shape of wanted) topics.set(shape.topic, shape);
    },
  };
  return { admin: admin as unknown as ClusterAdmin, created };
};

const sources = [shapeOf("source-a"), shapeOf("source-b")];
const ours = [shapeOf("retry-30s"), shapeOf("retry-5m"), shapeOf("dlq")];

describe("ensureTopics", () => {
  it("is ready where all topics are there, and makes nothing", async () => {
    const { admin, created } = createCluster(...sources, ...ours);
    expect(await ensureTopics(admin, options)).toEqual({ kind: "ready", partitions: 12, created: [] });
    expect(created).toEqual([]);
  });

  it("makes the missing topics of ours with the source's partitions and replication", async () => {
    const { admin, created } = createCluster(...sources, shapeOf("retry-30s"));
    const state = await ensureTopics(admin, options);
    expect(state).toEqual({ kind: "ready", partitions: 12, created: ["retry-5m", "dlq"] });
    expect(created).toEqual([shapeOf("retry-5m"), shapeOf("dlq")]);
  });

  it.each([
    ["one", [shapeOf("source-a")], ["source-b"]],
    ["all", [], ["source-a", "source-b"]],
  ])("waits where %s of the sources is missing, and makes nothing", async (_, shapes, missing) => {
    const { admin, created } = createCluster(...shapes);
    expect(await ensureTopics(admin, options)).toEqual({ kind: "missing", topics: missing });
    expect(created).toEqual([]);
  });

  it("waits where a topic of ours is missing and may not be made", async () => {
    const { admin, created } = createCluster(...sources, shapeOf("retry-30s"));
    const state = await ensureTopics(admin, { ...options, create: false });
    expect(state).toEqual({ kind: "missing", topics: ["retry-5m", "dlq"] });
    expect(created).toEqual([]);
  });

  it.each([
    ["a source", [shapeOf("source-a"), shapeOf("source-b", 6), ...ours]],
    ["a tier", [...sources, shapeOf("retry-30s"), shapeOf("retry-5m", 6), shapeOf("dlq")]],
  ])("is unfit where %s has another number of partitions, and says what to do", async (_, shapes) => {
    const { admin } = createCluster(...shapes);
    const state = await ensureTopics(admin, options);
    expect(state).toMatchObject({ kind: "unfit" });
    expect(JSON.stringify(state)).toMatch(/source-a has 12.* has 6.*--partitions/);
  });

  it("lets the dead-letter topic have any number of partitions", async () => {
    const { admin } = createCluster(...sources, shapeOf("retry-30s"), shapeOf("retry-5m"), shapeOf("dlq", 1));
    expect(await ensureTopics(admin, options)).toMatchObject({ kind: "ready" });
  });
});
