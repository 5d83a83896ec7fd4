import type { ClusterAdmin, Committed } from "../kafka/admin.ts";
import type { LogRange } from "../kafka/log-ranges.ts";
import type { TopicPartition } from "./consumer.ts";
import { type Feed, feedKey } from "./feed.ts";

export interface StartsOptions {
  readonly admin: Pick<ClusterAdmin, "committed" | "ranges">;
  readonly groupId: string;
  readonly startFrom: "earliest" | "latest" | "fail";
}

/** The committed offset is gone from the log, and the operator wants to be asked. */
export class OffsetOutOfRange extends Error {}

export interface Start {
  readonly offset: number;
  readonly metadata: string | null;
  readonly high: number;
}

const isInside = (offset: number, { low, high }: LogRange): boolean => offset >= low && offset <= high;

/** Where one partition starts. A tier always starts with everything it has: what waits there must not be passed over. */
export const planStart = (
  place: { range: LogRange; committed: Committed; isTier: boolean },
  startFrom: StartsOptions["startFrom"],
): Start | "out_of_range" => {
  const { range, committed, isTier } = place;
  const { low, high } = range;
  const { offset, metadata } = committed;
  if (offset !== undefined && isInside(offset, range)) return { offset, metadata, high };
  if (startFrom === "fail" && offset !== undefined && !isTier) return "out_of_range";
  return { offset: startFrom === "latest" && !isTier ? high : low, metadata: null, high };
};

const byKey = <T extends TopicPartition>(entries: readonly T[]): Map<string, T> =>
  new Map(entries.map((entry) => [feedKey(entry), entry]));

/** An answer that lacks a partition is no word on it: taken for "nothing yet", it would lose or repeat a whole log. */
const told = <T>(answers: ReadonlyMap<string, T>, key: string): T => {
  const answer = answers.get(key);
  if (answer === undefined) throw new Error(`The cluster's answer lacks ${key}`);
  return answer;
};

/** Asks the cluster where the given partitions start. Throws `OffsetOutOfRange` with their names where that is wished. */
export const readStarts = async (feeds: readonly Feed[], options: StartsOptions): Promise<Map<string, Start>> => {
  const topics = [...new Set(feeds.map(({ topic }) => topic))];
  const committed = byKey(await options.admin.committed(options.groupId, topics));
  const ranges = byKey(await options.admin.ranges(topics));
  const starts = new Map<string, Start>();
  const outside: string[] = [];
  for (const feed of feeds) {
    const key = feedKey(feed);
    const place = { range: told(ranges, key), committed: told(committed, key), isTier: feed.tier !== undefined };
    const start = planStart(place, options.startFrom);
    if (start === "out_of_range") {
      const { low, high } = place.range;
      outside.push(`${key} (committed ${place.committed.offset}, log ${low} to ${high})`);
    } else starts.set(key, start);
  }
  if (outside.length === 0) return starts;
  throw new OffsetOutOfRange(
    `The committed offset is outside the log of ${outside.join(", ")}, and START_FROM is fail: ` +
      "reset the group's offsets, or set START_FROM to earliest or latest",
  );
};
