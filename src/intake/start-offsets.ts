import type { ClusterAdmin } from "../kafka/admin.ts";
import type { TopicPartition } from "../kafka/group/consumer.ts";
import type { KnownLogs } from "./known-logs.ts";
import type { LogReset } from "./log-resets.ts";
import { type Feed, feedKey } from "./owned-partition.ts";
import { type Start, type StartFrom, type StartPlace, causeOf, planStart } from "./plan-start.ts";

export interface StartsOptions {
  readonly admin: Pick<ClusterAdmin, "committed" | "ranges" | "topics">;
  readonly groupId: string;
  readonly startFrom: StartFrom;
  readonly known: KnownLogs;
}

export interface Starts {
  /** By partition. */
  readonly starts: ReadonlyMap<string, Start>;
  /** The logs that are not those that the group or this member knew. */
  readonly resets: readonly LogReset[];
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

/** What a single answer is not believed; undefined: nothing. What this member has seen itself is certain. */
const suspicionOf = (place: StartPlace): string | undefined => {
  const cause = causeOf(place);
  if (cause === "made_anew") return `${cause} ${place.topicId}`;
  return cause === "truncated" && !place.known?.isOver ? cause : undefined;
};

/** Asks once more where a topic seems to have been made anew, or a log to be cut off. */
const confirm = (places: readonly StartPlace[], known: KnownLogs): void => {
  const heard = places.map((place) => ({ place, isSure: known.isHeardAgain(place.range, suspicionOf(place)) }));
  const unsure = heard.filter(({ place, isSure }) => !isSure && suspicionOf(place) !== undefined);
  const names = unsure.map(({ place }) => `${feedKey(place.range)} (${causeOf(place)})`);
  if (names.length > 0) throw new Error(`These logs seem not to be those that were read from: ${names.join(", ")}`);
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
  return feeds.map((feed): StartPlace & { feed: Feed } => ({
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
export const readStarts = async (feeds: readonly Feed[], options: StartsOptions): Promise<Starts> => {
  const places = await readPlaces(feeds, options);
  confirm(places, options.known);
  const planned = places.map(({ feed, ...place }) => ({ feed, place, start: planStart(place, options.startFrom) }));
  refuse(planned);
  const starts = planned.flatMap(({ feed, start }) =>
    typeof start === "string" ? [] : [[feedKey(feed), start] as const],
  );
  return { starts: new Map(starts), resets: planned.flatMap((one) => resetOf(one) ?? []) };
};
