import type { Cluster } from "kafkajs";

import type { GroupBroker } from "./group-broker.ts";

interface Group {
  readonly groupId: string;
}

/** What kafkajs's types do not show of a cluster. */
interface Brokers {
  findGroupCoordinator(group: Group): Promise<unknown>;
  readonly brokerPool: {
    findConnectedBroker(): Promise<{ findGroupCoordinator(group: Group & { coordinatorType: 0 }): Promise<unknown> }>;
  };
}

/** kafkajs says this where each broker has refused or failed to answer, and keeps the reason to itself. */
const isUnexplained = (error: unknown): boolean =>
  (error as { name?: unknown }).name === "KafkaJSGroupCoordinatorNotFound";

/** Asks the cluster which broker keeps the group. Throws what the broker says, such as that this user may not know. */
export const createFinder = (cluster: Cluster, groupId: string): (() => Promise<GroupBroker>) => {
  const brokers = cluster as unknown as Brokers;
  const find = brokers.findGroupCoordinator.bind(cluster) as (group: Group) => Promise<GroupBroker>;
  return async () => {
    try {
      return await find({ groupId });
    } catch (error) {
      if (!isUnexplained(error)) throw error;
      const broker = await brokers.brokerPool.findConnectedBroker();
      await broker.findGroupCoordinator({ groupId, coordinatorType: 0 });
      return find({ groupId });
    }
  };
};
