import type { Batch } from "kafkajs";

import { eventKeyOf } from "../core/outcome/headers.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import { decodeCompleted } from "../offsets/completed-map.ts";
import type { ScannedRecord, RetryPosition } from "../ordering/scanned-records.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import type { RecordReader } from "./record-reader.ts";

export interface BacklogScanOptions {
  readonly owned: OwnedPartition;
  readonly backlogScan: NonNullable<OwnedPartition["backlogScan"]>;
  readonly read: RecordReader;
}

const toBacklogRecord = ({ user, retryState, record }: ParsedRecord, position: RetryPosition): ScannedRecord => {
  const { topic, topicId, offset, index, timestamp } = retryState.source;
  return {
    user,
    eventKey: eventKeyOf(retryState.source),
    position,
    topic,
    topicId,
    offset: Number(offset),
    index,
    timestamp,
    writtenAt: record.timestamp,
  };
};

/** Reads a batch of a tier only to learn whose records wait there. Stops at a record whose schema has to be fetched. */
export const scanBatch = (
  batch: Batch,
  { owned, backlogScan, read }: BacklogScanOptions,
): { last: number | undefined; needs?: number } => {
  const { tier = 0, startOffset: start, metadata } = owned;
  const completed = decodeCompleted(start, metadata);
  let lastOffset: number | undefined;
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset >= backlogScan.position && offset < backlogScan.end && !completed.has(offset)) {
      const reading = read(message, owned);
      if (reading.kind === "needs_schema") return { last: lastOffset, needs: reading.schemaId };
      backlogScan.found.push(...reading.parsedRecords.map((parsed) => toBacklogRecord(parsed, { tier, offset })));
    }
    lastOffset = offset;
  }
  return { last: lastOffset };
};
