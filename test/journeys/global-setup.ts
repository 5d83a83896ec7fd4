import type { TestProject } from "vitest/node";

import { useOrStartCluster } from "../../local/cluster.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** As KAFKA_BROKERS takes it. */
    brokers: string;
    /** As SCHEMA_REGISTRY_URL takes it. */
    registryUrl: string;
  }
}

/** One Kafka and one registry for all journeys: each journey uses topics and groups with names of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await useOrStartCluster();
  project.provide("brokers", cluster.brokers);
  project.provide("registryUrl", cluster.registryUrl);
  return () => cluster.stop();
}
