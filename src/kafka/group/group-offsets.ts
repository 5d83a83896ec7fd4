import type { KafkaCluster } from "../cluster.ts";

/** An offset of a partition, and what is written beside it. */
export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/** Who commits for a group without being its member; the broker keeps it as long as it keeps any. */
const nobody = { groupGenerationId: -1, memberId: "", retentionTime: -1 } as const;

/** kafkajs says this if each broker has refused or failed to answer, and keeps the reason to itself. */
const isUnexplained = (error: unknown): boolean =>
  (error as { name?: unknown }).name === "KafkaJSGroupCoordinatorNotFound";

/** Asks something about a group. Throws what the cluster says, such as that this user may not know. */
export const explained = async <T>(cluster: KafkaCluster, groupId: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (!isUnexplained(error)) throw error;
    const broker = await cluster.brokerPool.findConnectedBroker();
    await broker.findGroupCoordinator({ groupId, coordinatorType: 0 });
    throw error;
  }
};

/** Commits for a group without members. */
export const commitForNobody = (cluster: KafkaCluster, groupId: string, commit: GroupOffset): Promise<void> =>
  explained(cluster, groupId, async () => {
    const { topic, partition, offset, metadata } = commit;
    const partitions = [{ partition, offset: String(offset), metadata }];
    const broker = await cluster.findGroupCoordinator({ groupId });
    await broker.offsetCommit({ groupId, ...nobody, topics: [{ topic, partitions }] });
  });
