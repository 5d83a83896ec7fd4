import type { ClusterAdmin } from "../kafka/admin.ts";
import type { TopicPartition } from "./consumer.ts";
import { type Feed, feedKey } from "./feed.ts";
import type { Intake } from "./intake.ts";
import type { StartsOptions } from "./starts.ts";

/** The offsets that are gone, first and last. */
export interface Removed extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

export interface EndsOptions {
  readonly admin: Pick<ClusterAdmin, "ranges">;
  readonly intake: Pick<Intake, "feeds" | "heardEnd">;
  readonly topics: Pick<StartsOptions, "startFrom"> & {
    readonly source: readonly string[];
    readonly retry: readonly { readonly topic: string }[];
  };
  /** Retention removed these before they were read; told once. */
  readonly onRemoved: (removed: Removed) => void;
  readonly onFatal: (error: Error) => void;
}

/** What the log of an open partition has lost before its position, and has not been told of yet. */
const takeRemoved = (feed: Feed, low: number): Removed | undefined => {
  if (!feed.inlet) return undefined;
  const from = Math.max(feed.inlet.tracker.position, feed.removedTo);
  if (low <= from) return undefined;
  feed.removedTo = low;
  return { topic: feed.topic, partition: feed.partition, from, to: low - 1 };
};

/** Asks the cluster where the logs end, and whether they still begin before what is to be read next. */
export const askEnds = async ({ admin, intake, topics, onRemoved, onFatal }: EndsOptions): Promise<void> => {
  const ranges = await admin.ranges([...topics.source, ...topics.retry.map(({ topic }) => topic)]);
  const feeds = new Map(intake.feeds.map((feed) => [feedKey(feed), feed]));
  const lost: string[] = [];
  for (const range of ranges) {
    const feed = feeds.get(feedKey(range));
    if (!feed) continue;
    intake.heardEnd(feed, range.high);
    const removed = takeRemoved(feed, range.low);
    if (!removed) continue;
    onRemoved(removed);
    lost.push(`${feedKey(feed)} (${removed.from} to ${removed.to})`);
  }
  if (lost.length === 0 || topics.startFrom !== "fail") return;
  onFatal(
    new Error(
      `Kafka's retention removed records before they were delivered: ${lost.join(", ")}, and START_FROM is fail: ` +
        "reset the group's offsets, or set START_FROM to earliest or latest",
    ),
  );
};
