import type { FetchedRecord } from "./records.ts";

/** An aborted transaction: nothing that it wrote from this offset on counts, up to its marker. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** The type of a marker, behind its version. Source: https://kafka.apache.org/documentation/#controlbatch. */
const abortMarkerType = 0;

const isAbortMarker = ({ key }: FetchedRecord): boolean =>
  key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarkerType;

/** Which producers' transactions are under way that end with an abort. */
class AbortedProducers {
  readonly #upcoming: AbortedTransaction[];
  readonly #openProducerIds = new Set<string>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = aborted.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  }

  /** Whether this record is part of one. To be asked of all records, in their order. */
  isAborted(record: FetchedRecord): boolean {
    const { offset, isControlRecord, batchContext } = record;
    this.#openUpTo(Number(offset));
    if (!isControlRecord) return batchContext.inTransaction && this.#openProducerIds.has(batchContext.producerId);
    if (isAbortMarker(record)) this.#openProducerIds.delete(batchContext.producerId);
    return false;
  }

  #openUpTo(offset: number): void {
    for (let [first] = this.#upcoming; first && Number(first.firstOffset) <= offset; [first] = this.#upcoming) {
      this.#openProducerIds.add(first.producerId);
      this.#upcoming.shift();
    }
  }
}

/**
 * Hides the records of aborted transactions: kafkajs takes them for markers, which it passes and shows to nobody. Its own filter expects
 * the transactions in the order in which they began, and the broker tells them in the order in which they ended; it takes up one of them
 * a record; and a record whose key looks like a marker ends a transaction for it.
 */
export const hideAbortedRecords = (
  records: readonly FetchedRecord[],
  aborted: readonly AbortedTransaction[],
): readonly FetchedRecord[] => {
  if (aborted.length === 0) return records;
  const abortedProducers = new AbortedProducers(aborted);
  return records.map((record) => (abortedProducers.isAborted(record) ? { ...record, isControlRecord: true } : record));
};
