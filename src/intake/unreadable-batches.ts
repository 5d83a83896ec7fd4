import type { UnreadablePartition } from "../kafka/fetch/isolate-partitions.ts";
import type { UnreadableOffsets } from "../kafka/fetch/record-batches.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import type { BacklogRebuild } from "./backlog-rebuild.ts";
import {
  type OwnedPartition,
  type UnreadableWait,
  positionOf,
  currentUnreadableWait,
  removeUnreadFromBacklog,
} from "./owned-partition.ts";
import { type Pauses, timerToleranceMs } from "./pauses.ts";

/** Reports about batches that cannot be read, for the log and the metrics. */
export interface UnreadableEvents {
  /** A partition begins to wait at an unreadable batch. */
  readonly onWaiting: (unreadablePartition: UnreadablePartition) => void;
  /** A partition continues without a skip: its batch can be read now, or has been removed. */
  readonly onResumed: (unreadablePartition: TopicPartition) => void;
  /** These offsets were skipped because an operator allowed it. */
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

/**
 * Handles partitions whose next batch cannot be read. Each waits alone and is fetched again after growing pauses: by then
 * another replica may be the leader, or the broker may be repaired. If an operator allows it, the batch is skipped.
 */
export class UnreadableBatches {
  readonly #options: UnreadableBatchesOptions;

  constructor(options: UnreadableBatchesOptions) {
    this.#options = options;
  }

  /** The batch at the position of a partition cannot be read: skips it if an operator allows that, or waits. */
  onUnreadable(unreadablePartition: UnreadablePartition): void {
    const owned = this.#options.findOwned(unreadablePartition);
    const position = owned && positionOf(owned);
    if (!owned || position === undefined) return;
    // The fetch may be outdated: it began before the partition was assigned, moved on, or was set to another position.
    if (position > unreadablePartition.lastOffset || position < unreadablePartition.fetchOffset) return;
    if (!unreadablePartition.isUnskippable && unreadablePartition.lastOffset < owned.maySkipTo)
      this.#skip(owned, unreadablePartition);
    else this.#wait(owned, { ...unreadablePartition, position });
  }

  /**
   * An operator allows unreadable batches that end below `skipTo` to be skipped. The batch is fetched once more first: it
   * may be readable now.
   */
  allowSkip(owned: OwnedPartition, skipTo: number): void {
    owned.maySkipTo = skipTo;
    const wait = currentUnreadableWait(owned);
    if (!wait || wait.lastOffset >= skipTo) return;
    owned.unreadableWait = { ...wait, retryAt: this.#options.monotonicNow() };
    this.#options.pauses.review(["unreadable"]);
  }

  /** Called periodically: reports the partitions that have moved on. */
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
    const { topic, partition, tracker } = owned;
    const nextOffset = lastOffset + 1;
    owned.unreadableWait = undefined;
    removeUnreadFromBacklog(owned, nextOffset);
    tracker?.skipTo(nextOffset);
    consumer.seek(owned, nextOffset);
    backlogRebuild.advanceTo(owned, nextOffset);
    pauses.review(["unreadable"]);
    scheduler.startReady();
    // A scan of a retry topic is followed by its delivery, which meets the batch again. The skip is reported then.
    if (tracker) events.onSkipped({ topic, partition, offset, lastOffset, reason });
  }
}
