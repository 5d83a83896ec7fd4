import type { FetchedPartition } from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";

/** A broker may still fetch from a slower store. */
const patienceMs = 30_000;
/** Longer than the longest pause between two tries. */
const forgetAfterMs = 120_000;

/** What was asked for. */
interface Question {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /**
   * Whether nothing was given to any partition before it. A broker fills its answer in the order in which it was asked (kafkajs shuffles it), and
   * only the first that is given anything gets a batch however large it is: the others may get nothing for as long as there are others.
   */
  readonly isFirst: boolean;
}

/**
 * Partitions of which a broker gives nothing though their log goes on: its index or the length of a batch is broken, and it does not
 * say so.
 */
export class Nothing {
  readonly #monotonic: () => number;
  readonly #seen = new Map<string, { readonly since: number; readonly lastAt: number }>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** What is to be said of such a partition, asked for at this offset, if that has been so for long. */
  of(
    { topic, partition, from, isFirst }: Question,
    { size, lastStableOffset }: Pick<FetchedPartition, "size" | "lastStableOffset">,
  ): UnreadableOffsets | undefined {
    const key = `${topic}/${partition}`;
    if (size > 0 || from >= Number(lastStableOffset)) {
      this.#seen.delete(key);
      return undefined;
    }
    if (!isFirst) return undefined;
    const now = this.#monotonic();
    const before = this.#seen.get(key);
    const since = before && now - before.lastAt < forgetAfterMs ? before.since : now;
    this.#seen.set(key, { since, lastAt: now });
    if (now - since < patienceMs) return undefined;
    return { offset: from, lastOffset: from, reason: "The broker gives nothing, though its log goes on" };
  }
}
