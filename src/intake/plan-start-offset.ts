import type { CommittedOffset } from "../kafka/admin.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import { rebaseMetadata } from "../offsets/rebase-metadata.ts";
import { decodeTopicId } from "../offsets/topic-id.ts";
import type { KnownLog } from "./known-logs.ts";
import type { ResetCause } from "./log-resets.ts";

/** The values of START_FROM: where a new group starts, and where reading continues after a committed offset becomes invalid. */
export type StartFrom = "earliest" | "latest" | "fail";

/** Where one partition starts. */
export interface StartOffset {
  readonly offset: number;
  /** The metadata of the commit: the completed-offset map and the topic id. */
  readonly metadata: string | null;
  /** The end of the log when the cluster was asked. */
  readonly endOffset: number;
  readonly topicId: string | undefined;
  /** Why reading does not start at the committed offset. */
  readonly cause?: ResetCause;
}

/** Everything that the start offset of a partition depends on. */
export interface PartitionLog {
  readonly range: LogRange;
  readonly committed: CommittedOffset;
  readonly isRetryTopic: boolean;
  /** The present id of the topic; undefined if the cluster does not report topic ids. */
  readonly topicId: string | undefined;
  /** The log as this member last knew it. */
  readonly knownLog?: KnownLog | undefined;
  /** Whether the group has a committed offset of any partition of this topic. If not, the group is new. */
  readonly hasCommits: boolean;
}

/**
 * Whether these are the ids of two different topics. An unknown id (undefined) matches any: clusters report topic ids since
 * https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers.
 */
export const isOtherTopic = (id: string | undefined, topicId: string | undefined): boolean =>
  id !== undefined && topicId !== undefined && id !== topicId;

/** The id of the topic that the group read last; if the commit does not hold it, the one that this member read last. */
const lastReadTopicId = (metadata: string | null, knownLog: KnownLog | undefined): string | undefined =>
  decodeTopicId(metadata) ?? knownLog?.topicId;

/** Why the group cannot continue at its committed offset; undefined if it can, or if it has none. */
export const resetCauseOf = ({ range, committed, topicId, knownLog }: PartitionLog): ResetCause | undefined => {
  const { offset = range.beginningOffset, metadata } = committed;
  if (knownLog?.isTruncated === true) return "truncated";
  // Kafka deletes the commits of a deleted topic. Then only this member knows the id of the old topic.
  if (isOtherTopic(lastReadTopicId(metadata, knownLog), topicId)) return "made_anew";
  if (offset > range.endOffset) return "truncated";
  return offset < range.beginningOffset ? "removed" : undefined;
};

/** Plans the start of a log that was reset. A retry topic always starts at its beginning: no waiting record may be skipped. */
const planReset = (log: PartitionLog, cause: ResetCause, startFrom: StartFrom): StartOffset | "outside" => {
  const { range, committed, isRetryTopic, topicId } = log;
  const { beginningOffset, endOffset } = range;
  const policy = isRetryTopic ? "earliest" : startFrom;
  if (policy === "fail") return "outside";
  if (policy === "latest") return { offset: endOffset, metadata: null, endOffset, topicId, cause };
  // After a removal it is still the same log: offsets completed beyond the gap stay completed.
  const metadata = cause === "removed" ? rebaseMetadata({ ...committed, newOffset: beginningOffset }) : null;
  return { offset: beginningOffset, metadata, endOffset, topicId, cause };
};

/**
 * Decides where a partition starts. `outside`: the committed offset is outside the log; `uncommitted`: the group is new. In
 * both cases START_FROM is `fail`, and the service must not start.
 */
export const planStartOffset = (log: PartitionLog, startFrom: StartFrom): StartOffset | "outside" | "uncommitted" => {
  const { range, committed, isRetryTopic, topicId, hasCommits } = log;
  const cause = resetCauseOf(log);
  if (cause !== undefined) return planReset(log, cause, startFrom);
  const { beginningOffset, endOffset } = range;
  const { offset, metadata } = committed;
  if (offset !== undefined) return { offset, metadata, endOffset, topicId };
  // START_FROM applies to a new group. If the group reads the topic already, a partition without a commit is a new partition.
  const isNewGroup = !isRetryTopic && !hasCommits;
  if (isNewGroup && startFrom === "fail") return "uncommitted";
  return {
    offset: isNewGroup && startFrom === "latest" ? endOffset : beginningOffset,
    metadata: null,
    endOffset,
    topicId,
  };
};
