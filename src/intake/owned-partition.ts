import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { OffsetTracker } from "../offsets/tracker.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import type { ScannedRecord } from "../ordering/scanned-records.ts";
import type { OpenPartition } from "../pipeline/work-item.ts";
import type { ResetCause } from "./log-resets.ts";
import { RetryDelay } from "./retry-delay.ts";

/**
 * Why nothing is fetched from a partition: `restore`, the start offset is unknown or the backlog is being rebuilt;
 * `budget`, there is no capacity; `due`, the head of a retry topic is not due; `schema`, a schema is being fetched; `span`,
 * the in-flight window is full; `user`, a hot-key limit or the dead-letter limit is reached; `unreadable`, the next batch
 * cannot be read; `end`, the assignment ends.
 */
export const pauseReasons = ["restore", "budget", "due", "schema", "span", "user", "unreadable", "end"] as const;
export type PauseReason = (typeof pauseReasons)[number];

/** The scan of a retry topic before its delivery starts: it finds the records that wait there. */
export interface BacklogScan {
  readonly endOffset: number;
  /** The records found so far. */
  readonly records: ScannedRecord[];
  /** The next offset to scan. */
  position: number;
}

/** A partition of the present assignment. The next assignment has new objects, even for the same partitions. */
export interface OwnedPartition extends TopicPartition {
  /** The index of a retry topic; undefined for a source topic. */
  readonly tier: number | undefined;
  /** The reasons for which nothing is fetched, each with a function that returns whether the reason still applies. */
  readonly pauses: Map<PauseReason, () => boolean>;
  /** The offset where reading starts, usually the committed offset. */
  startOffset: number;
  /** The metadata of the commit: the completed-offset map and the topic id. */
  metadata: string | null;
  /** Set while the backlog of a retry topic is scanned. */
  backlogScan: BacklogScan | undefined;
  /** Undefined until the partition is open. Until then none of its records enters the pipeline. */
  tracker: OffsetTracker | undefined;
  /** The records of this partition number that wait in the retry topics, by user. All topics of the number share it. */
  backlog: RetryBacklog | undefined;
  /** The end of the log: the largest end offset that was seen. */
  endOffset: number;
  /** Kafka's id of the topic when this assignment began; undefined if the cluster does not report topic ids. */
  topicId: string | undefined;
  /** Records below this offset that retention removed before they were read have been reported. */
  reportedRemovedTo: number;
  /** Whether the last fetch failed because the log has no such offset. Nothing is fetched until the cause is known. */
  isOutOfRange: boolean;
  /** Why the log seems to be another one than the log that was read. While this is set, nothing is committed. */
  suspectedReset: ResetCause | undefined;
  /** Decides when the head of a retry topic is due. */
  readonly retryDelay: RetryDelay;
  /** Set if the batch at `position` cannot be read. May be outdated: see `currentUnreadableWait`. */
  unreadableWait: UnreadableWait | undefined;
  /** An operator allows the service to skip unreadable batches that end below this offset. */
  maySkipTo: number;
}

/** An owned partition whose start offset is known and whose backlog is rebuilt. */
export type OpenOwnedPartition = OwnedPartition & OpenPartition;

/** A wait at a batch that cannot be read. */
export interface UnreadableWait extends UnreadableOffsets {
  /** The next offset to be read when the wait began. */
  readonly position: number;
  readonly retryPauseMs: number;
  /** The time of the next attempt, by the monotonic clock. */
  readonly retryAt: number;
}

export const createOwnedPartition = (topicPartition: TopicPartition, tier: number | undefined): OwnedPartition => ({
  ...topicPartition,
  tier,
  pauses: new Map(),
  startOffset: 0,
  metadata: null,
  backlogScan: undefined,
  tracker: undefined,
  backlog: undefined,
  endOffset: 0,
  topicId: undefined,
  reportedRemovedTo: 0,
  isOutOfRange: false,
  suspectedReset: undefined,
  retryDelay: new RetryDelay(),
  unreadableWait: undefined,
  maySkipTo: 0,
});

/** Whether the partition's records may enter the pipeline. */
export const isOpen = (owned: OwnedPartition): owned is OpenOwnedPartition => owned.tracker !== undefined;

/** Whether the partition is paused for any reason. */
export const isPaused = ({ pauses }: OwnedPartition): boolean => pauses.size > 0;

/** Whether a scan of the partition is still under way. */
export const isScanning = ({ backlogScan }: OwnedPartition): boolean =>
  backlogScan !== undefined && backlogScan.position < backlogScan.endOffset;

/** Whether nothing may be fetched: the partition is out of range, or neither open nor being scanned. */
export const isFetchBlocked = (owned: OwnedPartition): boolean =>
  owned.isOutOfRange || (!isOpen(owned) && !isScanning(owned));

/** The open partitions whose logs are not under suspicion: only these may be committed. */
export const committablePartitions = (ownedPartitions: readonly OwnedPartition[]): readonly OpenOwnedPartition[] =>
  ownedPartitions.filter(isOpen).filter(({ suspectedReset }) => suspectedReset === undefined);

/** The next offset to be read; undefined until the start offset is known. */
export const positionOf = ({ tracker, backlogScan }: OwnedPartition): number | undefined =>
  tracker?.position ?? backlogScan?.position;

/** Whether this offset was read before: its record was fetched again, or the log was replaced and has the offset once more. */
export const wasReadBefore = (owned: OwnedPartition, offset: number): boolean => offset < (positionOf(owned) ?? 0);

/** Records that the log ended at `endOffset` at this time of the monotonic clock, in milliseconds. */
export const recordEndOffset = (owned: OwnedPartition, endOffset: number, monotonicMs: number): void => {
  owned.endOffset = Math.max(owned.endOffset, endOffset);
  owned.retryDelay.recordEndOffset(endOffset, monotonicMs);
};

/** The partition numbers of these partitions, each once. */
export const partitionNumbersOf = (ownedPartitions: readonly OwnedPartition[]): readonly number[] => [
  ...new Set(ownedPartitions.map(({ partition }) => partition)),
];

/** The unreadable batch at which a partition waits; undefined if it does not wait, or has moved on since. */
export const currentUnreadableWait = (owned: OwnedPartition): UnreadableWait | undefined =>
  owned.unreadableWait?.position === positionOf(owned) ? owned.unreadableWait : undefined;

/** Whether all are open, except those of a number whose retry topic cannot be scanned: its parked users are unknown. */
export const areAllOpen = (ownedPartitions: readonly OwnedPartition[]): boolean => {
  const blockedNumbers = new Set(
    ownedPartitions
      .filter((owned) => owned.backlogScan && currentUnreadableWait(owned))
      .map(({ partition }) => partition),
  );
  return ownedPartitions.every((owned) => isOpen(owned) || blockedNumbers.has(owned.partition));
};

/** The number of records that are not yet completed, from the committable offset to the last known end of the log. */
export const lagOf = ({ tracker, endOffset, startOffset }: OwnedPartition): number =>
  Math.max(0, endOffset - (tracker?.committableOffset ?? startOffset));

/** Records of a retry topic that will never be read leave the backlog, so that no event waits for them. `to` is exclusive. */
export const removeUnreadFromBacklog = ({ tracker, backlog, tier }: OwnedPartition, to: number): void => {
  if (tracker && tier !== undefined) backlog?.removeRange(tier, { from: tracker.position, to });
};
