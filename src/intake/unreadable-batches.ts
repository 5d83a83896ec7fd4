import type { UnreadablePlace } from "../kafka/fetch/isolate-partitions.ts";
import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { GroupConsumer, TopicPartition } from "../kafka/group/consumer.ts";
import type { Stream } from "../pipeline/pipeline.ts";
import { type Feed, type UnreadableWait, positionOf, unreadableOf } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { Restoring } from "./restore-backlog.ts";

/** What becomes of batches that cannot be read, for the log and the metrics. */
export interface UnreadableEvents {
  /** A partition begins to wait. */
  readonly onWaits: (place: UnreadablePlace) => void;
  /** It reads on by itself: what it waited at can be read by now, or is gone. */
  readonly onReadsOn: (place: TopicPartition) => void;
  /** These offsets were skipped because an operator has allowed it. */
  readonly onSkipped: (place: TopicPartition & UnreadableOffsets) => void;
}

export interface UnreadableOptions {
  readonly events: UnreadableEvents;
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly stream: Pick<Stream, "pump">;
  readonly pauses: Pauses;
  readonly restoring: Pick<Restoring, "advance">;
  readonly feedOf: (place: TopicPartition) => Feed | undefined;
  readonly monotonic: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** Timers may fire a moment before their time by the other clock. */
const timerToleranceMs = 1;

/**
 * Partitions whose next batch cannot be read. Each of them waits alone and is tried again at growing pauses: another replica may
 * lead by then, or the broker be repaired. If an operator allows it, the batch is skipped.
 */
export class Unreadable {
  readonly #options: UnreadableOptions;

  constructor(options: UnreadableOptions) {
    this.#options = options;
  }

  /** A fetch found nothing that can be read at the position of a partition. */
  met(place: UnreadablePlace): void {
    const feed = this.#options.feedOf(place);
    const position = feed && positionOf(feed);
    if (!feed || position === undefined) return;
    // It may be the answer to a question from before the partition was assigned, moved on, or was put back.
    if (position > place.lastOffset || position < place.from) return;
    if (!place.mustWait && place.lastOffset < feed.skipTo) this.#skip(feed, place);
    else this.#wait(feed, { ...place, position });
  }

  /** An operator allows to skip what cannot be read and ends below this offset. It is tried once more first: it may have become readable. */
  allow(feed: Feed, skipTo: number): void {
    feed.skipTo = skipTo;
    const batch = unreadableOf(feed);
    if (!batch || batch.lastOffset >= skipTo) return;
    feed.unreadable = { ...batch, retryAt: this.#options.monotonic() };
    this.#options.pauses.review(["unreadable"]);
  }

  /** Now and then: which partitions have moved on? */
  review(feeds: readonly Feed[]): void {
    for (const feed of feeds) {
      if (!feed.unreadable || unreadableOf(feed)) continue;
      feed.unreadable = undefined;
      this.#options.events.onReadsOn({ topic: feed.topic, partition: feed.partition });
    }
  }

  #wait(feed: Feed, place: UnreadablePlace & Pick<UnreadableWait, "position">): void {
    const { events, pauses, monotonic, schedule } = this.#options;
    const before = unreadableOf(feed);
    const retryPauseMs = before ? Math.min(2 * before.retryPauseMs, longestPauseMs) : firstPauseMs;
    const { offset, lastOffset, reason, mustWait = false, position } = place;
    const retryAt = monotonic() + retryPauseMs;
    feed.unreadable = { offset, lastOffset, reason, mustWait, position, retryPauseMs, retryAt };
    pauses.start(feed, "unreadable", () => (unreadableOf(feed)?.retryAt ?? 0) - monotonic() > timerToleranceMs);
    schedule(retryPauseMs, () => pauses.review(["unreadable"]));
    if (!before) events.onWaits(place);
  }

  #skip(feed: Feed, { offset, lastOffset, reason }: UnreadableOffsets): void {
    const { events, consumer, stream, pauses, restoring } = this.#options;
    const { topic, partition, tier, inlet } = feed;
    const next = lastOffset + 1;
    feed.unreadable = undefined;
    // Nobody waits any longer for what is lost of a retry topic.
    if (inlet && tier !== undefined) inlet.chains.gone(tier, { from: inlet.tracker.position, to: next });
    inlet?.tracker.skipTo(next);
    consumer.seek(feed, next);
    restoring.advance(feed, next);
    pauses.review(["unreadable"]);
    stream.pump();
    // A retry topic that is scanned is read once more, and only then is the batch passed for good.
    if (inlet) events.onSkipped({ topic, partition, offset, lastOffset, reason });
  }
}
