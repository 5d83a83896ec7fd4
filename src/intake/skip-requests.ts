import type { ClusterAdmin } from "../kafka/admin.ts";
import { typesOf } from "../kafka/error-types.ts";
import type { GroupOffset } from "../kafka/group/group-offsets.ts";
import { encodeTopicId } from "../offsets/topic-id.ts";

/** What may be skipped: the batches of a partition that cannot be read and end below this offset. Nothing else ever is. */
export interface Skip {
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
export const skipCommand = ({ topic, partition, toOffset }: Skip): string =>
  `gainstream skip --topic ${topic} --partition ${partition} --to-offset ${toOffset}`;

const refuse = ({ topic, partition, toOffset }: Skip, why: string): never => {
  throw new Error(`Cannot skip to offset ${toOffset} of partition ${partition} of topic ${topic}: ${why}`);
};

/** A cluster may take no metadata (`offset.metadata.max.bytes`). Then the word counts for any topic of the name. */
const leaveWord = async (admin: Pick<ClusterAdmin, "commit">, group: string, word: GroupOffset): Promise<void> => {
  try {
    await admin.commit(group, word);
  } catch (error) {
    if (!typesOf(error).includes("OFFSET_METADATA_TOO_LARGE")) throw error;
    await admin.commit(group, { ...word, metadata: "" });
  }
};

/** Allows it. Throws a sentence if the partition has no such offset. */
export const allowSkip = async (
  admin: Pick<ClusterAdmin, "topics" | "ranges" | "commit">,
  groupId: string,
  skip: Skip,
): Promise<void> => {
  const { topic, partition, toOffset } = skip;
  const [state] = await admin.topics([topic]);
  if (!state || state.error !== undefined) return refuse(skip, `Kafka says ${state?.error ?? "nothing"} of the topic`);
  const range = (await admin.ranges([topic])).find((one) => one.partition === partition);
  if (!range) return refuse(skip, "there is no such partition, or it has no leader");
  const { low, high } = range;
  if (toOffset <= low || toOffset > high) return refuse(skip, `want more than ${low} and at most ${high}`);
  // A topic of the same name that is made anew has other records at the same offsets.
  const metadata = encodeTopicId(state.id);
  return leaveWord(admin, skipGroupOf(groupId), { topic, partition, offset: toOffset, metadata });
};
