import type { FetchedRecord } from "./records.ts";

/** An aborted transaction: nothing that it wrote from this offset on counts, up to its marker. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** The type of a marker, behind its version. Source: https://kafka.apache.org/documentation/#controlbatch. */
const abortType = 0;

const isAbort = ({ key }: FetchedRecord): boolean =>
  key !== null && key.length >= 4 && key.readInt16BE(2) === abortType;

/** Which producers' transactions are under way that end with an abort. */
class Aborting {
  readonly #waiting: AbortedTransaction[];
  readonly #producers = new Set<string>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  }

  /** Whether this record is part of one. To be asked of all records, in their order. */
  has(record: FetchedRecord): boolean {
    const { offset, isControlRecord, batchContext } = record;
    this.#begin(Number(offset));
    if (!isControlRecord) return batchContext.inTransaction && this.#producers.has(batchContext.producerId);
    if (isAbort(record)) this.#producers.delete(batchContext.producerId);
    return false;
  }

  #begin(offset: number): void {
    for (let [first] = this.#waiting; first && Number(first.firstOffset) <= offset; [first] = this.#waiting) {
      this.#producers.add(first.producerId);
      this.#waiting.shift();
    }
  }
}

/**
 * Hides the records of aborted transactions: kafkajs takes them for markers, which it passes and shows to nobody. Its own filter expects
 * the transactions in the order in which they began, and the broker tells them in the order in which they ended; it takes up one of them
 * a record; and a record whose key looks like a marker ends a transaction for it.
 */
export const hideAborted = (
  records: readonly FetchedRecord[],
  aborted: readonly AbortedTransaction[],
): readonly FetchedRecord[] => {
  if (aborted.length === 0) return records;
  const aborting = new Aborting(aborted);
  return records.map((record) => (aborting.has(record) ? { ...record, isControlRecord: true } : record));
};
