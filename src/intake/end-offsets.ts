import type { ClusterAdmin } from "../kafka/admin.ts";
import type { LogRange } from "../kafka/topics/log-ranges.ts";
import type { Gaps } from "./gaps.ts";
import type { Intake } from "./ingest.ts";
import type { LogReset, ResetCause } from "./log-resets.ts";
import { type Feed, feedKey, positionOf } from "./owned-partition.ts";
import { isOther } from "./plan-start.ts";
import type { StartsOptions } from "./start-offsets.ts";

export interface EndsOptions {
  readonly admin: Pick<ClusterAdmin, "ranges" | "topics">;
  readonly intake: Pick<Intake, "feeds" | "heardEnd"> & { readonly gaps: Pick<Gaps, "goOn" | "passOver"> };
  readonly topics: Pick<StartsOptions, "startFrom"> & {
    readonly source: readonly string[];
    readonly retry: readonly { readonly topic: string }[];
  };
  /** Retention removed records before they were read; told once. */
  readonly onReset: (reset: LogReset) => void;
  /** The logs of these partitions are not those that were read from: everything has to begin again. */
  readonly onOver: (feeds: readonly Feed[]) => void;
  readonly onFatal: (error: Error) => void;
}

/** An owned partition, and what was to be read next of it before the cluster was asked: its end may move on meanwhile. */
export interface Owned {
  readonly feed: Feed;
  readonly position: number;
}

/** What the cluster says of an owned partition. */
export interface LogNow {
  readonly range: Pick<LogRange, "low" | "high">;
  readonly topicId: string | undefined;
}

/** What seems to have become of an owned partition's log. */
const suspectOf = ({ feed, position }: Owned, { range, topicId }: LogNow): ResetCause | undefined => {
  if (isOther(feed.topicId, topicId)) return "made_anew";
  if (range.high < Math.max(position, feed.scan?.end ?? 0)) return "truncated";
  return range.low > (positionOf(feed) ?? 0) ? "removed" : undefined;
};

/**
 * Whether an owned partition's log is still the one that it was. `doubtful`: it seems not to be, but the broker that was asked may be
 * behind the others, and has to say so twice, also where a fetch has failed because its log is too short.
 */
const judgeLog = (owned: Owned, now: LogNow): ResetCause | "doubtful" | undefined => {
  const { feed } = owned;
  const cause = suspectOf(owned, now);
  const doubt = cause === "removed" ? undefined : cause;
  const isSure = doubt === feed.doubt;
  feed.doubt = doubt;
  return doubt && !isSure ? "doubtful" : cause;
};

interface Verdict {
  readonly feed: Feed;
  readonly range: LogNow["range"];
  readonly verdict: ReturnType<typeof judgeLog>;
}

/** Where reading continues behind what retention removed: START_FROM decides it where a fetch has failed. */
const goOnAtOf = (feed: Feed, { low, high }: LogNow["range"], { startFrom }: EndsOptions["topics"]): number =>
  feed.isOutOfRange && startFrom === "latest" && feed.tier === undefined ? high : low;

/** What is left out up to this offset, and has not been told of yet. */
const takeRemoved = (feed: Feed, newOffset: number): LogReset | undefined => {
  const oldOffset = Math.max(positionOf(feed) ?? 0, feed.removedTo);
  if (newOffset <= oldOffset) return undefined;
  feed.removedTo = newOffset;
  return { topic: feed.topic, partition: feed.partition, cause: "removed", oldOffset, newOffset };
};

const removedError = (lost: readonly LogReset[]): Error => {
  const ranges = lost.map((reset) => `${feedKey(reset)} (${reset.oldOffset} to ${reset.newOffset - 1})`);
  return new Error(
    `Kafka's retention removed records before they were delivered: ${ranges.join(", ")}, and START_FROM is fail: ` +
      "reset the group's offsets, or set START_FROM to earliest or latest",
  );
};

/** The log is still the one that it was. Gives back what retention removed of it, to be told. */
const continueWith = ({ feed, range, verdict }: Verdict, options: EndsOptions): LogReset[] => {
  const { intake, topics } = options;
  if (verdict !== undefined && verdict !== "removed") return [];
  intake.heardEnd(feed, range.high);
  if (verdict === undefined) {
    if (feed.isOutOfRange) intake.gaps.goOn(feed);
    return [];
  }
  const goOnAt = goOnAtOf(feed, range, topics);
  const removed = takeRemoved(feed, goOnAt);
  // What is in memory stays, and a fetch that found nothing is made anew further on.
  intake.gaps.passOver(feed, { low: range.low, goOnAt });
  return removed ? [removed] : [];
};

const ownedOf = ({ feeds }: EndsOptions["intake"]): Owned[] =>
  feeds.flatMap((feed) => {
    const position = positionOf(feed);
    return position === undefined ? [] : [{ feed, position }];
  });

/**
 * Asks the cluster where the logs begin and end, and whether they are still those that were read from. Resolves with true where it
 * should be asked again soon.
 */
export const askEnds = async (options: EndsOptions): Promise<boolean> => {
  const { admin, intake, topics, onReset, onOver, onFatal } = options;
  const owned = ownedOf(intake);
  const names = [...topics.source, ...topics.retry.map(({ topic }) => topic)];
  const ids = new Map((await admin.topics(names)).map(({ topic, id }) => [topic, id]));
  const ranges = new Map((await admin.ranges(names)).map((range) => [feedKey(range), range]));
  const current = new Set(intake.feeds);
  const verdicts = owned.flatMap((one) => {
    const range = ranges.get(feedKey(one.feed));
    if (!range || !current.has(one.feed)) return [];
    return [{ feed: one.feed, range, verdict: judgeLog(one, { range, topicId: ids.get(one.feed.topic) }) }];
  });
  const lost = verdicts.flatMap((one) => continueWith(one, options));
  for (const removed of lost) onReset(removed);
  if (lost.length > 0 && topics.startFrom === "fail") onFatal(removedError(lost));
  const over = verdicts.filter(({ verdict }) => verdict === "made_anew" || verdict === "truncated");
  if (over.length > 0) onOver(over.map(({ feed }) => feed));
  return verdicts.some(({ verdict }) => verdict === "doubtful");
};
