import type { Batch, KafkaMessage } from "kafkajs";

import type { ParsedRecord } from "../core/parsed-record.ts";
import { hotKeyWaitFor } from "../pipeline/hot-keys.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { createWorkItems } from "../pipeline/work-item.ts";
import type { Admission } from "./admission.ts";
import type { CapacityWait } from "./capacity-wait.ts";
import {
  type OpenOwnedPartition,
  type OwnedPartition,
  isOpen,
  recordEndOffset,
  wasReadBefore,
} from "./owned-partition.ts";
import type { OwnedPartitions } from "./owned-partitions.ts";
import type { Pauses } from "./pauses.ts";
import type { RecordReader } from "./record-reader.ts";
import type { BacklogRebuild } from "./backlog-rebuild.ts";

export interface BatchReaderOptions {
  readonly owned: OwnedPartitions;
  readonly scheduler: Pick<Scheduler, "enqueue" | "startReady"> & {
    readonly capacity: Pick<Scheduler["capacity"], "isFull" | "mayResume">;
  };
  readonly pauses: Pauses;
  readonly capacityWait: CapacityWait;
  readonly admission: Admission;
  readonly backlogRebuild: BacklogRebuild;
  readonly read: RecordReader;
  readonly monotonicNow: () => number;
  /** The log of a partition may have been replaced. Somebody has to ask the cluster. */
  readonly onSuspectLog: () => void;
}

/** Reads batches of the owned partitions into the pipeline: the first steps of the road. */
export class BatchReader {
  readonly #options: BatchReaderOptions;

  constructor(options: BatchReaderOptions) {
    this.#options = options;
  }

  /**
   * Reads a batch as far as possible, and tells `resolve` the offsets that need not be fetched again. Without capacity it waits
   * a moment, which costs less than to pause and to fetch again. After that the partition is paused.
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
   * kafkajs hands over batches of a fetch that was under way when the partition was paused, and even of a former assignment. What
   * lies before them is not known here, and must not be passed over.
   */
  #mayRead(owned: OwnedPartition): boolean {
    return owned.pauses.size === 0 && this.#options.owned.find(owned) === owned;
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
    // kafkajs never hands over the transaction markers at the end of a batch, but they have to be passed.
    owned.tracker.skipTo(Number(batch.lastOffset()) + 1);
    return lastOffset;
  }

  /** Admits a record, parses and decides its events, and enqueues them. False: it has to wait, and its partition is paused. */
  #readRecord(owned: OpenOwnedPartition, message: KafkaMessage): boolean {
    const { tracker } = owned;
    const { scheduler } = this.#options;
    const offset = Number(message.offset);
    if (offset < tracker.position || tracker.wasCompleted(offset)) {
      tracker.register(offset);
      return true;
    }
    if (!this.#options.admission.admit(owned, message) || scheduler.capacity.isFull) return false;
    const parsedRecords = this.#parse(owned, message);
    if (!parsedRecords) return false;
    const entry = tracker.register(offset, parsedRecords.length);
    if (entry)
      for (const item of createWorkItems(owned, entry, parsedRecords))
        scheduler.enqueue(this.#options.owned.assignment, item);
    return true;
  }

  /** The events of a record. Undefined if its schema has to be fetched first, or its user has too many events waiting. */
  #parse(owned: OpenOwnedPartition, message: KafkaMessage): readonly ParsedRecord[] | undefined {
    const result = this.#options.read(message, owned);
    if (result.kind === "needs_schema") {
      this.#options.admission.waitForSchema(owned, result.schemaId);
      return undefined;
    }
    const hasCapacityAgain = hotKeyWaitFor(this.#options.owned.assignment, owned, result.parsedRecords);
    if (!hasCapacityAgain) return result.parsedRecords;
    this.#options.admission.waitForUser(owned, hasCapacityAgain);
    return undefined;
  }
}
