import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { OffsetTracker } from "../offsets/tracker.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import type { ScannedRecord } from "../ordering/scanned-records.ts";
import type { OpenPartition } from "../pipeline/work-item.ts";
import type { ResetCause } from "./log-resets.ts";
import { RetryDelay } from "./retry-delay.ts";

/**
 * Why nothing is fetched from a partition: its past is being restored, the budget is full, the head of a tier is not due,
 * a schema is being fetched, too much lies beyond the committed mark, as much of one user waits as may, what comes next
 * cannot be read, or the assignment ends.
 */
export const pauseReasons = ["restore", "budget", "due", "schema", "span", "user", "unreadable", "end"] as const;
export type PauseReason = (typeof pauseReasons)[number];

/** A partition that this member owns, as intake sees it. */
export interface OwnedPartition extends TopicPartition {
  /** Which retry tier the topic is; undefined for a source. */
  readonly tier: number | undefined;
  /** Why nothing is fetched from it: by reason, whether that still holds. */
  readonly pauses: Map<PauseReason, () => boolean>;
  /** Where it begins, by the commit. */
  startOffset: number;
  metadata: string | null;
  /** A tier is read once from its commit to its end before anything is delivered, to know who is parked. */
  backlogScan: { readonly end: number; readonly found: ScannedRecord[]; position: number } | undefined;
  /** Undefined until the partition is open: until then nothing of it enters the pipeline. */
  tracker: OffsetTracker | undefined;
  /** The users of this partition number who have records in the retry topics. All topics of the number share it. */
  backlog: RetryBacklog | undefined;
  /** The end of the log, as last heard. */
  endOffset: number;
  /** Kafka's id of the topic when this assignment began; undefined where the cluster does not tell ids. */
  topicId: string | undefined;
  /** What was left out below this offset, because retention removed it unread, has been told of. */
  reportedRemovedTo: number;
  /** Kafka has nothing at the offset that was asked for: nothing is fetched until it is known why. */
  isOutOfRange: boolean;
  /** Why the log seems to be another one than that which was read: nothing of it is committed meanwhile. */
  suspectedReset: ResetCause | undefined;
  /** When the head of a tier is due. */
  readonly retryDelay: RetryDelay;
  /** The batch that comes next cannot be read. */
  unreadableWait: UnreadableWait | undefined;
  /** Batches that cannot be read and end below this offset may be skipped: an operator has said so. */
  maySkipTo: number;
}

/** The same object, once its start is known and the backlog of its number is rebuilt. */
export type OpenOwnedPartition = OwnedPartition & OpenPartition;

/** A partition's wait at a batch that cannot be read. */
export interface UnreadableWait extends UnreadableOffsets {
  /** What was to be read next when it was met. */
  readonly position: number;
  readonly retryPauseMs: number;
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

export const isOpen = (owned: OwnedPartition): owned is OpenOwnedPartition => owned.tracker !== undefined;

/** Neither open nor being scanned, or beyond its log: nothing may be fetched from it. */
export const isFetchBlocked = ({ tracker, backlogScan, isOutOfRange }: OwnedPartition): boolean =>
  isOutOfRange || (!tracker && !(backlogScan && backlogScan.position < backlogScan.end));

/** The partitions of which something may be committed: of a log that may be another one by now, nothing is. */
export const committablePartitions = (ownedPartitions: readonly OwnedPartition[]): readonly OpenOwnedPartition[] =>
  ownedPartitions.filter(isOpen).filter(({ suspectedReset }) => suspectedReset === undefined);

/** What is to be read next; undefined until it is known where to start. */
export const positionOf = ({ tracker, backlogScan }: OwnedPartition): number | undefined =>
  tracker?.position ?? backlogScan?.position;

/** This offset was read before: its record is fetched again, or another log gives the number once more. */
export const wasReadBefore = (owned: OwnedPartition, offset: number): boolean => offset < (positionOf(owned) ?? 0);

/** The log has been seen to end here. */
export const recordEndOffset = (owned: OwnedPartition, endOffset: number, monotonicMs: number): void => {
  owned.endOffset = Math.max(owned.endOffset, endOffset);
  owned.retryDelay.recordEndOffset(endOffset, monotonicMs);
};

/** The partition numbers, each once. */
export const partitionNumbersOf = (ownedPartitions: readonly OwnedPartition[]): readonly number[] => [
  ...new Set(ownedPartitions.map(({ partition }) => partition)),
];

/** The batch at which a partition waits; undefined if it does not, or has moved on since. */
export const currentUnreadableWait = (owned: OwnedPartition): UnreadableWait | undefined =>
  owned.unreadableWait?.position === positionOf(owned) ? owned.unreadableWait : undefined;

/** Whether all are open, but for those of a number of which a retry topic cannot be read: nobody knows who is parked there. */
export const areAllOpen = (ownedPartitions: readonly OwnedPartition[]): boolean => {
  const unreadable = new Set(
    ownedPartitions
      .filter((owned) => owned.backlogScan && currentUnreadableWait(owned))
      .map(({ partition }) => partition),
  );
  return ownedPartitions.every((owned) => isOpen(owned) || unreadable.has(owned.partition));
};

/** How many records are not yet finished, as far as is known. */
export const lagOf = ({ tracker, endOffset, startOffset }: OwnedPartition): number =>
  Math.max(0, endOffset - (tracker?.committableOffset ?? startOffset));
