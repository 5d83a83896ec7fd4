import type { Committed } from "../kafka/admin.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import { movedMetadata } from "../offsets/moved-metadata.ts";
import { decodeTopicId } from "../offsets/topic-id.ts";
import type { KnownLog } from "./known-logs.ts";
import type { ResetCause } from "./log-resets.ts";

export type StartFrom = "earliest" | "latest" | "fail";

export interface Start {
  readonly offset: number;
  readonly metadata: string | null;
  readonly high: number;
  readonly topicId: string | undefined;
  readonly cause?: ResetCause;
}

/** What is known of a partition before it starts. */
export interface StartPlace {
  readonly range: LogRange;
  readonly committed: Committed;
  readonly isTier: boolean;
  /** The topic's, as it is now. */
  readonly topicId: string | undefined;
  /** What this member knew of the log. */
  readonly known?: KnownLog | undefined;
  /** The group has committed an offset of this topic, of whichever partition: it is no new group. */
  readonly hasCommits: boolean;
}

/** Whether these are the ids of two topics. What the cluster does not tell is no sign. */
export const isOther = (id: string | undefined, topicId: string | undefined): boolean =>
  id !== undefined && topicId !== undefined && id !== topicId;

/** The topic that the group, or at least this member, has read. */
const readFrom = (metadata: string | null, known: KnownLog | undefined): string | undefined =>
  decodeTopicId(metadata) ?? known?.topicId;

/** Why the group cannot go on where it was; undefined where it can, or has never been there. */
export const causeOf = ({ range, committed, topicId, known }: StartPlace): ResetCause | undefined => {
  const { offset = range.low, metadata } = committed;
  if (known?.isOver === true) return "truncated";
  // Kafka forgets what was committed of a topic that is deleted, but this member was there.
  if (isOther(readFrom(metadata, known), topicId)) return "made_anew";
  if (offset > range.high) return "truncated";
  return offset < range.low ? "removed" : undefined;
};

/** A tier always starts with everything it has: what waits there must not be passed over. */
const planReset = (place: StartPlace, cause: ResetCause, startFrom: StartFrom): Start | "outside" => {
  const { range, committed, isTier, topicId } = place;
  const { low, high } = range;
  const from = isTier ? "earliest" : startFrom;
  if (from === "fail") return "outside";
  if (from === "latest") return { offset: high, metadata: null, high, topicId, cause };
  // It is the same log still, so what was finished beyond the gap stays finished.
  const metadata = cause === "removed" ? movedMetadata({ ...committed, to: low }) : null;
  return { offset: low, metadata, high, topicId, cause };
};

/** Where one partition starts. */
export const planStart = (place: StartPlace, startFrom: StartFrom): Start | "outside" | "uncommitted" => {
  const { range, committed, isTier, topicId, hasCommits } = place;
  const cause = causeOf(place);
  if (cause !== undefined) return planReset(place, cause, startFrom);
  const { low, high } = range;
  const { offset, metadata } = committed;
  if (offset !== undefined) return { offset, metadata, high, topicId };
  // START_FROM concerns a new group: to one that reads the topic already, a partition without a commit is new itself.
  const isNewGroup = !isTier && !hasCommits;
  if (isNewGroup && startFrom === "fail") return "uncommitted";
  return { offset: isNewGroup && startFrom === "latest" ? high : low, metadata: null, high, topicId };
};
