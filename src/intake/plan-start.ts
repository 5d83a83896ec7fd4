import type { CommittedOffset } from "../kafka/admin.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import { rebaseMetadata } from "../offsets/rebase-metadata.ts";
import { decodeTopicId } from "../offsets/topic-id.ts";
import type { KnownLog } from "./known-logs.ts";
import type { ResetCause } from "./log-resets.ts";

export type StartFrom = "earliest" | "latest" | "fail";

export interface StartOffset {
  readonly offset: number;
  readonly metadata: string | null;
  readonly endOffset: number;
  readonly topicId: string | undefined;
  readonly cause?: ResetCause;
}

/** What is known of a partition before it starts. */
export interface PartitionLog {
  readonly range: LogRange;
  readonly committed: CommittedOffset;
  readonly isRetryTopic: boolean;
  /** The topic's, as it is now. */
  readonly topicId: string | undefined;
  /** What this member knew of the log. */
  readonly knownLog?: KnownLog | undefined;
  /** The group has committed an offset of this topic, of whichever partition: it is no new group. */
  readonly hasCommits: boolean;
}

/** Whether these are the ids of two topics. What the cluster does not tell is no sign. */
export const isOtherTopic = (id: string | undefined, topicId: string | undefined): boolean =>
  id !== undefined && topicId !== undefined && id !== topicId;

/** The topic that the group, or at least this member, has read. */
const lastReadTopicId = (metadata: string | null, knownLog: KnownLog | undefined): string | undefined =>
  decodeTopicId(metadata) ?? knownLog?.topicId;

/** Why the group cannot go on where it was; undefined where it can, or has never been there. */
export const resetCauseOf = ({ range, committed, topicId, knownLog }: PartitionLog): ResetCause | undefined => {
  const { offset = range.beginningOffset, metadata } = committed;
  if (knownLog?.isTruncated === true) return "truncated";
  // Kafka forgets what was committed of a topic that is deleted, but this member was there.
  if (isOtherTopic(lastReadTopicId(metadata, knownLog), topicId)) return "made_anew";
  if (offset > range.endOffset) return "truncated";
  return offset < range.beginningOffset ? "removed" : undefined;
};

/** A tier always starts with everything it has: what waits there must not be passed over. */
const planReset = (log: PartitionLog, cause: ResetCause, startFrom: StartFrom): StartOffset | "outside" => {
  const { range, committed, isRetryTopic, topicId } = log;
  const { beginningOffset, endOffset } = range;
  const policy = isRetryTopic ? "earliest" : startFrom;
  if (policy === "fail") return "outside";
  if (policy === "latest") return { offset: endOffset, metadata: null, endOffset, topicId, cause };
  // It is the same log still, so what was finished beyond the gap stays finished.
  const metadata = cause === "removed" ? rebaseMetadata({ ...committed, newOffset: beginningOffset }) : null;
  return { offset: beginningOffset, metadata, endOffset, topicId, cause };
};

/** Where one partition starts. */
export const planStartOffset = (log: PartitionLog, startFrom: StartFrom): StartOffset | "outside" | "uncommitted" => {
  const { range, committed, isRetryTopic, topicId, hasCommits } = log;
  const cause = resetCauseOf(log);
  if (cause !== undefined) return planReset(log, cause, startFrom);
  const { beginningOffset, endOffset } = range;
  const { offset, metadata } = committed;
  if (offset !== undefined) return { offset, metadata, endOffset, topicId };
  // START_FROM concerns a new group: to one that reads the topic already, a partition without a commit is new itself.
  const isNewGroup = !isRetryTopic && !hasCommits;
  if (isNewGroup && startFrom === "fail") return "uncommitted";
  return {
    offset: isNewGroup && startFrom === "latest" ? endOffset : beginningOffset,
    metadata: null,
    endOffset,
    topicId,
  };
};
