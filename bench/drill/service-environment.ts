import type { DrillCluster } from "./cluster.ts";
import { login } from "./rights.ts";
import type { Target } from "./target.ts";
import { compressionOf, names, schemaFile, sources } from "./topics.ts";

/** GAINSIGHT_TIMEOUT of the instances, in milliseconds. */
export const timeoutMs = 3_000;

/** The environment of each instance, by its number and the file with its access key. */
export const serviceEnvironment = (cluster: DrillCluster, target: Target) => (launch: number, keyFile: string) => ({
  KAFKA_BROKERS: cluster.serviceBrokers,
  KAFKA_SASL_MECHANISM: "plain",
  KAFKA_SASL_USERNAME: login.username,
  KAFKA_SASL_PASSWORD: login.password,
  KAFKA_GROUP_ID: names.group,
  KAFKA_CLIENT_ID: `i${launch}`,
  KAFKA_COMPRESSION: compressionOf(launch),
  SCHEMA_REGISTRY_URL: cluster.servers.registryUrl,
  AVRO_SCHEMA_FILE: schemaFile,
  SOURCE_TOPICS: sources.join(","),
  RETRY_TOPIC: names.retry,
  RETRY_DELAYS: names.delays.join(","),
  RETRY_MAX_AGE: "20s",
  RETRY_MAX_ATTEMPTS: "4",
  DEAD_LETTER_TOPIC: names.deadLetter,
  GAINSIGHT_URL: target.urlOf(launch),
  GAINSIGHT_ACCESS_KEY_FILE: keyFile,
  GAINSIGHT_TIMEOUT: `${timeoutMs}ms`,
  GAINSIGHT_CONCURRENCY: "32",
  BREAKER_PROBE_MAX: "5s",
  HTTP_HOST: "127.0.0.1",
});
