import { type ExtraBrokerSettings, startKafka } from "./kafka.ts";
import type { Log } from "./packages.ts";
import { startRegistry } from "./registry.ts";
import type { Server } from "./server.ts";

/** The addresses of Kafka and of the schema registry, in the format of KAFKA_BROKERS and SCHEMA_REGISTRY_URL. */
export interface ClusterAddress {
  readonly brokers: string;
  readonly registryUrl: string;
  /** Stops everything that was started and removes its data. May be called twice. */
  stop(): Promise<void>;
}

export interface Cluster extends ClusterAddress {
  /** Brokers count from 1. Throws for a number that does not exist. */
  broker(id: number): Server;
  readonly registry: Server;
}

/**
 * Starts Kafka (`brokers`: 1 to 3, default 1) and a schema registry on 127.0.0.1; resolves when both are ready. Both end
 * when this process ends, also by kill -9. `more`: settings in addition to the plain listener. `log` gets a line if a
 * package must be downloaded first (default: stderr).
 */
export async function startCluster({
  brokers = 1,
  log = console.error,
  more,
}: { brokers?: number; log?: Log; more?: ExtraBrokerSettings } = {}): Promise<Cluster> {
  const [kafka, registry] = await Promise.allSettled([
    startKafka({ count: brokers, log, more }),
    startRegistry({ log }),
  ]);
  if (kafka.status === "rejected") {
    if (registry.status === "fulfilled") await registry.value.stop();
    throw kafka.reason;
  }
  if (registry.status === "rejected") {
    await kafka.value.stop();
    throw registry.reason;
  }
  return {
    brokers: kafka.value.brokers,
    registryUrl: registry.value.url,
    broker: (id) => kafka.value.broker(id),
    registry: registry.value.server,
    async stop() {
      await Promise.all([kafka.value.stop(), registry.value.stop()]);
    },
  };
}

/** The cluster that KAFKA_BROKERS and SCHEMA_REGISTRY_URL name; if neither is set, starts one. Rejects if only one is set. */
export async function useOrStartCluster(options: { env?: NodeJS.ProcessEnv; log?: Log } = {}): Promise<ClusterAddress> {
  const { env = process.env, ...rest } = options;
  const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registryUrl } = env;
  if (brokers && registryUrl) return { brokers, registryUrl, stop: async () => {} };
  if (brokers || registryUrl) {
    const [set, unset] = brokers ? ["KAFKA_BROKERS", "SCHEMA_REGISTRY_URL"] : ["SCHEMA_REGISTRY_URL", "KAFKA_BROKERS"];
    throw new Error(`Only ${set} is set: set ${unset} too, or set neither to start both on this machine`);
  }
  return startCluster(rest);
}
