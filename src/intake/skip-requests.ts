import type { ClusterAdmin } from "../kafka/admin.ts";
import { errorTypesOf } from "../kafka/error-types.ts";
import type { GroupOffset } from "../kafka/group/group-offsets.ts";
import { encodeTopicId } from "../offsets/topic-id.ts";

/**
 * Allows the service to skip the unreadable batches of a partition that end below `toOffset`. Readable records are never
 * skipped.
 */
export interface SkipRequest {
  readonly topic: string;
  readonly partition: number;
  readonly toOffset: number;
}

/**
 * The group whose committed offsets are the skip requests of the service. It never has members, so Kafka accepts commits to
 * it while the service runs.
 */
export const skipGroupOf = (groupId: string): string => `${groupId}-skips`;

/** The command by which an operator allows the skip. */
export const skipCommand = ({ topic, partition, toOffset }: SkipRequest): string =>
  `gainstream skip --topic ${topic} --partition ${partition} --to-offset ${toOffset}`;

const refuseSkip = ({ topic, partition, toOffset }: SkipRequest, reason: string): never => {
  throw new Error(`Cannot skip to offset ${toOffset} of partition ${partition} of topic ${topic}: ${reason}`);
};

/**
 * A cluster may accept no metadata (`offset.metadata.max.bytes`). Then the request has no topic id and applies to any topic
 * of this name.
 */
const commitSkipOffset = async (
  admin: Pick<ClusterAdmin, "commitOffset">,
  group: string,
  skipOffset: GroupOffset,
): Promise<void> => {
  try {
    await admin.commitOffset(group, skipOffset);
  } catch (error) {
    if (!errorTypesOf(error).includes("OFFSET_METADATA_TOO_LARGE")) throw error;
    await admin.commitOffset(group, { ...skipOffset, metadata: "" });
  }
};

/**
 * Writes a skip request, which the members of the service read. Rejects with an error if the partition does not exist, or
 * has no such offset.
 */
export const requestSkip = async (
  admin: Pick<ClusterAdmin, "topicStates" | "logRanges" | "commitOffset">,
  groupId: string,
  skip: SkipRequest,
): Promise<void> => {
  const { topic, partition, toOffset } = skip;
  const [state] = await admin.topicStates([topic]);
  if (!state || state.error !== undefined)
    return refuseSkip(skip, `Kafka answers ${state?.error ?? "nothing"} for the topic`);
  const range = (await admin.logRanges([topic])).find((candidate) => candidate.partition === partition);
  if (!range) return refuseSkip(skip, "the partition does not exist, or has no leader");
  const { beginningOffset, endOffset } = range;
  if (toOffset <= beginningOffset || toOffset > endOffset)
    return refuseSkip(skip, `want an offset from ${beginningOffset + 1} to ${endOffset}`);
  // If the topic is recreated with the same name, it has other records at the same offsets.
  const metadata = encodeTopicId(state.id);
  return commitSkipOffset(admin, skipGroupOf(groupId), { topic, partition, offset: toOffset, metadata });
};
