import type { ClusterAdmin } from "../kafka/admin.ts";
import { errorTypesOf } from "../kafka/error-types.ts";
import type { GroupOffset } from "../kafka/group/group-offsets.ts";
import { encodeTopicId } from "../offsets/topic-id.ts";

/** What may be skipped: the batches of a partition that cannot be read and end below this offset. Nothing else ever is. */
export interface SkipRequest {
  readonly topic: string;
  readonly partition: number;
  readonly toOffset: number;
}

/**
 * Says so to the members of the service: they look at the offsets of this group, which has no members, so that Kafka takes an
 * offset for it while the service runs.
 */
export const skipGroupOf = (groupId: string): string => `${groupId}-skips`;

/** The command that allows it. */
export const skipCommand = ({ topic, partition, toOffset }: SkipRequest): string =>
  `gainstream skip --topic ${topic} --partition ${partition} --to-offset ${toOffset}`;

const refuseSkip = ({ topic, partition, toOffset }: SkipRequest, reason: string): never => {
  throw new Error(`Cannot skip to offset ${toOffset} of partition ${partition} of topic ${topic}: ${reason}`);
};

/** A cluster may take no metadata (`offset.metadata.max.bytes`). Then the word counts for any topic of the name. */
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

/** Allows it. Throws a sentence if the partition has no such offset. */
export const requestSkip = async (
  admin: Pick<ClusterAdmin, "topicStates" | "logRanges" | "commitOffset">,
  groupId: string,
  skip: SkipRequest,
): Promise<void> => {
  const { topic, partition, toOffset } = skip;
  const [state] = await admin.topicStates([topic]);
  if (!state || state.error !== undefined)
    return refuseSkip(skip, `Kafka says ${state?.error ?? "nothing"} of the topic`);
  const range = (await admin.logRanges([topic])).find((candidate) => candidate.partition === partition);
  if (!range) return refuseSkip(skip, "there is no such partition, or it has no leader");
  const { beginningOffset, endOffset } = range;
  if (toOffset <= beginningOffset || toOffset > endOffset)
    return refuseSkip(skip, `want more than ${beginningOffset} and at most ${endOffset}`);
  // A topic of the same name that is made anew has other records at the same offsets.
  const metadata = encodeTopicId(state.id);
  return commitSkipOffset(admin, skipGroupOf(groupId), { topic, partition, offset: toOffset, metadata });
};
