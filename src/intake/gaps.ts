import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { type OwnedPartition, isFetchBlocked, positionOf } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { BacklogRebuild } from "./restore-backlog.ts";

export interface LogGapsOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly pipeline: Pick<Pipeline, "startReady">;
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
   * Retention removed what was to be read next, up to `low`: nobody waits any longer for what is gone of a retry topic. A partition
   * that was out of range because of it continues at `goOnAt`.
   */
  skipRemoved(
    owned: OwnedPartition,
    { low: beginningOffset, goOnAt: resumeOffset }: { low: number; goOnAt: number },
  ): void {
    const { inlet, tier } = owned;
    if (inlet && tier !== undefined)
      inlet.backlog.removeRange(tier, { from: inlet.tracker.position, to: beginningOffset });
    if (owned.isOutOfRange) {
      inlet?.tracker.skipTo(resumeOffset);
      this.#options.backlogRebuild.advanceTo(owned, resumeOffset);
      this.resume(owned);
    }
    this.#options.pipeline.startReady();
  }
}
