import type { Batch, KafkaMessage } from "kafkajs";

import type { ParsedRecord } from "../core/parsed-record.ts";
import { hotKeyWaitFor } from "../pipeline/hot-keys.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { completeParkedList, createWorkItems } from "../pipeline/work-item.ts";
import type { Admission } from "./admission.ts";
import type { BacklogRebuild } from "./backlog-rebuild.ts";
import type { CapacityWait } from "./capacity-wait.ts";
import {
  type OpenOwnedPartition,
  type OwnedPartition,
  isOpen,
  isPaused,
  recordEndOffset,
  wasReadBefore,
} from "./owned-partition.ts";
import type { OwnedPartitions } from "./owned-partitions.ts";
import type { Pauses } from "./pauses.ts";
import type { RecordReader } from "./record-reader.ts";

export interface BatchReaderOptions {
  readonly owned: OwnedPartitions;
  readonly scheduler: Pick<Scheduler, "enqueue" | "startReady"> & {
    readonly capacity: Pick<Scheduler["capacity"], "isFull" | "mayResume">;
  };
  readonly pauses: Pauses;
  readonly capacityWait: CapacityWait;
  readonly admission: Admission;
  readonly backlogRebuild: BacklogRebuild;
  readonly readRecord: RecordReader;
  readonly monotonicNow: () => number;
  /** Called if the log of a partition may have been replaced: the service then asks the cluster. */
  readonly onSuspectLog: () => void;
}

/** Reads batches of the owned partitions into the pipeline: the first steps of the road. */
export class BatchReader {
  readonly #options: BatchReaderOptions;

  constructor(options: BatchReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads a batch as far as possible, and passes to `resolve` the offsets that need not be fetched again. Without capacity
   * it waits up to 200 ms, which is cheaper than to pause the partition and fetch again. Then it pauses the partition.
   */
  async read(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    const owned = this.#options.owned.find(batch);
    if (!owned) return;
    if (wasReadBefore(owned, Number(batch.messages[0]?.offset))) this.#options.onSuspectLog();
    const startedAt = this.#options.monotonicNow();
    while (this.#mayRead(owned)) {
      const isWhole = this.#readPart(owned, batch, resolve);
      if (isWhole || !this.#mayRead(owned)) return;
      const hasCapacity = await this.#options.capacityWait.wait(this.#options.monotonicNow() - startedAt);
      if (!hasCapacity)
        return this.#options.pauses.pauseWhile(owned, "budget", () => !this.#options.scheduler.capacity.mayResume);
    }
    return undefined;
  }

  /**
   * kafkajs may hand over a batch that was fetched before the partition was paused, or even for an earlier assignment.
   * Records before it may be unread, so the batch must not be read: it would skip them.
   */
  #mayRead(owned: OwnedPartition): boolean {
    return !isPaused(owned) && this.#options.owned.find(owned) === owned;
  }

  #readPart(owned: OwnedPartition, batch: Batch, resolve: (offset: number) => void): boolean {
    recordEndOffset(owned, Number(batch.highWatermark), this.#options.monotonicNow());
    const lastOffset = isOpen(owned)
      ? this.#readBatch(owned, batch)
      : this.#options.backlogRebuild.readBatch(owned, batch);
    if (lastOffset !== undefined) resolve(lastOffset);
    this.#options.scheduler.startReady();
    return lastOffset === Number(batch.messages.at(-1)?.offset);
  }

  #readBatch(owned: OpenOwnedPartition, batch: Batch): number | undefined {
    let lastOffset: number | undefined;
    for (const message of batch.messages) {
      if (!this.#readRecord(owned, message)) return lastOffset;
      lastOffset = Number(message.offset);
    }
    // kafkajs does not hand over the transaction markers at the end of a batch. The position moves past them here.
    // Source: https://github.com/tulios/kafkajs/blob/v2.2.4/src/consumer/batch.js
    owned.tracker.skipTo(Number(batch.lastOffset()) + 1);
    return lastOffset;
  }

  /** Admits a record, parses and decides its events, and enqueues them. Returns false if the record has to wait. */
  #readRecord(owned: OpenOwnedPartition, message: KafkaMessage): boolean {
    const { tracker } = owned;
    const { scheduler } = this.#options;
    const offset = Number(message.offset);
    if (offset < tracker.position || tracker.wasCompleted(offset)) {
      tracker.register(offset);
      return true;
    }
    this.#options.admission.pauseIfMustWait(owned, message);
    if (isPaused(owned) || scheduler.capacity.isFull) return false;
    const parsedRecords = this.#parseOrPause(owned, message);
    if (!parsedRecords) return false;
    const entry = tracker.register(offset, parsedRecords.length);
    if (!entry) return true;
    completeParkedList(owned, parsedRecords);
    for (const item of createWorkItems(owned, entry, parsedRecords))
      scheduler.enqueue(this.#options.owned.assignment, item);
    return true;
  }

  /**
   * Parses and decides the events of a record. If they must wait for a schema or their user, pauses the partition and
   * returns undefined.
   */
  #parseOrPause(owned: OpenOwnedPartition, message: KafkaMessage): readonly ParsedRecord[] | undefined {
    const result = this.#options.readRecord(message, owned);
    if (result.kind === "needs_schema") {
      this.#options.admission.waitForSchema(owned, result.schemaId);
      return undefined;
    }
    const limitCheck = hotKeyWaitFor(this.#options.owned.assignment, owned, result.parsedRecords);
    if (limitCheck === undefined) return result.parsedRecords;
    this.#options.admission.waitForUser(owned, limitCheck);
    return undefined;
  }
}
