import { createServer } from "node:http";

import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { request } from "undici";

import { createKafka } from "../src/kafka/client.ts";
import { accessKey } from "./sink.ts";

/**
 * What a team writes in an afternoon, for comparison: a kafkajs `eachMessage` loop, six partitions at a time, the registry
 * client's own decode, one request a message. No retries, no breaker, no order across restarts.
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

// Tells how far it is in the words of the service, for a sink that does not count for us.
createServer((_, answer) => {
  answer.end(JSON.stringify({ totals: { delivered } }));
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
    const answer = await request(`${BENCH_URL}/clickstream/segmentio/event`, {
      method: "POST",
      headers,
      body: JSON.stringify(event),
    });
    await answer.body.dump();
    delivered++;
  },
});
