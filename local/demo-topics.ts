import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import avsc from "avsc";
import { type IHeaders, Kafka, type KafkaMessage, logLevel, type Producer } from "kafkajs";

import { encodeEvent } from "../src/decoding/encoder.ts";
import { frame } from "../src/decoding/frame.ts";
import { registerSchema } from "../src/decoding/registry/register.ts";
import { ClusterAdmin } from "../src/kafka/admin.ts";
import type { ClusterAddress } from "./cluster.ts";
import type { DemoRecord } from "./demo-data.ts";
import type { ReadRecord } from "./demo-verdict.ts";

export const SCHEMA_FILE = join(import.meta.dirname, "..", "schemas", "segment-event.avsc");
const PARTITIONS = 6;
const READ_LIMIT_MS = 20_000;

/** Names that are unique to this run, so that runs can share a cluster. */
export interface DemoTopicNames {
  readonly source: string;
  readonly retryTopics: readonly string[];
  readonly deadLetter: string;
  readonly group: string;
}

/** The demo's topics: produces to them, and reads them independently of the service. */
export interface DemoTopics {
  readonly names: DemoTopicNames;
  send(records: readonly DemoRecord[]): Promise<void>;
  /** The number of records in these topics together. */
  size(topics: readonly string[]): Promise<number>;
  /** The number of source records that the group has committed. */
  committed(): Promise<number>;
  /** All records of these topics. */
  read(topics: readonly string[]): Promise<readonly ReadRecord[]>;
  /** Closes the connections. Removes topics, groups and schema from a cluster that the demo did not start. */
  close(): Promise<void>;
}

/** Creates the source topic and registers the schema. `delays` is RETRY_DELAYS, such as `1s`. */
export async function openDemoTopics(cluster: ClusterAddress, delays: readonly string[]): Promise<DemoTopics> {
  const brokers = cluster.brokers.split(",");
  // Enough retries for a leader election, few enough to report an unreachable cluster soon.
  const kafka = new Kafka({ brokers, clientId: "gainstream-demo", logLevel: logLevel.NOTHING, retry: { retries: 6 } });
  const admin = new ClusterAdmin(kafka);
  await admin.connect().catch((error: unknown) => {
    throw new Error(
      `Cannot reach Kafka at ${cluster.brokers}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  const names = topicNames(`gainstream-demo-${randomUUID().slice(0, 8)}`, delays);
  await admin.createTopics([{ topic: names.source, partitions: PARTITIONS, replicationFactor: -1 }]);
  const subject = `${names.source}-value`;
  const schema = await readFile(SCHEMA_FILE, "utf8");
  const { id } = await registerSchema({ url: cluster.registryUrl, subject, schema });
  const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
  await producer.connect();
  const ranges = (topics: readonly string[]) => admin.logRanges(topics);
  return {
    names,
    send: createSend({ producer, topic: names.source, schema, schemaId: id }),
    size: async (topics) => sum((await ranges(topics)).map(({ beginningOffset: low, endOffset: high }) => high - low)),
    committed: async () =>
      sum((await admin.committedOffsets(names.group, [names.source])).map(({ offset = 0 }) => offset)),
    read: (topics) => readAll({ kafka, names, topics, ranges }),
    async close() {
      if (!isOwn(cluster)) await remove(kafka, names, `${cluster.registryUrl}/subjects/${subject}`);
      await Promise.allSettled([producer.disconnect(), admin.close()]);
    },
  };
}

/** Whether the demo started this cluster itself: then all of it is removed at the end. */
const isOwn = (cluster: ClusterAddress): boolean => "broker" in cluster;

function topicNames(run: string, delays: readonly string[]): DemoTopicNames {
  const retryTopics = delays.map((delay) => `${run}-retry-${delay}`);
  return { source: `${run}-events`, retryTopics, deadLetter: `${run}-dlq`, group: run };
}

function createSend(options: {
  producer: Producer;
  topic: string;
  schema: string;
  schemaId: number;
}): DemoTopics["send"] {
  const { producer, topic, schema, schemaId } = options;
  const type = avsc.Type.forSchema(JSON.parse(schema));
  return async (records) => {
    const messages = records.map(({ key, content }) => ({
      key,
      value: Buffer.isBuffer(content) ? content : frame(schemaId, encodeEvent(content, type)),
    }));
    await producer.send({ topic, messages });
  };
}

interface ReadOptions {
  readonly kafka: Kafka;
  readonly names: DemoTopicNames;
  readonly topics: readonly string[];
  readonly ranges: ClusterAdmin["logRanges"];
}

async function readAll({ kafka, names, topics, ranges }: ReadOptions): Promise<readonly ReadRecord[]> {
  const filled = (await ranges(topics)).filter(({ beginningOffset: low, endOffset: high }) => high > low);
  const wanted = sum(filled.map(({ beginningOffset: low, endOffset: high }) => high - low));
  if (wanted === 0) return [];
  const consumer = kafka.consumer({ groupId: `${names.group}-reader`, maxWaitTimeInMs: 100 });
  const found: ReadRecord[] = [];
  const all = Promise.withResolvers<void>();
  const limit = setTimeout(() => {
    all.reject(
      new Error(
        `Cannot read ${topics.join(", ")}: got ${found.length} of ${wanted} records within ${READ_LIMIT_MS / 1000} s`,
      ),
    );
  }, READ_LIMIT_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set(filled.map(({ topic }) => topic))], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, message }) => {
        if (found.push(toReadRecord(topic, message)) >= wanted) all.resolve();
      },
    });
    await all.promise;
  } finally {
    clearTimeout(limit);
    await consumer.disconnect();
  }
  return found;
}

function toReadRecord(topic: string, { key, value, headers = {} }: KafkaMessage): ReadRecord {
  return { topic, key: key?.toString() ?? "", value: value ?? Buffer.alloc(0), headers: toTexts(headers) };
}

function toTexts(headers: IHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function remove(kafka: Kafka, names: DemoTopicNames, subjectUrl: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ours = new Set([names.source, names.deadLetter, ...names.retryTopics]);
    const topics = (await admin.listTopics()).filter((topic) => ours.has(topic));
    await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const groupIds = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(names.group));
    if (groupIds.length > 0) await admin.deleteGroups(groupIds);
    await fetch(subjectUrl, { method: "DELETE" });
  } finally {
    await admin.disconnect();
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
