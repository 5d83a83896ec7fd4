import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { type OwnedPartition, isFetchBlocked, positionOf } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { BacklogRebuild } from "./restore-backlog.ts";

export interface LogGapsOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly scheduler: Pick<Scheduler, "startReady">;
  readonly pauses: Pauses;
  readonly backlogRebuild: Pick<BacklogRebuild, "advanceTo">;
  readonly findOwned: (topicPartition: TopicPartition) => OwnedPartition | undefined;
  /** Somebody has to ask the cluster. */
  readonly onSuspectLog: () => void;
}

/** What to do about partitions whose log does not have what is to be read next. */
export class LogGaps {
  readonly #options: LogGapsOptions;

  constructor(options: LogGapsOptions) {
    this.#options = options;
  }

  /** The broker has nothing at the position of a partition: nothing is fetched from it until it is known why. */
  onOutOfRange(topicPartition: TopicPartition): void {
    const owned = this.#options.findOwned(topicPartition);
    if (!owned || positionOf(owned) === undefined) return;
    owned.isOutOfRange = true;
    this.#options.pauses.pauseWhile(owned, "restore", () => isFetchBlocked(owned));
    this.#options.onSuspectLog();
  }

  /** The log is the one that we know: it is fetched from its position again. */
  resume(owned: OwnedPartition): void {
    const position = positionOf(owned);
    if (position === undefined) return;
    owned.isOutOfRange = false;
    this.#options.consumer.seek(owned, position);
    this.#options.pauses.review(["restore"]);
  }

  /**
   * Retention removed what was to be read next, up to `beginningOffset`: nobody waits any longer for what is gone of a retry topic. A partition
   * that was out of range because of it continues at `resumeOffset`.
   */
  skipRemoved(
    owned: OwnedPartition,
    { beginningOffset, resumeOffset }: { beginningOffset: number; resumeOffset: number },
  ): void {
    const { tracker, backlog, tier } = owned;
    if (tracker && tier !== undefined) backlog?.removeRange(tier, { from: tracker.position, to: beginningOffset });
    if (owned.isOutOfRange) {
      tracker?.skipTo(resumeOffset);
      this.#options.backlogRebuild.advanceTo(owned, resumeOffset);
      this.resume(owned);
    }
    this.#options.scheduler.startReady();
  }
}
