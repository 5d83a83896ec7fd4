import { type TopicPartition, partitionKey } from "../topic-partition.ts";
import type { FetchedPartition } from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";

/** A broker may first have to fetch the records from slower storage. */
const starvedAfterMs = 30_000;
/** Longer than the longest pause between two fetches of a partition that cannot be read. */
const forgetAfterMs = 120_000;

/** What a fetch requested of a partition. */
interface FetchPosition extends TopicPartition {
  readonly fetchOffset: number;
  /**
   * Whether no partition before it in the answer got any bytes. A broker fills its answer in the order of the request, which kafkajs
   * shuffles, and only the first partition with bytes gets a batch of any size. The others may get no bytes fetch after fetch.
   */
  readonly isFirst: boolean;
}

/**
 * Finds partitions of which a broker returns no bytes and no error although their log continues: its index, or the length of a batch,
 * is corrupt.
 */
export class StarvedPartitions {
  readonly #monotonicNow: () => number;
  readonly #emptySince = new Map<string, { readonly since: number; readonly lastAt: number }>();

  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow;
  }

  /** Records the answer to a fetch. Returns the unreadable offset once the partition has been starved for 30 s. */
  observe(
    { fetchOffset, isFirst, ...topicPartition }: FetchPosition,
    { size, lastStableOffset }: Pick<FetchedPartition, "size" | "lastStableOffset">,
  ): UnreadableOffsets | undefined {
    const key = partitionKey(topicPartition);
    if (size > 0 || fetchOffset >= Number(lastStableOffset)) {
      this.#emptySince.delete(key);
      return undefined;
    }
    if (!isFirst) return undefined;
    const now = this.#monotonicNow();
    const previous = this.#emptySince.get(key);
    const since = previous && now - previous.lastAt < forgetAfterMs ? previous.since : now;
    this.#emptySince.set(key, { since, lastAt: now });
    if (now - since < starvedAfterMs) return undefined;
    return {
      offset: fetchOffset,
      lastOffset: fetchOffset,
      reason: "The broker returns no records, though the log continues",
    };
  }
}
