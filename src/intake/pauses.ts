import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { type OwnedPartition, type PauseReason, pauseReasons } from "./owned-partition.ts";

/** A timer may fire up to this much before its time by the monotonic clock. */
export const timerToleranceMs = 1;

const noPartitions: readonly OwnedPartition[] = [];

/**
 * Pauses partitions, and resumes each when its last reason no longer applies. Each reason is a condition that is evaluated
 * at every `review`. No caller has to report that a condition has ended, so no end can be missed.
 */
export class Pauses {
  readonly #consumer: Pick<GroupConsumer, "pause" | "resume">;
  /** The paused partitions of this assignment, by reason. */
  #paused = new Map<PauseReason, Set<OwnedPartition>>();
  #current = new Set<OwnedPartition>();

  constructor(consumer: Pick<GroupConsumer, "pause" | "resume">) {
    this.#consumer = consumer;
  }

  /**
   * Begins an assignment: forgets all other partitions, and pauses these while `mustWait` returns true. kafkajs keeps
   * pauses over a rebalance (https://github.com/tulios/kafkajs/blob/v2.2.4/src/consumer/subscriptionState.js), so each partition
   * is paused again here, and can be resumed later.
   */
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

  /** A copy of the list of partitions that are paused for this reason. */
  pausedFor(reason: PauseReason): readonly OwnedPartition[] {
    const ownedPartitions = this.#paused.get(reason);
    return ownedPartitions?.size ? [...ownedPartitions] : noPartitions;
  }

  /** Pauses a partition of this assignment while `mustWait` returns true. Does nothing if it returns false already. */
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

  /** Evaluates these reasons for all partitions paused for them, and resumes the partitions without a reason left. */
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
    { reason, ownedPartitions }: { readonly reason: PauseReason; readonly ownedPartitions: Set<OwnedPartition> },
  ): void {
    ownedPartitions.delete(owned);
    owned.pauses.delete(reason);
    if (owned.pauses.size === 0) this.#consumer.resume(owned);
  }
}
