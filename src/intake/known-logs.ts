import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import { type OwnedPartition, positionOf } from "./owned-partition.ts";

/** What this member knew of a partition's log. */
export interface KnownLog {
  readonly topicId: string | undefined;
  /** What was to be read next. */
  readonly position: number;
  /** It was cut off below that: what was committed of it counts no more, whatever comes there now. */
  readonly isTruncated: boolean;
}

/** The logs that this process has read from, also those of partitions that it owns no more. */
export class KnownLogs {
  readonly #logs = new Map<string, KnownLog>();
  readonly #suspicions = new Map<string, string | undefined>();

  get(topicPartition: TopicPartition): KnownLog | undefined {
    return this.#logs.get(partitionKey(topicPartition));
  }

  /** These are open now. */
  recordOpened(ownedPartitions: readonly OwnedPartition[]): void {
    for (const owned of ownedPartitions) this.#remember(owned, false);
  }

  /** The logs of these are not those that were read from. Another topic of the same name shows by its id. */
  recordReplaced(ownedPartitions: readonly OwnedPartition[]): void {
    for (const owned of ownedPartitions) this.#remember(owned, owned.suspectedReset === "truncated");
  }

  /** These are left, for those. Whoever owned a partition meanwhile knows better than this member whether its log is over. */
  recordRevoked(ownedPartitions: readonly OwnedPartition[], assigned: readonly TopicPartition[]): void {
    for (const owned of ownedPartitions)
      if (positionOf(owned) !== undefined) this.#remember(owned, this.get(owned)?.isTruncated ?? false);
    const keys = new Set(assigned.map((topicPartition) => partitionKey(topicPartition)));
    for (const [key, log] of this.#logs) if (!keys.has(key)) this.#logs.set(key, { ...log, isTruncated: false });
  }

  /**
   * Whether the same was heard of this log last time as well: a broker that is behind the others may still tell the id of a topic that
   * is gone, or an end that is not the log's any more. Undefined: nothing is suspect, and what was heard before counts no more.
   */
  confirmsSuspicion(topicPartition: TopicPartition, suspicion: string | undefined): boolean {
    const isConfirmed = this.#suspicions.get(partitionKey(topicPartition)) === suspicion;
    this.#suspicions.set(partitionKey(topicPartition), suspicion);
    return isConfirmed;
  }

  #remember(owned: OwnedPartition, isTruncated: boolean): void {
    const { topicId, startOffset: start } = owned;
    this.#logs.set(partitionKey(owned), { topicId, position: positionOf(owned) ?? start, isTruncated });
  }
}
