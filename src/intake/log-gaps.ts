import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import type { BacklogRebuild } from "./backlog-rebuild.ts";
import { type OwnedPartition, isFetchBlocked, positionOf, removeUnreadFromBacklog } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";

export interface LogGapsOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly scheduler: Pick<Scheduler, "startReady">;
  readonly pauses: Pauses;
  readonly backlogRebuild: Pick<BacklogRebuild, "advanceTo">;
  readonly findOwned: (topicPartition: TopicPartition) => OwnedPartition | undefined;
  /** Called if the cause is unknown: the service then asks the cluster. */
  readonly onSuspectLog: () => void;
}

/** Handles partitions whose log lacks the next offset to be read. */
export class LogGaps {
  readonly #options: LogGapsOptions;

  constructor(options: LogGapsOptions) {
    this.#options = options;
  }

  /** The broker has no record at the position of a partition. Pauses the partition until the cause is known. */
  onOutOfRange(topicPartition: TopicPartition): void {
    const owned = this.#options.findOwned(topicPartition);
    if (!owned || positionOf(owned) === undefined) return;
    owned.isOutOfRange = true;
    this.#options.pauses.pauseWhile(owned, "restore", () => isFetchBlocked(owned));
    this.#options.onSuspectLog();
  }

  /** The log is still the one that was read: fetches the partition from its position again. */
  resume(owned: OwnedPartition): void {
    const position = positionOf(owned);
    if (position === undefined) return;
    owned.isOutOfRange = false;
    this.#options.consumer.seek(owned, position);
    this.#options.pauses.review(["restore"]);
  }

  /**
   * Retention removed the records below `beginningOffset`. In a retry topic they leave the backlog, so that no event waits
   * for them. A partition that is out of range continues at `resumeOffset`.
   */
  skipRemoved(
    owned: OwnedPartition,
    { beginningOffset, resumeOffset }: { readonly beginningOffset: number; readonly resumeOffset: number },
  ): void {
    removeUnreadFromBacklog(owned, beginningOffset);
    if (owned.isOutOfRange) {
      owned.tracker?.skipTo(resumeOffset);
      this.#options.backlogRebuild.advanceTo(owned, resumeOffset);
      this.resume(owned);
    }
    this.#options.scheduler.startReady();
  }
}
