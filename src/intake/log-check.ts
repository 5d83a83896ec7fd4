import type { ClusterAdmin } from "../kafka/admin.ts";
import { partitionKey } from "../kafka/topic-partition.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import type { Ingest } from "./ingest.ts";
import type { LogGaps } from "./log-gaps.ts";
import type { LogReset, ResetCause } from "./log-resets.ts";
import { type OwnedPartition, positionOf } from "./owned-partition.ts";
import { isOtherTopic } from "./plan-start-offset.ts";
import type { StartOffsetsOptions } from "./start-offsets.ts";

export interface LogCheckOptions {
  readonly admin: Pick<ClusterAdmin, "logRanges" | "topicStates">;
  readonly ingest: Pick<Ingest, "ownedPartitions" | "recordEndOffset"> & {
    readonly gaps: Pick<LogGaps, "resume" | "skipRemoved">;
  };
  readonly topics: Pick<StartOffsetsOptions, "startFrom"> & {
    readonly source: readonly string[];
    readonly retry: readonly { readonly topic: string }[];
  };
  /** Retention removed records before they were read. Called once for each removed range. */
  readonly onLogReset: (reset: LogReset) => void;
  /** The logs of these partitions were replaced or truncated: the assignment has to restart. */
  readonly onLogReplaced: (ownedPartitions: readonly OwnedPartition[]) => void;
  readonly onFatal: (error: Error) => void;
}

/** An owned partition, and its next offset before the cluster was asked: reading continues while the cluster answers. */
export interface ReadPosition {
  readonly owned: OwnedPartition;
  readonly position: number;
}

/** The cluster's answer about the log of an owned partition. */
export interface CurrentLog {
  readonly range: Pick<LogRange, "beginningOffset" | "endOffset">;
  readonly topicId: string | undefined;
}

/** Why the log is no longer the one that was read, according to this answer; undefined if it still is. */
const resetCauseOf = ({ owned, position }: ReadPosition, { range, topicId }: CurrentLog): ResetCause | undefined => {
  if (isOtherTopic(owned.topicId, topicId)) return "made_anew";
  if (range.endOffset < Math.max(position, owned.backlogScan?.endOffset ?? 0)) return "truncated";
  return range.beginningOffset > (positionOf(owned) ?? 0) ? "removed" : undefined;
};

interface CheckedLog {
  readonly owned: OwnedPartition;
  readonly range: CurrentLog["range"];
  /** A cause that a second answer has to confirm: the broker that answered may lag behind the others. */
  readonly suspicion: OwnedPartition["suspectedReset"];
  /** `doubtful`: the suspicion is not confirmed yet. Undefined: the log is still the one that was read. */
  readonly verdict: ResetCause | "doubtful" | undefined;
}

/**
 * Compares an owned partition with the cluster's answer. A failed fetch confirms nothing: two answers have to agree even
 * then.
 */
const classifyLog = (readPosition: ReadPosition, currentLog: CurrentLog): CheckedLog => {
  const { owned } = readPosition;
  const cause = resetCauseOf(readPosition, currentLog);
  const suspicion = cause === "removed" ? undefined : cause;
  const isDoubtful = suspicion !== undefined && suspicion !== owned.suspectedReset;
  return { owned, range: currentLog.range, suspicion, verdict: isDoubtful ? "doubtful" : cause };
};

/** The offset at which reading continues behind removed records. After a failed fetch START_FROM decides, as at a start. */
const resumeOffsetOf = (
  owned: OwnedPartition,
  { beginningOffset, endOffset }: CurrentLog["range"],
  { startFrom }: LogCheckOptions["topics"],
): number => (owned.isOutOfRange && startFrom === "latest" && owned.tier === undefined ? endOffset : beginningOffset);

/** The range of removed records that has not been reported yet; undefined if there is none. */
const unreportedRangeOf = (
  { owned, range, verdict }: CheckedLog,
  topics: LogCheckOptions["topics"],
): LogReset | undefined => {
  if (verdict !== "removed") return undefined;
  const newOffset = resumeOffsetOf(owned, range, topics);
  const oldOffset = Math.max(positionOf(owned) ?? 0, owned.reportedRemovedTo);
  if (newOffset <= oldOffset) return undefined;
  return { topic: owned.topic, partition: owned.partition, cause: "removed", oldOffset, newOffset };
};

