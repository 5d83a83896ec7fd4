import type { KafkaCluster } from "../cluster.ts";
import type { GroupBroker } from "./group-broker.ts";

/** kafkajs throws this error if no broker has named the coordinator, and drops the brokers' reasons. */
const isCoordinatorNotFound = (error: unknown): boolean =>
  error instanceof Error && error.name === "KafkaJSGroupCoordinatorNotFound";

/**
 * Call it with an error of a request about a group. If no broker has named the coordinator, it asks one broker again and throws the
 * broker's reason, such as a missing right; it resolves if the broker names it now. It rethrows any other error.
 */
export const throwLookupRefusal = async (
  { brokerPool }: Pick<KafkaCluster, "brokerPool">,
  groupId: string,
  error: unknown,
): Promise<void> => {
  if (!isCoordinatorNotFound(error)) throw error;
  const broker = await brokerPool.findConnectedBroker();
  await broker.findGroupCoordinator({ groupId, coordinatorType: 0 });
};

/** A function that asks the cluster for the group's coordinator. It throws the broker's reason if no broker names it. */
export const createCoordinatorFinder = (cluster: KafkaCluster, groupId: string): (() => Promise<GroupBroker>) => {
  // The assigner replaces the method on the cluster; this is kafkajs's own.
  const findCoordinator = cluster.findGroupCoordinator.bind(cluster);
  return async () => {
    try {
      return await findCoordinator({ groupId });
    } catch (error) {
      await throwLookupRefusal(cluster, groupId, error);
      return findCoordinator({ groupId });
    }
  };
};
