import type { Batch } from "kafkajs";

import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { partitionKey } from "../kafka/topic-partition.ts";
import { OffsetTracker } from "../offsets/tracker.ts";
import { RetryBacklog, type BacklogTotals } from "../ordering/retry-backlog.ts";
import { scanBatch } from "./backlog-scan.ts";
import { type OwnedPartition, isFetchBlocked } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { StartOffset } from "./plan-start.ts";
import type { RecordReader } from "./record-reader.ts";

export interface BacklogRebuildOptions {
  readonly consumer: Pick<GroupConsumer, "seek">;
  readonly pauses: Pauses;
  readonly read: RecordReader;
  readonly monotonicNow: () => number;
  readonly onNeedsSchema: (owned: OwnedPartition, schemaId: number) => void;
}

/** Opens the partitions of a new assignment: tiers are read from their commits to their ends first, to know who is parked. */
export class BacklogRebuild {
  readonly #options: BacklogRebuildOptions;
  #ownedPartitions: readonly OwnedPartition[] = [];
  #parked: BacklogTotals = { records: 0 };

  constructor(options: BacklogRebuildOptions) {
    this.#options = options;
  }

  start(ownedPartitions: readonly OwnedPartition[], startOffsets: ReadonlyMap<string, StartOffset>): void {
    this.#ownedPartitions = ownedPartitions;
    this.#parked = { records: 0 };
    for (const owned of ownedPartitions) {
      const start = startOffsets.get(partitionKey(owned));
      if (start) {
        owned.startOffset = start.offset;
        owned.metadata = start.metadata;
        owned.endOffset = start.endOffset;
        owned.topicId = start.topicId;
        owned.retryDelay.recordEndOffset(start.endOffset, this.#options.monotonicNow());
      }
      if (owned.tier !== undefined && owned.startOffset < owned.endOffset) this.#startScan(owned);
    }
    for (const number of new Set(ownedPartitions.map(({ partition }) => partition))) this.#openIfScanned(number);
  }

  /** Takes a batch of a tier that is being read; returns the last offset that need not be fetched again. */
  readBatch(owned: OwnedPartition, batch: Batch): number | undefined {
    const { backlogScan } = owned;
    if (!backlogScan) return undefined;
    const { last: lastOffset, needs: neededSchemaId } = scanBatch(batch, {
      owned,
      backlogScan,
      read: this.#options.read,
    });
    if (lastOffset !== undefined) backlogScan.position = lastOffset + 1;
    if (neededSchemaId === undefined) this.advanceTo(owned, Number(batch.lastOffset()) + 1);
    else this.#options.onNeedsSchema(owned, neededSchemaId);
    return lastOffset;
  }

  /** A tier has been read up to this position. */
  advanceTo(owned: OwnedPartition, position: number): void {
    if (!owned.backlogScan) return;
    owned.backlogScan.position = position;
    if (position < owned.backlogScan.end) return;
    this.#options.pauses.pauseWhile(owned, "restore", () => isFetchBlocked(owned));
    this.#openIfScanned(owned.partition);
  }

  #startScan(owned: OwnedPartition): void {
    owned.backlogScan = { end: owned.endOffset, found: [], position: owned.startOffset };
    this.#options.consumer.seek(owned, owned.startOffset);
    this.#options.pauses.review(["restore"]);
  }

  /** Opens all topics of a partition number once its tiers are read, so that no user overtakes himself. */
  #openIfScanned(number: number): void {
    const ownedPartitions = this.#ownedPartitions.filter(({ partition }) => partition === number);
    if (
      ownedPartitions.some(
        ({ backlogScan, tracker }) => tracker || (backlogScan && backlogScan.position < backlogScan.end),
      )
    )
      return;
    const backlog = new RetryBacklog(
      ownedPartitions.flatMap(({ backlogScan }) => backlogScan?.found ?? []),
      this.#parked,
    );
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
