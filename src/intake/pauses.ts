import type { GroupConsumer } from "./consumer.ts";
import type { Feed, PauseReason } from "./feed.ts";

const none: readonly Feed[] = [];

/** Pauses partitions for as many reasons as there are, and resumes them when the last has gone. */
export class Pauses {
  readonly #consumer: Pick<GroupConsumer, "pause" | "resume">;
  /** The feeds of this assignment that are paused, by reason; those of former ones are forgotten. */
  #paused = new Map<PauseReason, Set<Feed>>();
  #current = new Set<Feed>();

  constructor(consumer: Pick<GroupConsumer, "pause" | "resume">) {
    this.#consumer = consumer;
  }

  /** Forgets all others: kafkajs keeps pauses over a rebalance, so each partition is paused and resumed anew. */
  assign(feeds: readonly Feed[]): void {
    this.#paused = new Map();
    this.#current = new Set(feeds);
    for (const feed of feeds) feed.pauses.clear();
    for (const feed of feeds) this.start(feed, "restore");
  }

  /** The feeds that are paused for this reason, as they are now. */
  of(reason: PauseReason): readonly Feed[] {
    const feeds = this.#paused.get(reason);
    return feeds?.size ? [...feeds] : none;
  }

  start(feed: Feed, reason: PauseReason): void {
    if (!this.#current.has(feed)) return;
    const isNew = feed.pauses.size === 0;
    feed.pauses.add(reason);
    const feeds = this.#paused.get(reason);
    if (feeds) feeds.add(feed);
    else this.#paused.set(reason, new Set([feed]));
    if (isNew) this.#consumer.pause([feed]);
  }

  end(feed: Feed, reason: PauseReason): void {
    if (!this.#current.has(feed) || !feed.pauses.delete(reason)) return;
    this.#paused.get(reason)?.delete(feed);
    if (feed.pauses.size === 0) this.#consumer.resume(feed);
  }

  endAll(reason: PauseReason): void {
    for (const feed of this.#paused.get(reason) ?? []) this.end(feed, reason);
  }
}
