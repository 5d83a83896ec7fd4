import type { Batch } from "kafkajs";

import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { partitionKey } from "../kafka/topic-partition.ts";
import { OffsetTracker } from "../offsets/tracker.ts";
import { RetryBacklog, type BacklogTotals } from "../ordering/retry-backlog.ts";
import { scanBatch } from "./backlog-scan.ts";
import { type OwnedPartition, isFetchBlocked, isOpen, isScanning } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { StartOffset } from "./plan-start-offset.ts";
import type { RecordReader } from "./record-reader.ts";

export interface BacklogRebuildOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly pauses: Pauses;
  readonly read: RecordReader;
  readonly monotonicNow: () => number;
  /** A scan needs a schema: the partition has to wait for it. */
  readonly onNeedsSchema: (owned: OwnedPartition, schemaId: number) => void;
}

/**
 * Opens the partitions of a new assignment. First it scans the retry topics from their committed offsets to their ends, to
 * rebuild the backlog of waiting records. A partition number opens once all its retry topics are scanned.
 */
export class BacklogRebuild {
  readonly #options: BacklogRebuildOptions;
  #ownedPartitions: readonly OwnedPartition[] = [];
  /** The records in all backlogs of this assignment. The backlogs share and update it. */
  #backlogTotals: BacklogTotals = { records: 0 };

  constructor(options: BacklogRebuildOptions) {
    this.#options = options;
  }

  /** Begins to scan the retry topics, and opens the partition numbers that need no scan. */
  start(ownedPartitions: readonly OwnedPartition[], startOffsets: ReadonlyMap<string, StartOffset>): void {
    this.#ownedPartitions = ownedPartitions;
    this.#backlogTotals = { records: 0 };
    for (const owned of ownedPartitions) {
      const start = startOffsets.get(partitionKey(owned));
      if (start) this.#applyStart(owned, start);
      if (owned.tier !== undefined && owned.startOffset < owned.endOffset) this.#startScan(owned);
    }
    for (const number of new Set(ownedPartitions.map(({ partition }) => partition))) this.#openIfScanned(number);
  }

  #applyStart(owned: OwnedPartition, { offset, metadata, endOffset, topicId }: StartOffset): void {
    owned.startOffset = offset;
    owned.metadata = metadata;
    owned.endOffset = endOffset;
    owned.topicId = topicId;
    owned.retryDelay.recordEndOffset(endOffset, this.#options.monotonicNow());
  }

  /** Scans a batch of a retry topic. Returns the last offset that need not be fetched again; undefined if there is none. */
  readBatch(owned: OwnedPartition, batch: Batch): number | undefined {
    const { backlogScan } = owned;
    if (!backlogScan) return undefined;
    const { read, onNeedsSchema } = this.#options;
    const { lastOffset, neededSchemaId } = scanBatch(batch, { owned, backlogScan, read });
    if (lastOffset !== undefined) backlogScan.position = lastOffset + 1;
    if (neededSchemaId === undefined) this.advanceTo(owned, Number(batch.lastOffset()) + 1);
    else onNeedsSchema(owned, neededSchemaId);
    return lastOffset;
  }

  /** The scan of a retry topic has reached this position. Does nothing if no scan is under way. */
  advanceTo(owned: OwnedPartition, position: number): void {
    if (!owned.backlogScan) return;
    owned.backlogScan.position = position;
    if (position < owned.backlogScan.endOffset) return;
    this.#options.pauses.pauseWhile(owned, "restore", () => isFetchBlocked(owned));
    this.#openIfScanned(owned.partition);
  }

  #startScan(owned: OwnedPartition): void {
    owned.backlogScan = { endOffset: owned.endOffset, records: [], position: owned.startOffset };
    this.#options.consumer.seek(owned, owned.startOffset);
    this.#options.pauses.review(["restore"]);
  }

  /**
   * Opens all topics of a partition number once all its retry topics are scanned. Earlier, a user's events could be
   * delivered out of order.
   */
  #openIfScanned(number: number): void {
    const ownedPartitions = this.#ownedPartitions.filter(({ partition }) => partition === number);
    if (ownedPartitions.some((owned) => isOpen(owned) || isScanning(owned))) return;
    const scannedRecords = ownedPartitions.flatMap(({ backlogScan }) => backlogScan?.records ?? []);
    const backlog = new RetryBacklog(scannedRecords, this.#backlogTotals);
    for (const owned of ownedPartitions) {
      const { startOffset, metadata, topicId } = owned;
      owned.backlogScan = undefined;
      owned.backlog = backlog;
      owned.tracker = new OffsetTracker({ startOffset, metadata, topicId });
      this.#options.consumer.seek(owned, startOffset);
    }
    this.#options.pauses.review(["restore"]);
  }
}
