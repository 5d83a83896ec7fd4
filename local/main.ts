import { ClusterAdmin } from "../src/kafka/admin.ts";
import { createKafka } from "../src/kafka/client.ts";
import { startCluster } from "./cluster.ts";

/** The service never creates its source topic, and the user may have no other Kafka tool. */
const sourceTopic = { topic: "segment-events", partitions: 6, replicationFactor: 1 };

async function createSourceTopic(brokers: string): Promise<void> {
  const admin = new ClusterAdmin(createKafka({ brokers: brokers.split(","), clientId: "local", logLevel: 1 }));
  await admin.connect();
  await admin.createTopics([sourceTopic]);
  await admin.close();
}

/** Starts Kafka with the source topic and a registry, prints their addresses and runs until Ctrl-C or SIGTERM. */
async function main(): Promise<void> {
  const cluster = await startCluster();
  await createSourceTopic(cluster.brokers);
  console.log(`export KAFKA_BROKERS=${cluster.brokers}`);
  console.log(`export SCHEMA_REGISTRY_URL=${cluster.registryUrl}`);
  console.log(`# The topic ${sourceTopic.topic} exists, with ${sourceTopic.partitions} partitions`);
  console.log("# Ctrl-C stops both and removes their data");
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await cluster.stop();
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
