import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Admin } from "kafkajs";

import { codecNames } from "../../src/kafka/codecs/codec.ts";
import type { Compression } from "../../src/kafka/codecs/codecs.ts";

export const schemaFile = join(import.meta.dirname, "..", "..", "schemas", "segment-event.avsc");

/** Partitions of the source at the start. The fault `grow` adds one each time. */
export const partitions = 12;
export const secondPartitions = 3;

export const names = {
  group: "drill",
  source: "drill-events",
  /** A smaller source, which the fault `anew` deletes and creates again. */
  second: "drill-second",
  retry: "drill-retry",
  delays: ["1s", "3s", "6s"],
  deadLetter: "drill-dlq",
} as const;

export const sources = [names.source, names.second] as const;
export const retryTopics = names.delays.map((delay) => `${names.retry}-${delay}`);
/** The topics that the service writes to. */
const outputTopics = [...retryTopics, names.deadLetter];

const compressions: readonly Compression[] = [...codecNames, "none"];

/** All codecs by turns, for the producer's batches and for the writes of the instances. */
export const compressionOf = (turn: number): Compression => compressions[turn % compressions.length] ?? "none";

export const replication = 3;
const inSync = 2;
/** Kafka's ConfigResource type of a topic. */
const topicResource = 2;

const keepAll = [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: "-1" },
];
/** Timestamps by the broker's clock: the clock of an instance may be wrong. */
const brokerTime = { name: "message.timestamp.type", value: "LogAppendTime" };

const configOf = (topic: string, minInSync: number) => [
  ...keepAll,
  ...(topic === names.deadLetter ? [brokerTime] : []),
  { name: "min.insync.replicas", value: String(minInSync) },
];

const topicConfig = (topic: string) => ({
  topic,
  numPartitions: topic === names.second ? secondPartitions : partitions,
  replicationFactor: replication,
  configEntries: configOf(topic, inSync),
});

const haveLeaders = async (admin: Admin, topics: string[]): Promise<boolean> => {
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  return found.every(({ partitions: all }) => all.every(({ leader }) => leader >= 0));
};

/** Creates all topics and waits for their leaders. On a busy machine a broker answers for a while that it does not host a new topic. */
export const createTopics = async (admin: Admin): Promise<void> => {
  const topics = [...sources, ...outputTopics];
  await admin.createTopics({ topics: topics.map(topicConfig), waitForLeaders: false });
  for (let tries = 0; !(await haveLeaders(admin, topics).catch(() => false)); tries++) {
    if (tries === 100) throw new Error(`The topics ${topics.join(", ")} have no leaders within 20 s`);
    await sleep(200);
  }
};

/** Makes the brokers reject writes by requiring more in-sync replicas than there are, or accept them again. */
export const refuseWrites = async (admin: Admin, isRefused: boolean): Promise<void> => {
  const minInSync = isRefused ? replication + 1 : inSync;
  const resources = outputTopics.map((topic) => ({
    type: topicResource,
    name: topic,
    configEntries: configOf(topic, minInSync),
  }));
  await admin.alterConfigs({ validateOnly: false, resources });
};

/** Adds a partition to the source. Resolves with its number. */
export const addPartition = async (admin: Admin, count: number): Promise<number> => {
  await admin.createPartitions({ topicPartitions: [{ topic: names.source, count }] });
  return count - 1;
};

/** Deletes the second source and creates it again after `afterMs`. */
export const recreateSecond = async (admin: Admin, afterMs: number): Promise<void> => {
  await admin.deleteTopics({ topics: [names.second] });
  while ((await admin.listTopics()).includes(names.second)) await sleep(100);
  await sleep(afterMs);
  // A broker that does not know of the deletion yet rejects the creation.
  for (let isCreated = false; !isCreated;) {
    isCreated = await admin
      .createTopics({ topics: [topicConfig(names.second)], waitForLeaders: false })
      .catch(() => false);
    if (!isCreated) await sleep(200);
  }
};
