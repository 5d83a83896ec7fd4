import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import type { Admin, Kafka, Producer } from "kafkajs";

import { startCluster, type Cluster } from "../../local/cluster.ts";
import { freePorts } from "../../local/ports.ts";
import { registerSchema } from "../../src/decoding/registry/register.ts";
import { ClusterAdmin } from "../../src/kafka/admin.ts";
import { createKafka, patientRetry } from "../../src/kafka/client.ts";
import type { ReadRecord } from "./judge.ts";
import { takeRight, withRights } from "./rights.ts";
import {
  addPartition,
  createTopics,
  names,
  partitions,
  refuseWrites,
  remakeSecond,
  replication,
  retryTopics,
  schemaFile,
  sources,
} from "./topics.ts";

/** The header that carries a record's id, so that dead letters can be read without a schema. */
export const idHeader = "drill-id";

const schemaCount = 8;
/** How long the drill's own producer takes to learn of a new partition. */
const metadataMaxAgeMs = 1_000;

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
  /** KAFKA_BROKERS of the service, which has to log in. */
  readonly serviceBrokers: string;
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
  readonly readSources: () => Promise<readonly ReadRecord[]>;
  /** Records of a topic that the group has not committed. */
  readonly backlogOf: (topic: string) => Promise<number>;
  /** The source gets one more partition; gives its number. */
  readonly addPartition: () => Promise<number>;
  readonly remakeSecond: (afterMs: number) => Promise<void>;
  readonly takeRight: (pick: number) => ReturnType<typeof takeRight>;
  readonly close: () => Promise<void>;
}

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

const backlogIn = async (admin: ClusterAdmin): Promise<readonly Backlog[]> => {
  const topics = [...sources, ...retryTopics];
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

const sumOf = (backlog: readonly Backlog[], topic: string): number =>
  backlog.reduce((sum, { place, records }) => sum + (place.startsWith(`${topic}/`) ? records : 0), 0);

const leaderOf = async (admin: Admin, partition: number): Promise<number> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [names.source] });
  return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? 1;
};

/** Each time it is called, the source gets one partition more; resolves when the drill's own producer knows it. */
const createGrowth = (admin: Admin): (() => Promise<number>) => {
  let count = partitions;
  return async () => {
    count++;
    const partition = await addPartition(admin, count);
    await sleep(2 * metadataMaxAgeMs);
    return partition;
  };
};

/** Starts three brokers and a registry, makes the topics, registers the schemas. What it has started ends if it fails. */
export const openStage = async (): Promise<Stage> => {
  const addresses = (await freePorts(replication)).map((port) => `127.0.0.1:${port}`);
  const cluster = await startCluster({ brokers: replication, more: withRights(addresses) });
  try {
    return await prepare(cluster, addresses);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
};

const prepare = async (cluster: Cluster, addresses: readonly string[]): Promise<Stage> => {
  const kafka = createKafka({ brokers: cluster.brokers.split(","), clientId: "drill", logLevel: 0 });
  const admin = kafka.admin();
  const questions = new ClusterAdmin(kafka);
  // Not idempotent: kafkajs then loses acknowledged records when a broker dies. One that is repeated instead can be found.
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    retry: patientRetry,
    metadataMaxAge: metadataMaxAgeMs,
  });
  await Promise.all([admin.connect(), questions.connect(), producer.connect()]);
  await createTopics(admin);
  const read = async (topic: string): Promise<readonly ReadRecord[]> =>
    readAll(kafka, { topic, wanted: await countRecords(questions, [topic]) });
  return {
    cluster,
    serviceBrokers: addresses.join(","),
    producer,
    schemas: await registerAll(cluster.registryUrl),
    written: () => countRecords(questions, [...retryTopics, names.deadLetter]),
    sourceRecords: () => countRecords(questions, sources),
    backlog: () => backlogIn(questions),
    leaderOf: (partition) => leaderOf(admin, partition),
    refuseWrites: (isRefused) => refuseWrites(admin, isRefused),
    readDeadLetters: () => read(names.deadLetter),
    readSources: async () => (await Promise.all(sources.map(read))).flat(),
    backlogOf: async (topic) => sumOf(await backlogIn(questions), topic),
    addPartition: createGrowth(admin),
    remakeSecond: (afterMs) => remakeSecond(admin, afterMs),
    takeRight: (pick) => takeRight(admin, pick),
    close: async () => {
      await Promise.allSettled([producer.disconnect(), admin.disconnect(), questions.close()]);
      await cluster.stop();
    },
  };
};
