import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { type OwnedPartition, type PauseReason, pauseReasons } from "./owned-partition.ts";

const noPartitions: readonly OwnedPartition[] = [];

/**
 * Pauses partitions for as many reasons as there are, and resumes them when the last has gone. Each reason is a condition that
 * is asked anew at every `review`; nobody has to tell when it ends, so no such word can be missed.
 */
export class Pauses {
  readonly #consumer: Pick<GroupConsumer, "pause" | "resume">;
  /** The feeds of this assignment that are paused, by reason; those of former ones are forgotten. */
  #paused = new Map<PauseReason, Set<OwnedPartition>>();
  #current = new Set<OwnedPartition>();

  constructor(consumer: Pick<GroupConsumer, "pause" | "resume">) {
    this.#consumer = consumer;
  }

  /** Forgets all others. kafkajs keeps pauses over a rebalance: every partition is paused anew, for as long as `mustWait`. */
  assign(
    ownedPartitions: readonly OwnedPartition[],
    reason: PauseReason,
    mustWait: (owned: OwnedPartition) => boolean,
  ): void {
    this.#paused = new Map();
    this.#current = new Set(ownedPartitions);
    for (const owned of ownedPartitions) owned.pauses.clear();
    for (const owned of ownedPartitions) this.#pause(owned, reason, () => mustWait(owned));
  }

  /** The feeds that are paused for this reason, as they are now. */
  pausedFor(reason: PauseReason): readonly OwnedPartition[] {
    const ownedPartitions = this.#paused.get(reason);
    return ownedPartitions?.size ? [...ownedPartitions] : noPartitions;
  }

  /** Pauses a feed for as long as `mustWait` says so; not at all if it says no already. */
  pauseWhile(owned: OwnedPartition, reason: PauseReason, mustWait: () => boolean): void {
    if (this.#current.has(owned) && mustWait()) this.#pause(owned, reason, mustWait);
  }

  #pause(owned: OwnedPartition, reason: PauseReason, mustWait: () => boolean): void {
    const isFirstReason = owned.pauses.size === 0;
    owned.pauses.set(reason, mustWait);
    const ownedPartitions = this.#paused.get(reason);
    if (ownedPartitions) ownedPartitions.add(owned);
    else this.#paused.set(reason, new Set([owned]));
    if (isFirstReason) this.#consumer.pause([owned]);
  }

  /** Asks the feeds that are paused for these reasons whether they still must wait. */
  review(reasons: readonly PauseReason[] = pauseReasons): void {
    for (const reason of reasons) {
      const ownedPartitions = this.#paused.get(reason);
      if (!ownedPartitions?.size) continue;
      for (const owned of ownedPartitions)
        if (!owned.pauses.get(reason)?.()) this.#resume(owned, { reason, ownedPartitions });
    }
  }

  #resume(
    owned: OwnedPartition,
    { reason, ownedPartitions }: { reason: PauseReason; ownedPartitions: Set<OwnedPartition> },
  ): void {
    ownedPartitions.delete(owned);
    owned.pauses.delete(reason);
    if (owned.pauses.size === 0) this.#consumer.resume(owned);
  }
}
