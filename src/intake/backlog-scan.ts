import type { Batch } from "kafkajs";

import { eventKeyOf } from "../core/outcome/headers.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import { decodeCompleted } from "../offsets/completed-map.ts";
import type { RetryPosition, ScannedRecord } from "../ordering/scanned-records.ts";
import type { BacklogScan, OwnedPartition } from "./owned-partition.ts";
import type { RecordReader } from "./record-reader.ts";

export interface BacklogScanOptions {
  readonly owned: OwnedPartition;
  readonly backlogScan: BacklogScan;
  readonly read: RecordReader;
}

export interface BacklogScanResult {
  /** The last offset that was scanned; undefined if none was. */
  readonly lastOffset: number | undefined;
  /** The schema of the next record, if it has to be fetched before the scan can continue. */
  readonly neededSchemaId?: number;
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

/**
 * Adds the records of a retry topic's batch to `backlogScan.records`: which event of which user waits at which offset. Delivers
 * nothing. Stops at a record whose schema has to be fetched first.
 */
export const scanBatch = (batch: Batch, { owned, backlogScan, read }: BacklogScanOptions): BacklogScanResult => {
  const { tier = 0, startOffset, metadata } = owned;
  const completed = decodeCompleted(startOffset, metadata);
  let lastOffset: number | undefined;
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset >= backlogScan.position && offset < backlogScan.endOffset && !completed.has(offset)) {
      const result = read(message, owned);
      if (result.kind === "needs_schema") return { lastOffset, neededSchemaId: result.schemaId };
      backlogScan.records.push(...result.parsedRecords.map((parsed) => toBacklogRecord(parsed, { tier, offset })));
    }
    lastOffset = offset;
  }
  return { lastOffset };
};
