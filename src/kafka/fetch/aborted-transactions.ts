import type { FetchedRecord } from "./records.ts";

/** An aborted transaction: a consumer must not see the records that the producer wrote from this offset on, up to the abort marker. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** The type of a transaction marker follows its version in the key (https://kafka.apache.org/documentation/#controlbatch). */
const abortMarkerType = 0;

const isAbortMarker = ({ key, isControlRecord }: FetchedRecord): boolean =>
  isControlRecord && key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarkerType;

/**
 * Turns the records of aborted transactions into control records, which kafkajs skips. kafkajs's own filter is wrong in three ways: it
 * expects the transactions in the order in which they began, while a broker lists them in the order in which they ended; it starts at
 * most one of them per record; and it ends one at a data record whose key looks like a marker.
 */
export const hideAbortedRecords = (
  records: readonly FetchedRecord[],
  aborted: readonly AbortedTransaction[],
): readonly FetchedRecord[] => {
  if (aborted.length === 0) return records;
  const notBegun = aborted.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const openProducerIds = new Set<string>();
  return records.map((record) => {
    const { isControlRecord, batchContext } = record;
    for (let [first] = notBegun; first && Number(first.firstOffset) <= Number(record.offset); [first] = notBegun) {
      openProducerIds.add(first.producerId);
      notBegun.shift();
    }
    if (isAbortMarker(record)) openProducerIds.delete(batchContext.producerId);
    const isAborted = !isControlRecord && batchContext.inTransaction && openProducerIds.has(batchContext.producerId);
    return isAborted ? { ...record, isControlRecord: true } : record;
  });
};
