import type { Batch } from "kafkajs";

import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { Tracker } from "../offsets/tracker.ts";
import { Chains, type Parked } from "../ordering/retry-backlog.ts";
import { scanBatch } from "./backlog-scan.ts";
import { type Feed, feedKey, isClosed } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { Start } from "./plan-start.ts";
import type { Reader } from "./record-reader.ts";

export interface RestoringOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly pauses: Pauses;
  readonly read: Reader;
  readonly monotonic: () => number;
  readonly onNeedsSchema: (feed: Feed, schemaId: number) => void;
}

/** Opens the partitions of a new assignment: tiers are read from their commits to their ends first, to know who is parked. */
export class Restoring {
  readonly #options: RestoringOptions;
  #feeds: readonly Feed[] = [];
  #parked: Parked = { records: 0 };

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  begin(feeds: readonly Feed[], starts: ReadonlyMap<string, Start>): void {
    this.#feeds = feeds;
    this.#parked = { records: 0 };
    for (const feed of feeds) {
      const start = starts.get(feedKey(feed));
      if (start) {
        feed.start = start.offset;
        feed.metadata = start.metadata;
        feed.high = start.high;
        feed.topicId = start.topicId;
        feed.due.ended(start.high, this.#options.monotonic());
      }
      if (feed.tier !== undefined && feed.start < feed.high) this.#scan(feed);
    }
    for (const number of new Set(feeds.map(({ partition }) => partition))) this.#openIfScanned(number);
  }

  /** Takes a batch of a tier that is being read; returns the last offset that need not be fetched again. */
  take(feed: Feed, batch: Batch): number | undefined {
    const { scan } = feed;
    if (!scan) return undefined;
    const { last, needs } = scanBatch(batch, { feed, scan, read: this.#options.read });
    if (last !== undefined) scan.position = last + 1;
    if (needs === undefined) this.advance(feed, Number(batch.lastOffset()) + 1);
    else this.#options.onNeedsSchema(feed, needs);
    return last;
  }

  /** A tier has been read up to this position. */
  advance(feed: Feed, position: number): void {
    if (!feed.scan) return;
    feed.scan.position = position;
    if (position < feed.scan.end) return;
    this.#options.pauses.start(feed, "restore", () => isClosed(feed));
    this.#openIfScanned(feed.partition);
  }

  #scan(feed: Feed): void {
    feed.scan = { end: feed.high, found: [], position: feed.start };
    this.#options.consumer.seek(feed, feed.start);
    this.#options.pauses.review(["restore"]);
  }

  /** Opens all topics of a partition number once its tiers are read, so that no user overtakes himself. */
  #openIfScanned(number: number): void {
    const feeds = this.#feeds.filter(({ partition }) => partition === number);
    if (feeds.some(({ scan, inlet }) => inlet || (scan && scan.position < scan.end))) return;
    const chains = new Chains(
      feeds.flatMap(({ scan }) => scan?.found ?? []),
      this.#parked,
    );
    for (const feed of feeds) {
      const { topic, partition, tier, start, metadata, topicId } = feed;
      feed.scan = undefined;
      feed.inlet = { topic, partition, tier, chains, tracker: new Tracker({ start, metadata, topicId }) };
      this.#options.consumer.seek(feed, start);
    }
    this.#options.pauses.review(["restore"]);
  }
}
