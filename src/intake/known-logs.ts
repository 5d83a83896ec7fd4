import type { TopicPartition } from "../kafka/group/consumer.ts";
import { type Feed, feedKey, positionOf } from "./owned-partition.ts";

/** What this member knew of a partition's log. */
export interface KnownLog {
  readonly topicId: string | undefined;
  /** What was to be read next. */
  readonly position: number;
  /** It was cut off below that: what was committed of it counts no more, whatever comes there now. */
  readonly isOver: boolean;
}

/** The logs that this process has read from, also those of partitions that it owns no more. */
export class KnownLogs {
  readonly #logs = new Map<string, KnownLog>();
  readonly #heard = new Map<string, string | undefined>();

  of(place: TopicPartition): KnownLog | undefined {
    return this.#logs.get(feedKey(place));
  }

  /** These are open now. */
  began(feeds: readonly Feed[]): void {
    for (const feed of feeds) this.#remember(feed, false);
  }

  /** The logs of these are not those that were read from. Another topic of the same name shows by its id. */
  areOver(feeds: readonly Feed[]): void {
    for (const feed of feeds) this.#remember(feed, feed.doubt === "truncated");
  }

  /** These are left, for those. Whoever owned a partition meanwhile knows better than this member whether its log is over. */
  left(feeds: readonly Feed[], owned: readonly TopicPartition[]): void {
    for (const feed of feeds) if (positionOf(feed) !== undefined) this.#remember(feed, this.of(feed)?.isOver ?? false);
    const keys = new Set(owned.map((place) => feedKey(place)));
    for (const [key, log] of this.#logs) if (!keys.has(key)) this.#logs.set(key, { ...log, isOver: false });
  }

  /**
   * Whether the same was heard of this log last time as well: a broker that is behind the others may still tell the id of a topic that
   * is gone, or an end that is not the log's any more. Undefined: nothing is suspect, and what was heard before counts no more.
   */
  isHeardAgain(place: TopicPartition, suspicion: string | undefined): boolean {
    const isAgain = this.#heard.get(feedKey(place)) === suspicion;
    this.#heard.set(feedKey(place), suspicion);
    return isAgain;
  }

  #remember(feed: Feed, isOver: boolean): void {
    const { topicId, start } = feed;
    this.#logs.set(feedKey(feed), { topicId, position: positionOf(feed) ?? start, isOver });
  }
}
