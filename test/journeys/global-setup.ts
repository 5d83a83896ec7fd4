import type { TestProject } from "vitest/node";

import { useOrStartCluster } from "../../local/cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** In the format of KAFKA_BROKERS. */
    brokers: string;
    /** In the format of SCHEMA_REGISTRY_URL. */
    registryUrl: string;
  }
}

/**
 * One Kafka and one registry for all projects of journeys, started for the first of them: each journey uses topics and
 * groups with names of its own.
 */
export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const root = vitest.getRootProject();
  if ("brokers" in root.getProvidedContext()) return undefined;
  const cluster = await useOrStartCluster();
  root.provide("brokers", cluster.brokers);
  root.provide("registryUrl", cluster.registryUrl);
  return () => cluster.stop();
}
