import type { GroupConsumer, TopicPartition } from "../kafka/group/consumer.ts";
import type { Stream } from "../pipeline/pipeline.ts";
import { type Feed, isClosed, positionOf } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { Restoring } from "./restore-backlog.ts";

export interface GapsOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly stream: Pick<Stream, "pump">;
  readonly pauses: Pauses;
  readonly restoring: Pick<Restoring, "advance">;
  readonly feedOf: (place: TopicPartition) => Feed | undefined;
  /** Somebody has to ask the cluster. */
  readonly onDoubt: () => void;
}

/** What to do about partitions whose log does not have what is to be read next. */
export class Gaps {
  readonly #options: GapsOptions;

  constructor(options: GapsOptions) {
    this.#options = options;
  }

  /** The broker has nothing at the position of a partition: nothing is fetched from it until it is known why. */
  outOfRange(place: TopicPartition): void {
    const feed = this.#options.feedOf(place);
    if (!feed || positionOf(feed) === undefined) return;
    feed.isOutOfRange = true;
    this.#options.pauses.start(feed, "restore", () => isClosed(feed));
    this.#options.onDoubt();
  }

  /** The log is the one that we know: it is fetched from its position again. */
  goOn(feed: Feed): void {
    const position = positionOf(feed);
    if (position === undefined) return;
    feed.isOutOfRange = false;
    this.#options.consumer.seek(feed, position);
    this.#options.pauses.review(["restore"]);
  }

  /**
   * Retention removed what was to be read next, up to `low`: nobody waits any longer for what is gone of a retry topic. A partition
   * that was out of range because of it continues at `goOnAt`.
   */
  passOver(feed: Feed, { low, goOnAt }: { low: number; goOnAt: number }): void {
    const { inlet, tier } = feed;
    if (inlet && tier !== undefined) inlet.chains.gone(tier, { from: inlet.tracker.position, to: low });
    if (feed.isOutOfRange) {
      inlet?.tracker.skipTo(goOnAt);
      this.#options.restoring.advance(feed, goOnAt);
      this.goOn(feed);
    }
    this.#options.stream.pump();
  }
}
