import { readFileSync } from "node:fs";

import avro from "avsc";
import type { Kafka } from "kafkajs";

import { createEvents, encodeEvent, frame } from "../local/events.ts";
import { registerSchema } from "../src/intake/schemas-register.ts";

export interface ProduceOptions {
  readonly kafka: Kafka;
  readonly registryUrl: string;
  readonly topic: string;
  readonly partitions: number;
  readonly events: number;
  readonly users: number;
}

const schemaFile = new URL("../schemas/segment-event.avsc", import.meta.url);
const kinds = new Set(["identify", "track", "group"]);
const batchSize = 1_000;

/** Fills a topic with so many Avro events that all have to be delivered; returns their bytes on the wire. */
export const produce = async (options: ProduceOptions): Promise<number> => {
  const { kafka, registryUrl, topic, partitions, events, users } = options;
  const schema = readFileSync(schemaFile, "utf8");
  const type = avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
  const { id } = await registerSchema({ url: registryUrl, subject: `${topic}-value`, schema });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let bytes = 0;
  let made = 0;
  let messages: { key: string; value: Buffer }[] = [];
  for (const event of createEvents({
    users,
    count: events * 2,
    seed: 7,
    startAt: Date.UTC(2026, 0, 1),
    activity: "even",
  })) {
    if (made === events) break;
    const { type: kind, userId } = event;
    if (typeof kind !== "string" || typeof userId !== "string" || !kinds.has(kind)) continue;
    const value = frame(id, encodeEvent(event, type));
    made++;
    bytes += value.length;
    messages.push({ key: userId, value });
    if (messages.length < batchSize && made < events) continue;
    await producer.send({ topic, messages });
    messages = [];
  }
  await producer.disconnect();
  return bytes;
};
