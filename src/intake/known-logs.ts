import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import { type OwnedPartition, positionOf } from "./owned-partition.ts";

/** A partition's log, as this member last knew it. */
export interface KnownLog {
  readonly topicId: string | undefined;
  /** The next offset to be read. */
  readonly position: number;
  /** The log was truncated below `position`: the committed offset is invalid, even if new records reach that offset. */
  readonly isTruncated: boolean;
}

/** The logs that this process has read, including those of partitions that it no longer owns. */
export class KnownLogs {
  readonly #logs = new Map<string, KnownLog>();
  readonly #suspicions = new Map<string, string | undefined>();

  get(topicPartition: TopicPartition): KnownLog | undefined {
    return this.#logs.get(partitionKey(topicPartition));
  }

  /** Remembers the logs of partitions that have been opened. */
  recordOpened(ownedPartitions: readonly OwnedPartition[]): void {
    for (const owned of ownedPartitions) this.#remember(owned, false);
  }

  /**
   * The logs of these partitions were replaced or truncated. A recreated topic is known by its id, a truncated log only by
   * this.
   */
  recordReplaced(ownedPartitions: readonly OwnedPartition[]): void {
    for (const owned of ownedPartitions) this.#remember(owned, owned.suspectedReset === "truncated");
  }

  /**
   * A join replaces the owned partitions by the assigned ones. Another member may own the others meanwhile and commit
   * offsets that are valid again, so those logs no longer count as truncated.
   */
  recordRevoked(ownedPartitions: readonly OwnedPartition[], assigned: readonly TopicPartition[]): void {
    for (const owned of ownedPartitions)
      if (positionOf(owned) !== undefined) this.#remember(owned, this.get(owned)?.isTruncated ?? false);
    const keys = new Set(assigned.map((topicPartition) => partitionKey(topicPartition)));
    for (const [key, log] of this.#logs) if (!keys.has(key)) this.#logs.set(key, { ...log, isTruncated: false });
  }

  /**
   * Whether the previous answer about this log raised the same suspicion. One answer is not enough: a broker that lags
   * behind the others may report the id of a deleted topic, or an outdated end offset.
   */
  isSuspicionConfirmed(topicPartition: TopicPartition, suspicion: string): boolean {
    return this.#suspicions.get(partitionKey(topicPartition)) === suspicion;
  }

  /** Remembers the suspicion that the present answer raises; undefined if it raises none. */
  recordSuspicion(topicPartition: TopicPartition, suspicion: string | undefined): void {
    this.#suspicions.set(partitionKey(topicPartition), suspicion);
  }

  #remember(owned: OwnedPartition, isTruncated: boolean): void {
    const { topicId, startOffset } = owned;
    this.#logs.set(partitionKey(owned), { topicId, position: positionOf(owned) ?? startOffset, isTruncated });
  }
}
