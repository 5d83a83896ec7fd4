import { ClusterAdmin } from "../src/kafka/admin.ts";
import { createKafka } from "../src/kafka/client.ts";
import { startCluster } from "./cluster.ts";

/** The service never makes its source topic, and no other tool for Kafka may be at hand. */
const sourceTopic = { topic: "segment-events", partitions: 6, replicationFactor: 1 };

async function makeSourceTopic(brokers: string): Promise<void> {
  const admin = new ClusterAdmin(createKafka({ brokers: brokers.split(","), clientId: "local", logLevel: 1 }));
  await admin.connect();
  await admin.createTopics([sourceTopic]);
  await admin.close();
}

/** Starts a Kafka with the source topic and a registry, says how to reach them and stays until it is told to stop. */
async function main(): Promise<void> {
  const cluster = await startCluster();
  await makeSourceTopic(cluster.brokers);
  console.log(`export KAFKA_BROKERS=${cluster.brokers}`);
  console.log(`export SCHEMA_REGISTRY_URL=${cluster.registryUrl}`);
  console.log(`# The topic ${sourceTopic.topic} is there, with ${sourceTopic.partitions} partitions`);
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
