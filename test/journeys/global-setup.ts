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

/** One Kafka and one registry for all journeys: each journey uses topics and groups with names of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await useOrStartCluster();
  project.provide("brokers", cluster.brokers);
  project.provide("registryUrl", cluster.registryUrl);
  return () => cluster.stop();
}
