import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { TopicPartition } from "../kafka/group/consumer.ts";
import type { Found } from "../ordering/retry-backlog.ts";
import type { Inlet } from "../pipeline/work-item.ts";
import type { ResetCause } from "./log-resets.ts";
import { Due } from "./retry-delay.ts";

/**
 * Why nothing is fetched from a partition: its past is being restored, the budget is full, the head of a tier is not due,
 * a schema is being fetched, too much lies beyond the committed mark, as much of one user waits as may, what comes next
 * cannot be read, or the assignment ends.
 */
export const pauseReasons = ["restore", "budget", "due", "schema", "span", "user", "unreadable", "end"] as const;
export type PauseReason = (typeof pauseReasons)[number];

/** A partition that this member owns, as intake sees it. */
export interface Feed extends TopicPartition {
  /** Which retry tier the topic is; undefined for a source. */
  readonly tier: number | undefined;
  /** Why nothing is fetched from it: by reason, whether that still holds. */
  readonly pauses: Map<PauseReason, () => boolean>;
  /** Where it begins, by the commit. */
  start: number;
  metadata: string | null;
  /** A tier is read once from its commit to its end before anything is delivered, to know who is parked. */
  scan: { readonly end: number; readonly found: Found[]; position: number } | undefined;
  /** Undefined until it is open. */
  inlet: Inlet | undefined;
  /** The end of the log, as last heard. */
  high: number;
  /** Kafka's id of the topic when this assignment began; undefined where the cluster does not tell ids. */
  topicId: string | undefined;
  /** What was left out below this offset, because retention removed it unread, has been told of. */
  removedTo: number;
  /** Kafka has nothing at the offset that was asked for: nothing is fetched until it is known why. */
  isOutOfRange: boolean;
  /** Why the log seems to be another one than that which was read: nothing of it is committed meanwhile. */
  doubt: ResetCause | undefined;
  /** When the head of a tier is due. */
  readonly due: Due;
  /** The batch that comes next cannot be read. */
  unreadable: UnreadableWait | undefined;
  /** Batches that cannot be read and end below this offset may be skipped: an operator has said so. */
  skipTo: number;
}

/** A partition's wait at a batch that cannot be read. */
export interface UnreadableWait extends UnreadableOffsets {
  /** What was to be read next when it was met. */
  readonly position: number;
  readonly retryPauseMs: number;
  readonly retryAt: number;
}

export const createFeed = (place: TopicPartition, tier: number | undefined): Feed => ({
  ...place,
  tier,
  pauses: new Map(),
  start: 0,
  metadata: null,
  scan: undefined,
  inlet: undefined,
  high: 0,
  topicId: undefined,
  removedTo: 0,
  isOutOfRange: false,
  doubt: undefined,
  due: new Due(),
  unreadable: undefined,
  skipTo: 0,
});

/** Neither open nor being scanned, or beyond its log: nothing may be fetched from it. */
export const isClosed = ({ inlet, scan, isOutOfRange }: Feed): boolean =>
  isOutOfRange || (!inlet && !(scan && scan.position < scan.end));

/** The partitions of which something may be committed: of a log that may be another one by now, nothing is. */
export const committableOf = (feeds: readonly Feed[]): readonly Inlet[] =>
  feeds.flatMap(({ inlet, doubt }) => (inlet && doubt === undefined ? [inlet] : []));

export const feedKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** What is to be read next; undefined until it is known where to start. */
export const positionOf = ({ inlet, scan }: Feed): number | undefined => inlet?.tracker.position ?? scan?.position;

/** This offset was read before: its record is fetched again, or another log gives the number once more. */
export const isBehind = (feed: Feed, offset: number): boolean => offset < (positionOf(feed) ?? 0);

/** The partition numbers, each once. */
export const numbersOf = (feeds: readonly Feed[]): readonly number[] => [
  ...new Set(feeds.map(({ partition }) => partition)),
];

/** The batch at which a partition waits; undefined if it does not, or has moved on since. */
export const unreadableOf = (feed: Feed): UnreadableWait | undefined =>
  feed.unreadable?.position === positionOf(feed) ? feed.unreadable : undefined;

/** Whether all are open, but for those of a number of which a retry topic cannot be read: nobody knows who is parked there. */
export const areOpen = (feeds: readonly Feed[]): boolean => {
  const unreadable = new Set(feeds.filter((feed) => feed.scan && unreadableOf(feed)).map(({ partition }) => partition));
  return feeds.every(({ inlet, partition }) => inlet !== undefined || unreadable.has(partition));
};

/** How many records are not yet finished, as far as is known. */
export const lagOf = ({ inlet, high, start }: Feed): number => Math.max(0, high - (inlet?.tracker.mark ?? start));
