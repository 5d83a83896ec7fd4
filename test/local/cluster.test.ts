import { expect, test } from "vitest";

import { useOrStartCluster } from "../../local/cluster.ts";

test("useOrStartCluster() uses the cluster that the environment names, and does not stop it", async () => {
  const env = { KAFKA_BROKERS: "kafka:9092", SCHEMA_REGISTRY_URL: "http://registry:8081" };
  const cluster = await useOrStartCluster({ env });
  expect(cluster).toMatchObject({ brokers: "kafka:9092", registryUrl: "http://registry:8081" });
  await cluster.stop();
});

test.each([
  [{ KAFKA_BROKERS: "kafka:9092" }, "Only KAFKA_BROKERS is set: set SCHEMA_REGISTRY_URL too"],
  [{ SCHEMA_REGISTRY_URL: "http://registry:8081" }, "Only SCHEMA_REGISTRY_URL is set: set KAFKA_BROKERS too"],
])("useOrStartCluster() rejects an environment with only one of the two: %j", async (env, sentence) => {
  await expect(useOrStartCluster({ env })).rejects.toThrow(sentence);
});
