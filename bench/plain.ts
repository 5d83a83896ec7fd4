import { createServer } from "node:http";

import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { request } from "undici";

import { createKafka } from "../src/kafka/client.ts";
import { accessKey } from "./sink.ts";

/**
 * For comparison, what a team writes in an afternoon: a kafkajs `eachMessage` loop over six partitions at a time, with the
 * registry client's `decode` and one request per message. No retries, no circuit breaker, no order across restarts.
 */
let delivered = 0;
const {
  BENCH_PORT = "0",
  BENCH_TOPIC = "",
  BENCH_GROUP = "",
  BENCH_BROKERS = "",
  BENCH_REGISTRY = "",
  BENCH_URL = "",
} = process.env;
const registry = new SchemaRegistry({ host: BENCH_REGISTRY });
const kafka = createKafka({ brokers: BENCH_BROKERS.split(","), clientId: "plain", logLevel: 1 });
const consumer = kafka.consumer({ groupId: BENCH_GROUP, maxWaitTimeInMs: 250 });
const headers = { accessKey, "Content-Type": "application/json" };

// Reports its progress in the format of the service, for a sink that does not count.
createServer((_, response) => {
  response.end(JSON.stringify({ totals: { delivered } }));
}).listen(Number(BENCH_PORT), "127.0.0.1");

process.on("SIGTERM", () => {
  void consumer.disconnect().then(() => process.exit(0));
});

await consumer.connect();
await consumer.subscribe({ topic: BENCH_TOPIC, fromBeginning: true });
await consumer.run({
  partitionsConsumedConcurrently: 6,
  eachMessage: async ({ message }) => {
    if (!message.value) return;
    const event: unknown = await registry.decode(message.value);
    const response = await request(`${BENCH_URL}/clickstream/segmentio/event`, {
      method: "POST",
      headers,
      body: JSON.stringify(event),
    });
    await response.body.dump();
    delivered++;
  },
});
