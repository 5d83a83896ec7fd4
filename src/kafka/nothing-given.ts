import type { FetchedPartition } from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";

/** A broker may have given its whole answer to other partitions, or still fetch from a slower store. */
const patienceMs = 30_000;
/** Longer than the longest pause between two tries. */
const forgetAfterMs = 120_000;

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
    { topic, partition }: { readonly topic: string; readonly partition: number },
    { size, lastStableOffset }: Pick<FetchedPartition, "size" | "lastStableOffset">,
    from: number,
  ): UnreadableOffsets | undefined {
    const key = `${topic}/${partition}`;
    if (size > 0 || from >= Number(lastStableOffset)) {
      this.#seen.delete(key);
      return undefined;
    }
    const now = this.#monotonic();
    const before = this.#seen.get(key);
    const since = before && now - before.lastAt < forgetAfterMs ? before.since : now;
    this.#seen.set(key, { since, lastAt: now });
    if (now - since < patienceMs) return undefined;
    return { offset: from, lastOffset: from, reason: "The broker gives nothing, though its log goes on" };
  }
}
