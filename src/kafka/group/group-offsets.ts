import type { KafkaCluster } from "../cluster.ts";
import type { TopicPartition } from "../topic-partition.ts";
import { throwLookupRefusal } from "./find-coordinator.ts";

/** An offset to commit for a group, with its metadata. */
export interface GroupOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/**
 * A commit from outside the group: Kafka accepts it while the group has no members. -1 keeps the offset for as long as the broker's
 * `offsets.retention.minutes` says.
 */
const noMember = { groupGenerationId: -1, memberId: "", retentionTime: -1 } as const;

/** Sends a request about a group. If no broker names the group's coordinator, throws the broker's reason, such as a missing right. */
export const withLookupRefusal = async <T>(
  cluster: KafkaCluster,
  groupId: string,
  request: () => Promise<T>,
): Promise<T> => {
  try {
    return await request();
  } catch (error) {
    await throwLookupRefusal(cluster, groupId, error);
    throw error;
  }
};

/** Commits an offset for a group that has no members. */
export const commitWithoutMembers = (cluster: KafkaCluster, groupId: string, commit: GroupOffset): Promise<void> =>
  withLookupRefusal(cluster, groupId, async () => {
    const { topic, partition, offset, metadata } = commit;
    const partitions = [{ partition, offset: String(offset), metadata }];
    const broker = await cluster.findGroupCoordinator({ groupId });
    await broker.offsetCommit({ groupId, ...noMember, topics: [{ topic, partitions }] });
  });
