import type { UnreadablePartition } from "../kafka/fetch/isolate-partitions.ts";
import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { type OwnedPartition, type UnreadableWait, positionOf, currentUnreadableWait } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { BacklogRebuild } from "./restore-backlog.ts";

/** What becomes of batches that cannot be read, for the log and the metrics. */
export interface UnreadableEvents {
  /** A partition begins to wait. */
  readonly onWaiting: (unreadablePartition: UnreadablePartition) => void;
  /** It reads on by itself: what it waited at can be read by now, or is gone. */
  readonly onResumed: (unreadablePartition: TopicPartition) => void;
  /** These offsets were skipped because an operator has allowed it. */
  readonly onSkipped: (unreadablePartition: TopicPartition & UnreadableOffsets) => void;
}

export interface UnreadableBatchesOptions {
  readonly events: UnreadableEvents;
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly scheduler: Pick<Scheduler, "startReady">;
  readonly pauses: Pauses;
  readonly backlogRebuild: Pick<BacklogRebuild, "advanceTo">;
  readonly findOwned: (unreadablePartition: TopicPartition) => OwnedPartition | undefined;
  readonly monotonicNow: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

const minRetryPauseMs = 1_000;
const maxRetryPauseMs = 60_000;
/** Timers may fire a moment before their time by the other clock. */
const timerToleranceMs = 1;

/**
 * Partitions whose next batch cannot be read. Each of them waits alone and is tried again at growing pauses: another replica may
 * lead by then, or the broker be repaired. If an operator allows it, the batch is skipped.
 */
export class UnreadableBatches {
  readonly #options: UnreadableBatchesOptions;

  constructor(options: UnreadableBatchesOptions) {
    this.#options = options;
  }

  /** A fetch found nothing that can be read at the position of a partition. */
  onUnreadable(unreadablePartition: UnreadablePartition): void {
    const owned = this.#options.findOwned(unreadablePartition);
    const position = owned && positionOf(owned);
    if (!owned || position === undefined) return;
    // It may be the answer to a question from before the partition was assigned, moved on, or was put back.
    if (position > unreadablePartition.lastOffset || position < unreadablePartition.fetchOffset) return;
    if (!unreadablePartition.isUnskippable && unreadablePartition.lastOffset < owned.maySkipTo)
      this.#skip(owned, unreadablePartition);
    else this.#wait(owned, { ...unreadablePartition, position });
  }

  /** An operator allows to skip what cannot be read and ends below this offset. It is tried once more first: it may have become readable. */
  allowSkip(owned: OwnedPartition, skipTo: number): void {
    owned.maySkipTo = skipTo;
    const batch = currentUnreadableWait(owned);
    if (!batch || batch.lastOffset >= skipTo) return;
    owned.unreadableWait = { ...batch, retryAt: this.#options.monotonicNow() };
    this.#options.pauses.review(["unreadable"]);
  }

  /** Now and then: which partitions have moved on? */
  review(ownedPartitions: readonly OwnedPartition[]): void {
    for (const owned of ownedPartitions) {
      if (!owned.unreadableWait || currentUnreadableWait(owned)) continue;
      owned.unreadableWait = undefined;
      this.#options.events.onResumed({ topic: owned.topic, partition: owned.partition });
    }
  }

  #wait(owned: OwnedPartition, unreadablePartition: UnreadablePartition & Pick<UnreadableWait, "position">): void {
    const { events, pauses, monotonicNow, schedule } = this.#options;
    const previous = currentUnreadableWait(owned);
    const retryPauseMs = previous ? Math.min(2 * previous.retryPauseMs, maxRetryPauseMs) : minRetryPauseMs;
    const { offset, lastOffset, reason, isUnskippable = false, position } = unreadablePartition;
    const retryAt = monotonicNow() + retryPauseMs;
    owned.unreadableWait = { offset, lastOffset, reason, isUnskippable, position, retryPauseMs, retryAt };
    pauses.pauseWhile(
      owned,
      "unreadable",
      () => (currentUnreadableWait(owned)?.retryAt ?? 0) - monotonicNow() > timerToleranceMs,
    );
    schedule(retryPauseMs, () => pauses.review(["unreadable"]));
    if (!previous) events.onWaiting(unreadablePartition);
  }

  #skip(owned: OwnedPartition, { offset, lastOffset, reason }: UnreadableOffsets): void {
    const { events, consumer, scheduler, pauses, backlogRebuild } = this.#options;
    const { topic, partition, tier, tracker, backlog } = owned;
    const nextOffset = lastOffset + 1;
    owned.unreadableWait = undefined;
    // Nobody waits any longer for what is lost of a retry topic.
    if (tracker && tier !== undefined) backlog?.removeRange(tier, { from: tracker.position, to: nextOffset });
    tracker?.skipTo(nextOffset);
    consumer.seek(owned, nextOffset);
    backlogRebuild.advanceTo(owned, nextOffset);
    pauses.review(["unreadable"]);
    scheduler.startReady();
    // A retry topic that is scanned is read once more, and only then is the batch passed for good.
    if (tracker) events.onSkipped({ topic, partition, offset, lastOffset, reason });
  }
}
