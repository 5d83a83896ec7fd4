import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import type { Admin, Kafka, Producer } from "kafkajs";

import { startCluster, type Cluster } from "../../local/cluster.ts";
import { freePorts } from "../../local/ports.ts";
import { registerSchema } from "../../src/decoding/registry/register.ts";
import { ClusterAdmin } from "../../src/kafka/admin.ts";
import { createKafka, patientRetry } from "../../src/kafka/client.ts";
import type { ReadRecord } from "./findings.ts";
import { denyRight, rightsSettings } from "./rights.ts";
import {
  addPartition,
  createTopics,
  names,
  partitions,
  refuseWrites,
  recreateSecond,
  replication,
  retryTopics,
  schemaFile,
  sources,
} from "./topics.ts";

/** The header with a record's id, so that dead letters can be identified without a schema. */
export const idHeader = "drill-id";

const schemaCount = 8;
/** How long the drill's own producer may take to see a new partition. */
const metadataMaxAgeMs = 1_000;

export interface RegisteredSchema {
  readonly id: number;
  readonly text: string;
}

/** The number of uncommitted records of one partition. */
export interface ConsumerLag {
  /** In the form `topic/partition`. */
  readonly partition: string;
  readonly records: number;
}

/** Kafka and the registry of the drill, read independently of the service. */
export interface DrillCluster {
  readonly servers: Cluster;
  /** KAFKA_BROKERS of the service: the listeners with SASL. */
  readonly serviceBrokers: string;
  readonly producer: Producer;
  /** The schema file, then versions with one more field each. All are registered; running instances know only the first. */
  readonly schemas: readonly RegisteredSchema[];
  /** The number of records in the retry topics and the dead-letter topic. */
  readonly writtenRecords: () => Promise<number>;
  readonly sourceRecords: () => Promise<number>;
  /** Partitions of sources and retry topics that the group has not fully committed. */
  readonly uncommitted: () => Promise<readonly ConsumerLag[]>;
  /** The broker that leads a partition of the source. */
  readonly leaderOf: (partition: number) => Promise<number>;
  /** Makes the brokers reject writes to retry and dead-letter topics, as with a full disk, or accept them again. */
  readonly refuseWrites: (isRefused: boolean) => Promise<void>;
  readonly readDeadLetters: () => Promise<readonly ReadRecord[]>;
  readonly readSources: () => Promise<readonly ReadRecord[]>;
  /** The number of records of a topic that the group has not committed. */
  readonly uncommittedIn: (topic: string) => Promise<number>;
  /** Adds a partition to the source. Resolves with its number. */
  readonly addPartition: () => Promise<number>;
  readonly recreateSecond: (afterMs: number) => Promise<void>;
  readonly denyRight: (pick: number) => ReturnType<typeof denyRight>;
  readonly close: () => Promise<void>;
}

const registerAll = async (registryUrl: string): Promise<readonly RegisteredSchema[]> => {
  const contract = JSON.parse(await readFile(schemaFile, "utf8")) as { fields: object[] };
  const schemas: RegisteredSchema[] = [];
  for (let version = 0; version < schemaCount; version++) {
    const extraFields = Array.from({ length: version }, (_, n) => ({
      name: `drill${n}`,
      type: ["null", "string"],
      default: null,
    }));
    const text = JSON.stringify({ ...contract, fields: [...contract.fields, ...extraFields] });
    const { id } = await registerSchema({ url: registryUrl, subject: `${names.source}-value`, schema: text });
    schemas.push({ id, text });
  }
  return schemas;
};

const findUncommitted = async (admin: ClusterAdmin): Promise<readonly ConsumerLag[]> => {
  const topics = [...sources, ...retryTopics];
  const ranges = await admin.logRanges(topics);
  const committed = await admin.committedOffsets(names.group, topics);
  const committedOffsets = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  return ranges
    .map(({ topic, partition, beginningOffset: low, endOffset: high }) => {
      const name = `${topic}/${partition}`;
      return { partition: name, records: high - (committedOffsets.get(name) ?? low) };
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
  (await admin.logRanges(topics)).reduce((sum, { beginningOffset: low, endOffset: high }) => sum + high - low, 0);

const recordsOf = (lags: readonly ConsumerLag[], topic: string): number =>
  lags.reduce((sum, { partition, records }) => sum + (partition.startsWith(`${topic}/`) ? records : 0), 0);

const leaderOf = async (admin: Admin, partition: number): Promise<number> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [names.source] });
  return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? 1;
};

/** Each call adds a partition to the source. Resolves with its number when the drill's own producer can use it. */
const createPartitionAdder = (admin: Admin): (() => Promise<number>) => {
  let count = partitions;
  return async () => {
    count++;
    const partition = await addPartition(admin, count);
    await sleep(2 * metadataMaxAgeMs);
    return partition;
  };
};

/** Starts three brokers and a registry, creates the topics and registers the schemas. Stops everything if that fails. */
export const startDrillCluster = async (): Promise<DrillCluster> => {
  const addresses = (await freePorts(replication)).map((port) => `127.0.0.1:${port}`);
  const cluster = await startCluster({ brokers: replication, more: rightsSettings(addresses) });
  try {
    return await prepare(cluster, addresses);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
};

const prepare = async (cluster: Cluster, addresses: readonly string[]): Promise<DrillCluster> => {
  const kafka = createKafka({ brokers: cluster.brokers.split(","), clientId: "drill", logLevel: 0 });
  const admin = kafka.admin();
  const clusterAdmin = new ClusterAdmin(kafka);
  // Not idempotent: with idempotence kafkajs loses acknowledged records when a broker dies. A duplicate can be found, a loss cannot.
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    retry: patientRetry,
    metadataMaxAge: metadataMaxAgeMs,
  });
  await Promise.all([admin.connect(), clusterAdmin.connect(), producer.connect()]);
  await createTopics(admin);
  const read = async (topic: string): Promise<readonly ReadRecord[]> =>
    readAll(kafka, { topic, wanted: await countRecords(clusterAdmin, [topic]) });
  return {
    servers: cluster,
    serviceBrokers: addresses.join(","),
    producer,
    schemas: await registerAll(cluster.registryUrl),
    writtenRecords: () => countRecords(clusterAdmin, [...retryTopics, names.deadLetter]),
    sourceRecords: () => countRecords(clusterAdmin, sources),
    uncommitted: () => findUncommitted(clusterAdmin),
    leaderOf: (partition) => leaderOf(admin, partition),
    refuseWrites: (isRefused) => refuseWrites(admin, isRefused),
    readDeadLetters: () => read(names.deadLetter),
    readSources: async () => (await Promise.all(sources.map(read))).flat(),
    uncommittedIn: async (topic) => recordsOf(await findUncommitted(clusterAdmin), topic),
    addPartition: createPartitionAdder(admin),
    recreateSecond: (afterMs) => recreateSecond(admin, afterMs),
    denyRight: (pick) => denyRight(admin, pick),
    close: async () => {
      await Promise.allSettled([producer.disconnect(), admin.disconnect(), clusterAdmin.close()]);
      await cluster.stop();
    },
  };
};
