import type { Cluster } from "kafkajs";

import type { GroupBroker } from "./group-broker.ts";

interface GroupRef {
  readonly groupId: string;
}

/** What kafkajs's types do not show of a cluster. */
interface ClusterInternals {
  findGroupCoordinator(group: GroupRef): Promise<unknown>;
  readonly brokerPool: {
    findConnectedBroker(): Promise<{
      findGroupCoordinator(group: GroupRef & { coordinatorType: 0 }): Promise<unknown>;
    }>;
  };
}

/** kafkajs says this where each broker has refused or failed to answer, and keeps the reason to itself. */
const isCoordinatorNotFound = (error: unknown): boolean =>
  (error as { name?: unknown }).name === "KafkaJSGroupCoordinatorNotFound";

/** Asks the cluster which broker keeps the group. Throws what the broker says, such as that this user may not know. */
export const createCoordinatorFinder = (cluster: Cluster, groupId: string): (() => Promise<GroupBroker>) => {
  const internals = cluster as unknown as ClusterInternals;
  const findCoordinator = internals.findGroupCoordinator.bind(cluster) as (group: GroupRef) => Promise<GroupBroker>;
  return async () => {
    try {
      return await findCoordinator({ groupId });
    } catch (error) {
      if (!isCoordinatorNotFound(error)) throw error;
      const broker = await internals.brokerPool.findConnectedBroker();
      await broker.findGroupCoordinator({ groupId, coordinatorType: 0 });
      return findCoordinator({ groupId });
    }
  };
};
