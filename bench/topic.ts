import { readFileSync } from "node:fs";

import avro from "avsc";

import { createEvents, encodeEvent, frame } from "../local/events.ts";
import type { JsonObject } from "../src/core/json/json.ts";
import { registerSchema } from "../src/decoding/registry/register.ts";
import type { BenchContext } from "./bench.ts";
import type { Sink } from "./sink.ts";

const schemaFile = new URL("../schemas/segment-event.avsc", import.meta.url);
const batchSize = 1_000;

/** An event that must be delivered: Gainsight accepts its type, and it has a userId. */
export interface UserEvent extends JsonObject {
  readonly type: "identify" | "track" | "group";
  readonly userId: string;
  readonly messageId: string;
}

/** A topic for one measurement, and its producer. */
export interface BenchTopic {
  readonly name: string;
  /** Sends the events in order, keyed by user. Resolves with their size in bytes. */
  readonly send: (events: Iterable<UserEvent>) => Promise<number>;
  readonly close: () => Promise<void>;
}

const kinds = new Set<unknown>(["identify", "track", "group"]);

const isUserEvent = (event: JsonObject): event is UserEvent =>
  kinds.has(event["type"]) && typeof event["userId"] === "string";

/** `count` events of users who are all equally busy. */
export function* userEvents(options: { users: number; count: number }): Generator<UserEvent, void> {
  const { users, count } = options;
  let remaining = count;
  for (const event of createEvents({
    users,
    count: Number.POSITIVE_INFINITY,
    seed: 7,
    startAt: Date.UTC(2026, 0, 1),
    activity: "even",
  })) {
    if (remaining === 0) return;
    if (!isUserEvent(event)) continue;
    remaining--;
    yield event;
  }
}

function* batchesOf<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

let opened = 0;

/** Creates a topic, registers its schema and connects a producer. */
export const openTopic = async (context: BenchContext<Sink>, partitions: number): Promise<BenchTopic> => {
  const { kafka, registryUrl } = context;
  const name = `bench-${Date.now().toString(36)}-${opened++}`;
  const schema = readFileSync(schemaFile, "utf8");
  const type = avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
  const { id } = await registerSchema({ url: registryUrl, subject: `${name}-value`, schema });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  return {
    name,
    send: async (events) => {
      let bytes = 0;
      for (const batch of batchesOf(events)) {
        const messages = batch.map((event) => ({ key: event.userId, value: frame(id, encodeEvent(event, type)) }));
        bytes += messages.reduce((sum, { value }) => sum + value.length, 0);
        await producer.send({ topic: name, messages });
      }
      return bytes;
    },
    close: () => producer.disconnect(),
  };
};
