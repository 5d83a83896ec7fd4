import { createRequire } from "node:module";

import type { Batch, KafkaMessage } from "kafkajs";

import type { TopicPartition } from "../../src/kafka/topic-partition.ts";

type RecordBatchMessage = Extract<KafkaMessage, { size?: never }>;
type RawMessage = RecordBatchMessage & { readonly isControlRecord?: boolean };

type BatchClass = new (
  topic: string,
  fetchedOffset: string,
  data: { partition: number; highWatermark: string; messages: RawMessage[]; abortedTransactions: unknown[] },
) => Batch;

const require = createRequire(import.meta.url);
const KafkaBatch = require("kafkajs/src/consumer/batch") as BatchClass;

export const baseTime = 1_700_000_000_000;

/** A track event as JSON. */
export const valueOf = (userId: string): Buffer =>
  Buffer.from(JSON.stringify({ type: "track", event: "Opened", userId, timestamp: "2026-01-31T12:00:00.000Z" }));

export const messageOf = (offset: number, change: Partial<RecordBatchMessage> = {}): RawMessage => ({
  key: Buffer.from("key"),
  value: valueOf(`u${offset}`),
  timestamp: String(baseTime),
  attributes: 0,
  offset: String(offset),
  headers: {},
  ...change,
});

/** A transaction marker: kafkajs fetches it but does not hand it over. */
export const markerOf = (offset: number): RawMessage => ({ ...messageOf(offset), isControlRecord: true });

/** kafkajs's own batch, as of one fetch. */
export const batchOf = (
  { topic, partition }: TopicPartition,
  messages: RawMessage[],
  high = Number(messages.at(-1)?.offset ?? -1) + 1,
): Batch =>
  new KafkaBatch(topic, messages[0]?.offset ?? "0", {
    partition,
    highWatermark: String(high),
    messages,
    abortedTransactions: [],
  });

/** Messages of these offsets. */
export const messagesOf = (...offsets: number[]): RawMessage[] => offsets.map((offset) => messageOf(offset));
