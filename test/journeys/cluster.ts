import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { type Admin, type IHeaders, type ITopicConfig, Kafka, KafkaJSProtocolError, logLevel } from "kafkajs";
import { inject } from "vitest";

import { registerCodecs } from "../../src/kafka/codecs/codecs.ts";
import { patchTimer } from "../../src/kafka/timer-patch.ts";

/** A client of the cluster that all journeys share, or of the brokers that are given. */
export function journeyKafka(brokers: string = inject("brokers")): Kafka {
  patchTimer();
  registerCodecs();
  return new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
}

/** A name for a topic or a group that is unique to this journey. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** Whether all partitions have leaders. On a busy machine a broker does not know a new topic at once. */
const haveLeaders = async (admin: Admin, topics: string[]): Promise<boolean> => {
  try {
    const { topics: found } = await admin.fetchTopicMetadata({ topics });
    return found.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));
  } catch (error) {
    if (error instanceof KafkaJSProtocolError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") return false;
    throw error;
  }
};

/** Creates the topics and resolves when they have leaders. */
export async function createTopics(kafka: Kafka, topics: ITopicConfig[]): Promise<void> {
  const admin = kafka.admin();
  const names = topics.map(({ topic }) => topic);
  await admin.connect();
  try {
    await admin.createTopics({ topics, waitForLeaders: false });
    while (!(await haveLeaders(admin, names))) await sleep(50);
  } finally {
    await admin.disconnect();
  }
}

/** A record of a topic. */
export interface Letter {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer;
  /** Milliseconds since 1970; -1 without one. */
  readonly timestamp: number;
  /** The headers as bytes. */
  readonly headers: IHeaders;
  /** The headers as text. */
  readonly text: Readonly<Record<string, string>>;
}

/** All records of a topic, sorted by partition and offset; empty if the topic does not exist. */
export async function readTopic(kafka: Kafka, topic: string): Promise<Letter[]> {
  const endOffsets = await endOffsetsOf(kafka, topic);
  const missing = new Set(endOffsets.filter(({ low, high }) => low < high).map(({ partition }) => partition));
  if (missing.size === 0) return [];
  const letters: Letter[] = [];
  const consumer = kafka.consumer({ groupId: uniqueName("reader"), maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachBatch: Parameters<typeof consumer.run>[0] = {
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        letters.push(...batch.messages.map((message) => letterOf(batch.partition, message)));
        const end = endOffsets.find(({ partition }) => partition === batch.partition);
        if (Number(batch.lastOffset()) >= Number(end?.high) - 1) missing.delete(batch.partition);
        if (missing.size === 0) resolve();
      },
    };
    consumer.run(eachBatch).catch(reject);
  });
  await consumer.disconnect();
  return letters.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** The committed offset of each partition, in partition order; -1 if there is none. */
export async function committedOffsets(kafka: Kafka, groupId: string, topic: string): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const partitions = entry?.partitions ?? [];
    return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
  } finally {
    await admin.disconnect();
  }
}

async function endOffsetsOf(kafka: Kafka, topic: string) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = await admin.listTopics();
    return existing.includes(topic) ? await admin.fetchTopicOffsets(topic) : [];
  } finally {
    await admin.disconnect();
  }
}

interface Message {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly headers?: IHeaders;
}

function letterOf(partition: number, { offset, key, value, timestamp, headers = {} }: Message): Letter {
  return {
    partition,
    offset: Number(offset),
    key: String(key),
    value: value ?? Buffer.alloc(0),
    timestamp: Number(timestamp),
    headers,
    text: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)])),
  };
}
