import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Admin, Kafka, Producer } from "kafkajs";

import { startCluster, type Cluster } from "../../local/cluster.ts";
import { registerSchema } from "../../src/intake/schemas-register.ts";
import { ClusterAdmin } from "../../src/kafka/admin.ts";
import { createKafka, patientRetry } from "../../src/kafka/client.ts";
import type { ReadRecord } from "./judge.ts";

export const schemaFile = join(import.meta.dirname, "..", "..", "schemas", "segment-event.avsc");
export const partitions = 12;
/** The header that carries a record's id, so that dead letters can be read without a schema. */
export const idHeader = "drill-id";

const replication = 3;
const inSync = 2;
const schemaCount = 8;
/** Kafka's number for a topic among the things that have a configuration. */
const topicResource = 2;

export const names = {
  group: "drill",
  source: "drill-events",
  retry: "drill-retry",
  delays: ["1s", "3s", "6s"],
  deadLetter: "drill-dlq",
} as const;

const tiers = names.delays.map((delay) => `${names.retry}-${delay}`);
/** Where the service writes. */
const outlets = [...tiers, names.deadLetter];

export interface RegisteredSchema {
  readonly id: number;
  readonly text: string;
}

/** Records of one partition that are not committed; `place` is topic/partition. */
export interface Backlog {
  readonly place: string;
  readonly records: number;
}

/** Kafka and registry of the drill, and what can be asked of them from outside of the service. */
export interface Stage {
  readonly cluster: Cluster;
  readonly producer: Producer;
  /** The contract, then the same with one field more each time: all registered, only the first known to running instances. */
  readonly schemas: readonly RegisteredSchema[];
  /** Records in the tiers and the dead-letter topic so far. */
  readonly written: () => Promise<number>;
  readonly sourceRecords: () => Promise<number>;
  /** Where the group has not committed everything yet: sources and tiers. */
  readonly backlog: () => Promise<readonly Backlog[]>;
  /** The broker that leads a partition of the source. */
  readonly leaderOf: (partition: number) => Promise<number>;
  /** Whether writes to tiers and dead letters are refused, as by brokers with a full disk. */
  readonly refuseWrites: (isRefused: boolean) => Promise<void>;
  readonly readDeadLetters: () => Promise<readonly ReadRecord[]>;
  readonly readSource: () => Promise<readonly ReadRecord[]>;
  readonly close: () => Promise<void>;
}

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

const createTopics = async (admin: Admin): Promise<void> => {
  const topics = [names.source, ...outlets].map((topic) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: configOf(topic, inSync),
  }));
  await admin.createTopics({ topics, waitForLeaders: true });
};

/** Refused is a write that more replicas must have than there are. */
const setMinInSync = async (admin: Admin, count: number): Promise<void> => {
  const resources = outlets.map((topic) => ({
    type: topicResource,
    name: topic,
    configEntries: configOf(topic, count),
  }));
  await admin.alterConfigs({ validateOnly: false, resources });
};

const registerAll = async (registryUrl: string): Promise<readonly RegisteredSchema[]> => {
  const contract = JSON.parse(await readFile(schemaFile, "utf8")) as { fields: object[] };
  const schemas: RegisteredSchema[] = [];
  for (let version = 0; version < schemaCount; version++) {
    const more = Array.from({ length: version }, (_, n) => ({
      name: `drill${n}`,
      type: ["null", "string"],
      default: null,
    }));
    const text = JSON.stringify({ ...contract, fields: [...contract.fields, ...more] });
    const { id } = await registerSchema({ url: registryUrl, subject: `${names.source}-value`, schema: text });
    schemas.push({ id, text });
  }
  return schemas;
};

const backlogOf = async (admin: ClusterAdmin): Promise<readonly Backlog[]> => {
  const topics = [names.source, ...tiers];
  const ranges = await admin.ranges(topics);
  const committed = await admin.committed(names.group, topics);
  const known = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  return ranges
    .map(({ topic, partition, low, high }) => {
      const place = `${topic}/${partition}`;
      return { place, records: high - (known.get(place) ?? low) };
    })
    .filter(({ records }) => records > 0);
};

const readAll = async (kafka: Kafka, { topic, wanted }: { topic: string; wanted: number }) => {
  if (wanted === 0) return [];
  const consumer = kafka.consumer({ groupId: `${names.group}-reads-${topic}`, maxWaitTimeInMs: 100 });
  const records: ReadRecord[] = [];
  const all = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message: { headers = {}, timestamp } }) => {
      const id = String(headers[idHeader]);
      const count = records.push({ id, reason: String(headers["gainstream-reason"]), at: Number(timestamp) });
      if (count >= wanted) all.resolve();
    },
  });
  await all.promise;
  await consumer.disconnect();
  return records;
};

const countRecords = async (admin: ClusterAdmin, topics: readonly string[]): Promise<number> =>
  (await admin.ranges(topics)).reduce((sum, { low, high }) => sum + high - low, 0);

/** Starts three brokers and a registry, makes the topics, registers the schemas. */
export const openStage = async (): Promise<Stage> => {
  const cluster = await startCluster({ brokers: 3 });
  const kafka = createKafka({ brokers: cluster.brokers.split(","), clientId: "drill", logLevel: 0 });
  const admin = kafka.admin();
  const questions = new ClusterAdmin(kafka);
  // Not idempotent: kafkajs then loses acknowledged records when a broker dies. One that is repeated instead can be found.
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: patientRetry });
  await Promise.all([admin.connect(), questions.connect(), producer.connect()]);
  await createTopics(admin);
  const read = async (topic: string): Promise<readonly ReadRecord[]> =>
    readAll(kafka, { topic, wanted: await countRecords(questions, [topic]) });
  return {
    cluster,
    producer,
    schemas: await registerAll(cluster.registryUrl),
    written: () => countRecords(questions, outlets),
    sourceRecords: () => countRecords(questions, [names.source]),
    backlog: () => backlogOf(questions),
    leaderOf: async (partition) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [names.source] });
      return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? 1;
    },
    refuseWrites: (isRefused) => setMinInSync(admin, isRefused ? replication + 1 : inSync),
    readDeadLetters: () => read(names.deadLetter),
    readSource: () => read(names.source),
    close: async () => {
      await Promise.allSettled([producer.disconnect(), admin.disconnect(), questions.close()]);
      await cluster.stop();
    },
  };
};
