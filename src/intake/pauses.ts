import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { type Feed, type PauseReason, pauseReasons } from "./owned-partition.ts";

const none: readonly Feed[] = [];

/**
 * Pauses partitions for as many reasons as there are, and resumes them when the last has gone. Each reason is a condition that
 * is asked anew at every `review`; nobody has to tell when it ends, so no such word can be missed.
 */
export class Pauses {
  readonly #consumer: Pick<GroupConsumer, "pause" | "resume">;
  /** The feeds of this assignment that are paused, by reason; those of former ones are forgotten. */
  #paused = new Map<PauseReason, Set<Feed>>();
  #current = new Set<Feed>();

  constructor(consumer: Pick<GroupConsumer, "pause" | "resume">) {
    this.#consumer = consumer;
  }

  /** Forgets all others. kafkajs keeps pauses over a rebalance: every partition is paused anew, for as long as `mustWait`. */
  assign(feeds: readonly Feed[], reason: PauseReason, mustWait: (feed: Feed) => boolean): void {
    this.#paused = new Map();
    this.#current = new Set(feeds);
    for (const feed of feeds) feed.pauses.clear();
    for (const feed of feeds) this.#begin(feed, reason, () => mustWait(feed));
  }

  /** The feeds that are paused for this reason, as they are now. */
  of(reason: PauseReason): readonly Feed[] {
    const feeds = this.#paused.get(reason);
    return feeds?.size ? [...feeds] : none;
  }

  /** Pauses a feed for as long as `mustWait` says so; not at all if it says no already. */
  start(feed: Feed, reason: PauseReason, mustWait: () => boolean): void {
    if (this.#current.has(feed) && mustWait()) this.#begin(feed, reason, mustWait);
  }

  #begin(feed: Feed, reason: PauseReason, mustWait: () => boolean): void {
    const isNew = feed.pauses.size === 0;
    feed.pauses.set(reason, mustWait);
    const feeds = this.#paused.get(reason);
    if (feeds) feeds.add(feed);
    else this.#paused.set(reason, new Set([feed]));
    if (isNew) this.#consumer.pause([feed]);
  }

  /** Asks the feeds that are paused for these reasons whether they still must wait. */
  review(reasons: readonly PauseReason[] = pauseReasons): void {
    for (const reason of reasons) {
      const feeds = this.#paused.get(reason);
      if (!feeds?.size) continue;
      for (const feed of feeds) if (!feed.pauses.get(reason)?.()) this.#end(feed, { reason, feeds });
    }
  }

  #end(feed: Feed, { reason, feeds }: { reason: PauseReason; feeds: Set<Feed> }): void {
    feeds.delete(feed);
    feed.pauses.delete(reason);
    if (feed.pauses.size === 0) this.#consumer.resume(feed);
  }
}
