import { randomUUID } from "node:crypto";

import { Kafka, logLevel } from "kafkajs";
import type { ITopicConfig } from "kafkajs";
import { inject } from "vitest";

/** A client of the cluster that all journeys share. */
export function journeyKafka(): Kafka {
  return new Kafka({ brokers: inject("brokers").split(","), logLevel: logLevel.NOTHING });
}

/** A name for a topic or a group that no other journey has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** Makes the topics and resolves when they have leaders. */
export async function createTopics(kafka: Kafka, topics: ITopicConfig[]): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
