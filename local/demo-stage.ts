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
import type { DemoRecord } from "./demo-cast.ts";
import type { ReadRecord } from "./demo-verdict.ts";

export const SCHEMA_FILE = join(import.meta.dirname, "..", "schemas", "segment-event.avsc");
const PARTITIONS = 6;
const READ_LIMIT_MS = 20_000;

/** Names that no other run has, so that runs can share a cluster. */
export interface DemoTopicNames {
  readonly source: string;
  readonly tiers: readonly string[];
  readonly deadLetter: string;
  readonly group: string;
}

/** The demo's part of the cluster: its topics, and what can be asked of them from outside of the service. */
export interface DemoTopics {
  readonly names: DemoTopicNames;
  send(records: readonly DemoRecord[]): Promise<void>;
  /** How many records these topics hold together. */
  size(topics: readonly string[]): Promise<number>;
  /** How many records of the source topic the group has committed. */
  committed(): Promise<number>;
  /** All that these topics hold. */
  read(topics: readonly string[]): Promise<readonly ReadRecord[]>;
  /** Closes the connections, and leaves nothing of the demo on a cluster that goes on without it. */
  close(): Promise<void>;
}

/** Makes the source topic and registers the schema. `delays` are those of RETRY_DELAYS. */
export async function openDemoTopics(cluster: ClusterAddress, delays: readonly string[]): Promise<DemoTopics> {
  const brokers = cluster.brokers.split(",");
  // Patient enough for a leader election; a cluster that is not there should be said soon.
  const kafka = new Kafka({ brokers, clientId: "gainstream-demo", logLevel: logLevel.NOTHING, retry: { retries: 6 } });
  const admin = new ClusterAdmin(kafka);
  await admin.connect().catch((error: unknown) => {
    throw new Error(
      `Cannot reach the Kafka at ${cluster.brokers}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  const names = nameAll(`gainstream-demo-${randomUUID().slice(0, 8)}`, delays);
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

/** A cluster that was started for the demo goes with it. */
const isOwn = (cluster: ClusterAddress): boolean => "broker" in cluster;

function nameAll(run: string, delays: readonly string[]): DemoTopicNames {
  const tiers = delays.map((delay) => `${run}-retry-${delay}`);
  return { source: `${run}-events`, tiers, deadLetter: `${run}-dlq`, group: run };
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

interface Reading {
  readonly kafka: Kafka;
  readonly names: DemoTopicNames;
  readonly topics: readonly string[];
  readonly ranges: ClusterAdmin["logRanges"];
}

async function readAll({ kafka, names, topics, ranges }: Reading): Promise<readonly ReadRecord[]> {
  const held = (await ranges(topics)).filter(({ beginningOffset: low, endOffset: high }) => high > low);
  const wanted = sum(held.map(({ beginningOffset: low, endOffset: high }) => high - low));
  if (wanted === 0) return [];
  const consumer = kafka.consumer({ groupId: `${names.group}-reader`, maxWaitTimeInMs: 100 });
  const found: ReadRecord[] = [];
  const all = Promise.withResolvers<void>();
  const limit = setTimeout(() => {
    all.reject(new Error(`Cannot read ${topics.join(", ")}: got ${found.length} records in time, want ${wanted}`));
  }, READ_LIMIT_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set(held.map(({ topic }) => topic))], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, message }) => {
        if (found.push(toRead(topic, message)) >= wanted) all.resolve();
      },
    });
    await all.promise;
  } finally {
    clearTimeout(limit);
    await consumer.disconnect();
  }
  return found;
}

function toRead(topic: string, { key, value, headers = {} }: KafkaMessage): ReadRecord {
  return { topic, key: key?.toString() ?? "", value: value ?? Buffer.alloc(0), headers: toTexts(headers) };
}

function toTexts(headers: IHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function remove(kafka: Kafka, names: DemoTopicNames, subjectUrl: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ours = new Set([names.source, names.deadLetter, ...names.tiers]);
    const topics = (await admin.listTopics()).filter((topic) => ours.has(topic));
    await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const left = groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(names.group));
    if (left.length > 0) await admin.deleteGroups(left);
    await fetch(subjectUrl, { method: "DELETE" });
  } finally {
    await admin.disconnect();
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
