import type { ClusterAdmin } from "../kafka/admin.ts";
import { partitionKey } from "../kafka/topic-partition.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import type { LogGaps } from "./gaps.ts";
import type { Ingest } from "./ingest.ts";
import type { LogReset, ResetCause } from "./log-resets.ts";
import { type OwnedPartition, positionOf } from "./owned-partition.ts";
import { isOtherTopic } from "./plan-start.ts";
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
  /** Retention removed records before they were read; told once. */
  readonly onLogReset: (reset: LogReset) => void;
  /** The logs of these partitions are not those that were read from: everything has to begin again. */
  readonly onLogReplaced: (ownedPartitions: readonly OwnedPartition[]) => void;
  readonly onFatal: (error: Error) => void;
}

/** An owned partition, and what was to be read next of it before the cluster was asked: its end may move on meanwhile. */
export interface ReadPosition {
  readonly owned: OwnedPartition;
  readonly position: number;
}

/** What the cluster says of an owned partition. */
export interface CurrentLog {
  readonly range: Pick<LogRange, "beginningOffset" | "endOffset">;
  readonly topicId: string | undefined;
}

/** What seems to have become of an owned partition's log. */
const suspectedCauseOf = (
  { owned, position }: ReadPosition,
  { range, topicId }: CurrentLog,
): ResetCause | undefined => {
  if (isOtherTopic(owned.topicId, topicId)) return "made_anew";
  if (range.endOffset < Math.max(position, owned.backlogScan?.end ?? 0)) return "truncated";
  return range.beginningOffset > (positionOf(owned) ?? 0) ? "removed" : undefined;
};

/**
 * Whether an owned partition's log is still the one that it was. `doubtful`: it seems not to be, but the broker that was asked may be
 * behind the others, and has to say so twice, also where a fetch has failed because its log is too short.
 */
const classifyLog = (readPosition: ReadPosition, currentLog: CurrentLog): ResetCause | "doubtful" | undefined => {
  const { owned } = readPosition;
  const cause = suspectedCauseOf(readPosition, currentLog);
  const suspicion = cause === "removed" ? undefined : cause;
  const isConfirmed = suspicion === owned.suspectedReset;
  owned.suspectedReset = suspicion;
  return suspicion && !isConfirmed ? "doubtful" : cause;
};

interface CheckedLog {
  readonly owned: OwnedPartition;
  readonly range: CurrentLog["range"];
  readonly verdict: ReturnType<typeof classifyLog>;
}

/** Where reading continues behind what retention removed: START_FROM decides it where a fetch has failed. */
const resumeOffsetOf = (
  owned: OwnedPartition,
  { beginningOffset, endOffset }: CurrentLog["range"],
  { startFrom }: LogCheckOptions["topics"],
): number => (owned.isOutOfRange && startFrom === "latest" && owned.tier === undefined ? endOffset : beginningOffset);

/** What is left out up to this offset, and has not been told of yet. */
const recordRemoved = (owned: OwnedPartition, newOffset: number): LogReset | undefined => {
  const oldOffset = Math.max(positionOf(owned) ?? 0, owned.reportedRemovedTo);
  if (newOffset <= oldOffset) return undefined;
  owned.reportedRemovedTo = newOffset;
  return { topic: owned.topic, partition: owned.partition, cause: "removed", oldOffset, newOffset };
};

const removedError = (removedRanges: readonly LogReset[]): Error => {
  const ranges = removedRanges.map((reset) => `${partitionKey(reset)} (${reset.oldOffset} to ${reset.newOffset - 1})`);
  return new Error(
    `Kafka's retention removed records before they were delivered: ${ranges.join(", ")}, and START_FROM is fail: ` +
      "reset the group's offsets, or set START_FROM to earliest or latest",
  );
};

/** The log is still the one that it was. Gives back what retention removed of it, to be told. */
const continueReading = ({ owned, range, verdict }: CheckedLog, options: LogCheckOptions): LogReset[] => {
  const { ingest, topics } = options;
  if (verdict !== undefined && verdict !== "removed") return [];
  ingest.recordEndOffset(owned, range.endOffset);
  if (verdict === undefined) {
    if (owned.isOutOfRange) ingest.gaps.resume(owned);
    return [];
  }
  const resumeOffset = resumeOffsetOf(owned, range, topics);
  const removed = recordRemoved(owned, resumeOffset);
  // What is in memory stays, and a fetch that found nothing is made anew further on.
  ingest.gaps.skipRemoved(owned, { beginningOffset: range.beginningOffset, resumeOffset });
  return removed ? [removed] : [];
};

const readPositionsOf = ({ ownedPartitions }: LogCheckOptions["ingest"]): ReadPosition[] =>
  ownedPartitions.flatMap((owned) => {
    const position = positionOf(owned);
    return position === undefined ? [] : [{ owned, position }];
  });

/**
 * Asks the cluster where the logs begin and end, and whether they are still those that were read from. Resolves with true where it
 * should be asked again soon.
 */
export const checkLogs = async (options: LogCheckOptions): Promise<boolean> => {
  const { admin, ingest, topics, onLogReset, onLogReplaced, onFatal } = options;
  const readPosition = readPositionsOf(ingest);
  const topicNames = [...topics.source, ...topics.retry.map(({ topic }) => topic)];
  const topicIds = new Map((await admin.topicStates(topicNames)).map(({ topic, id }) => [topic, id]));
  const ranges = new Map((await admin.logRanges(topicNames)).map((range) => [partitionKey(range), range]));
  const stillOwned = new Set(ingest.ownedPartitions);
  const verdicts = readPosition.flatMap((entry) => {
    const range = ranges.get(partitionKey(entry.owned));
    if (!range || !stillOwned.has(entry.owned)) return [];
    return [
      { owned: entry.owned, range, verdict: classifyLog(entry, { range, topicId: topicIds.get(entry.owned.topic) }) },
    ];
  });
  const removedRanges = verdicts.flatMap((entry) => continueReading(entry, options));
  for (const removed of removedRanges) onLogReset(removed);
  if (removedRanges.length > 0 && topics.startFrom === "fail") onFatal(removedError(removedRanges));
  const replaced = verdicts.filter(({ verdict }) => verdict === "made_anew" || verdict === "truncated");
  if (replaced.length > 0) onLogReplaced(replaced.map(({ owned }) => owned));
  return verdicts.some(({ verdict }) => verdict === "doubtful");
};
