import type { ClusterAdmin } from "../kafka/admin.ts";
import type { TopicPartition } from "./consumer.ts";
import { type Feed, feedKey } from "./feed.ts";
import type { KnownLogs } from "./known-logs.ts";
import { type Start, type StartFrom, type StartPlace, causeOf, planStart } from "./plan-start.ts";
import type { LogReset } from "./resets.ts";

export interface StartsOptions {
  readonly admin: Pick<ClusterAdmin, "committed" | "ranges" | "topics">;
  readonly groupId: string;
  readonly startFrom: StartFrom;
  readonly known: KnownLogs;
  /** A log is not the one that the group or this member knew. */
  readonly onReset: (reset: LogReset) => void;
}

/** Where to start is not ours to decide, and the operator wants to be asked. */
export class StartRefused extends Error {}

const byKey = <T extends TopicPartition>(entries: readonly T[]): Map<string, T> =>
  new Map(entries.map((entry) => [feedKey(entry), entry]));

/** An answer that lacks a partition is no word on it: taken for "nothing yet", it would lose or repeat a whole log. */
const told = <T>(answers: ReadonlyMap<string, T>, key: string): T => {
  const answer = answers.get(key);
  if (answer === undefined) throw new Error(`The cluster's answer lacks ${key}`);
  return answer;
};

/** Asks once more where a topic seems to have been made anew. */
const confirm = (places: readonly StartPlace[], known: KnownLogs): void => {
  const anew = places.filter((place) => causeOf(place) === "made_anew");
  const ids = new Map(anew.map(({ range, topicId }) => [range.topic, topicId]));
  const unheard = [...ids].filter(([topic, id]) => !known.isHeardAgain(topic, id)).map(([topic]) => topic);
  if (unheard.length > 0) throw new Error(`These topics seem to have been made anew: ${unheard.join(", ")}`);
};

/** Asks the cluster for everything that the start of these partitions depends on. */
const readPlaces = async (
  feeds: readonly Feed[],
  { admin, groupId, known }: StartsOptions,
): Promise<(StartPlace & { feed: Feed })[]> => {
  const topics = [...new Set(feeds.map(({ topic }) => topic))];
  const ids = new Map((await admin.topics(topics)).map(({ topic, id }) => [topic, id]));
  const commits = await admin.committed(groupId, topics);
  const ranges = byKey(await admin.ranges(topics));
  const committed = byKey(commits);
  return feeds.map((feed) => ({
    feed,
    range: told(ranges, feedKey(feed)),
    committed: told(committed, feedKey(feed)),
    isTier: feed.tier !== undefined,
    topicId: ids.get(feed.topic),
    known: known.of(feed),
    hasCommits: commits.some(({ topic, offset }) => topic === feed.topic && offset !== undefined),
  }));
};

interface Planned {
  readonly feed: Feed;
  readonly place: StartPlace;
  readonly start: ReturnType<typeof planStart>;
}

const resetOf = ({ feed: { topic, partition }, place, start }: Planned): LogReset | undefined => {
  if (typeof start === "string" || start.cause === undefined) return undefined;
  const oldOffset = Math.max(place.committed.offset ?? 0, place.known?.position ?? 0);
  return { topic, partition, cause: start.cause, oldOffset, newOffset: start.offset };
};

const refuse = (planned: readonly Planned[]): void => {
  const outside = planned.flatMap(({ feed, place: { range, committed }, start }) =>
    start === "outside" ? [`${feedKey(feed)} (committed ${committed.offset}, log ${range.low} to ${range.high})`] : [],
  );
  if (outside.length > 0)
    throw new StartRefused(
      `The committed offset is outside the log of ${outside.join(", ")}, and START_FROM is fail: ` +
        "reset the group's offsets, or set START_FROM to earliest or latest",
    );
  const uncommitted = planned.flatMap(({ feed, start }) => (start === "uncommitted" ? [feedKey(feed)] : []));
  if (uncommitted.length > 0)
    throw new StartRefused(
      `The group has no committed offset of ${uncommitted.join(", ")}, and START_FROM is fail: ` +
        "set START_FROM to earliest or latest for the first start",
    );
};

/** Asks the cluster where the given partitions start. Throws `StartRefused` with their names where that is wished. */
export const readStarts = async (feeds: readonly Feed[], options: StartsOptions): Promise<Map<string, Start>> => {
  const places = await readPlaces(feeds, options);
  confirm(places, options.known);
  const planned = places.map(({ feed, ...place }) => ({ feed, place, start: planStart(place, options.startFrom) }));
  refuse(planned);
  for (const one of planned) {
    const reset = resetOf(one);
    if (reset) options.onReset(reset);
  }
  return new Map(
    planned.flatMap(({ feed, start }) => (typeof start === "string" ? [] : [[feedKey(feed), start] as const])),
  );
};