const createRemovedError = (removedRanges: readonly LogReset[]): Error => {
  const ranges = removedRanges.map((reset) => `${partitionKey(reset)} (${reset.oldOffset} to ${reset.newOffset - 1})`);
  return new Error(
    `Kafka's retention removed records before they were delivered: ${ranges.join(", ")}, and START_FROM is fail: ` +
      "reset the group's offsets, or set START_FROM to earliest or latest",
  );
};

/** Continues to read a log that is still the one that was read. */
const continueReading = ({ owned, range, verdict }: CheckedLog, { ingest, topics }: LogCheckOptions): void => {
  if (verdict !== undefined && verdict !== "removed") return;
  ingest.recordEndOffset(owned, range.endOffset);
  if (verdict === "removed") {
    // Records in memory are kept. After a failed fetch the partition is fetched again at the resume offset.
    const resumeOffset = resumeOffsetOf(owned, range, topics);
    ingest.gaps.skipRemoved(owned, { beginningOffset: range.beginningOffset, resumeOffset });
  } else if (owned.isOutOfRange) ingest.gaps.resume(owned);
};

/** Continues to read all logs that were not replaced. Reports removed records, each range once. */
const continueReadingAll = (checkedLogs: readonly CheckedLog[], options: LogCheckOptions): void => {
  const { topics, onLogReset, onFatal } = options;
  const removedRanges: LogReset[] = [];
  for (const checkedLog of checkedLogs) {
    const removedRange = unreportedRangeOf(checkedLog, topics);
    if (removedRange) {
      checkedLog.owned.reportedRemovedTo = removedRange.newOffset;
      removedRanges.push(removedRange);
    }
    continueReading(checkedLog, options);
  }
  for (const removedRange of removedRanges) onLogReset(removedRange);
  if (removedRanges.length > 0 && topics.startFrom === "fail") onFatal(createRemovedError(removedRanges));
};

const readPositionsOf = ({ ownedPartitions }: LogCheckOptions["ingest"]): ReadPosition[] =>
  ownedPartitions.flatMap((owned) => {
    const position = positionOf(owned);
    return position === undefined ? [] : [{ owned, position }];
  });

interface ClusterLogs {
  /** By topic. */
  readonly topicIds: ReadonlyMap<string, string | undefined>;
  /** By partition key. */
  readonly ranges: ReadonlyMap<string, LogRange>;
}

const readClusterLogs = async ({ admin, topics }: LogCheckOptions): Promise<ClusterLogs> => {
  const names = [...topics.source, ...topics.retry.map(({ topic }) => topic)];
  const topicIds = new Map((await admin.topicStates(names)).map(({ topic, id }) => [topic, id]));
  const ranges = new Map((await admin.logRanges(names)).map((range) => [partitionKey(range), range]));
  return { topicIds, ranges };
};

/** Classifies the logs that have an answer, and whose partitions are still owned. */
const classifyLogs = (
  readPositions: readonly ReadPosition[],
  { topicIds, ranges }: ClusterLogs,
  { ownedPartitions }: LogCheckOptions["ingest"],
): CheckedLog[] => {
  const stillOwned = new Set(ownedPartitions);
  return readPositions.flatMap((readPosition) => {
    const { owned } = readPosition;
    const range = ranges.get(partitionKey(owned));
    if (!range || !stillOwned.has(owned)) return [];
    return [classifyLog(readPosition, { range, topicId: topicIds.get(owned.topic) })];
  });
};

/**
 * Asks the cluster where the logs begin and end, and whether they are still those that were read, and acts on the answer.
 * Resolves with true if a suspicion is not confirmed yet: then the caller should check again soon. Rejects if the cluster
 * does not answer.
 */
export const checkLogs = async (options: LogCheckOptions): Promise<boolean> => {
  const readPositions = readPositionsOf(options.ingest);
  const checkedLogs = classifyLogs(readPositions, await readClusterLogs(options), options.ingest);
  for (const { owned, suspicion } of checkedLogs) owned.suspectedReset = suspicion;
  continueReadingAll(checkedLogs, options);
  const replaced = checkedLogs.filter(({ verdict }) => verdict === "made_anew" || verdict === "truncated");
  if (replaced.length > 0) options.onLogReplaced(replaced.map(({ owned }) => owned));
  return checkedLogs.some(({ verdict }) => verdict === "doubtful");
};
