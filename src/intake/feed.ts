import type { Found } from "../flow/chains.ts";
import type { Inlet } from "../stream/assignment.ts";
import type { TopicPartition } from "./consumer.ts";
import { Due } from "./due.ts";

/**
 * Why nothing is fetched from a partition: its past is being restored, the budget is full, the head of a tier is not due,
 * a schema is being fetched, too much lies beyond the committed mark, or as much of one user waits as may.
 */
export const pauseReasons = ["restore", "budget", "due", "schema", "span", "user"] as const;
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
  /** Records below this offset that retention removed unread have been told of. */
  removedTo: number;
  /** When the head of a tier is due. */
  readonly due: Due;
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
  removedTo: 0,
  due: new Due(),
});

/** Neither open nor being scanned: nothing may be fetched from it. */
export const isClosed = ({ inlet, scan }: Feed): boolean => !inlet && !(scan && scan.position < scan.end);

export const feedKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** How many records are not yet finished, as far as is known. */
export const lagOf = ({ inlet, high, start }: Feed): number => Math.max(0, high - (inlet?.tracker.mark ?? start));
