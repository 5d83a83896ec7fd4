import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Admin } from "kafkajs";

import { codecNames } from "../../src/kafka/codecs/codec.ts";
import type { Compression } from "../../src/kafka/codecs/codecs.ts";

export const schemaFile = join(import.meta.dirname, "..", "..", "schemas", "segment-event.avsc");

/** Of the source at the start; each growth adds one. */
export const partitions = 12;
export const secondPartitions = 3;

export const names = {
  group: "drill",
  source: "drill-events",
  /** A smaller source, which is deleted and made anew. */
  second: "drill-second",
  retry: "drill-retry",
  delays: ["1s", "3s", "6s"],
  deadLetter: "drill-dlq",
} as const;

export const sources = [names.source, names.second] as const;
export const retryTopics = names.delays.map((delay) => `${names.retry}-${delay}`);
/** Where the service writes. */
const outlets = [...retryTopics, names.deadLetter];

const compressions: readonly Compression[] = [...codecNames, "none"];

/** All codecs by turns: of the producer's batches, and of what the instances write. */
export const compressionOf = (turn: number): Compression => compressions[turn % compressions.length] ?? "none";

export const replication = 3;
const inSync = 2;
/** Kafka's number for a topic among the things that have a configuration. */
const topicResource = 2;

const keepAll = [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: "-1" },
];
/** The broker's own clock: instances may have a skewed one. */
const brokersTime = { name: "message.timestamp.type", value: "LogAppendTime" };

const configOf = (topic: string, minInSync: number) => [
  ...keepAll,
  ...(topic === names.deadLetter ? [brokersTime] : []),
  { name: "min.insync.replicas", value: String(minInSync) },
];

const shapeOf = (topic: string) => ({
  topic,
  numPartitions: topic === names.second ? secondPartitions : partitions,
  replicationFactor: replication,
  configEntries: configOf(topic, inSync),
});

const knows = async (admin: Admin, topics: string[]): Promise<boolean> => {
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  return found.every(({ partitions: all }) => all.every(({ leader }) => leader >= 0));
};

/** On a busy machine a broker does not know a new topic at once, and says that it does not host it. */
export const createTopics = async (admin: Admin): Promise<void> => {
  const topics = [...sources, ...outlets];
  await admin.createTopics({ topics: topics.map(shapeOf), waitForLeaders: false });
  for (let tries = 0; !(await knows(admin, topics).catch(() => false)); tries++) {
    if (tries === 100) throw new Error(`The topics ${topics.join(", ")} have no leaders`);
    await sleep(200);
  }
};

/** Refused is a write that more replicas must have than there are. */
export const refuseWrites = async (admin: Admin, isRefused: boolean): Promise<void> => {
  const minInSync = isRefused ? replication + 1 : inSync;
  const resources = outlets.map((topic) => ({
    type: topicResource,
    name: topic,
    configEntries: configOf(topic, minInSync),
  }));
  await admin.alterConfigs({ validateOnly: false, resources });
};

/** Gives the number of the new partition. */
export const addPartition = async (admin: Admin, count: number): Promise<number> => {
  await admin.createPartitions({ topicPartitions: [{ topic: names.source, count }] });
  return count - 1;
};

/** Deletes the second source, and makes one of the same name after a while. */
export const remakeSecond = async (admin: Admin, afterMs: number): Promise<void> => {
  await admin.deleteTopics({ topics: [names.second] });
  while ((await admin.listTopics()).includes(names.second)) await sleep(100);
  await sleep(afterMs);
  // A broker that has not heard of the deletion yet refuses it.
  for (let isMade = false; !isMade;) {
    isMade = await admin.createTopics({ topics: [shapeOf(names.second)], waitForLeaders: false }).catch(() => false);
    if (!isMade) await sleep(200);
  }
};
