import { startCluster } from "./cluster.ts";

/** Starts a Kafka and a registry, says how to reach them and stays until it is told to stop. */
async function main(): Promise<void> {
  const cluster = await startCluster();
  console.log(`export KAFKA_BROKERS=${cluster.brokers}`);
  console.log(`export SCHEMA_REGISTRY_URL=${cluster.registryUrl}`);
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
