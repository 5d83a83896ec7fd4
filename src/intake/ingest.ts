import type { Batch } from "kafkajs";

import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Capacity } from "../pipeline/capacity.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { Admission, type AdmissionOptions, capacityReasons } from "./admission.ts";
import { BatchReader } from "./batch-reader.ts";
import { CapacityWait } from "./capacity-wait.ts";
import { LogGaps } from "./gaps.ts";
import {
  type OpenOwnedPartition,
  type OwnedPartition,
  type PauseReason,
  areAllOpen,
  isFetchBlocked,
  isOpen,
  partitionNumbersOf,
  recordEndOffset,
} from "./owned-partition.ts";
import { OwnedPartitions } from "./owned-partitions.ts";
import { Pauses } from "./pauses.ts";
import type { StartOffset } from "./plan-start.ts";
import type { RecordReader } from "./record-reader.ts";
import { BacklogRebuild } from "./restore-backlog.ts";
import { UnreadableBatches, type UnreadableEvents } from "./unreadable-batches.ts";

export interface IngestOptions extends Omit<AdmissionOptions, "pauses"> {
  readonly consumer: Pick<GroupConsumer, "pause" | "resume" | "seek">;
  readonly scheduler: Pick<Scheduler, "beginAssignment" | "enqueue" | "startReady" | "spillHotKeys"> & {
    readonly capacity: Pick<Capacity, "isFull" | "mayContinueBatch" | "mayResume">;
  };
  readonly read: RecordReader;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** The log of a partition may have been replaced. Somebody has to ask the cluster. */
  readonly onSuspectLog: () => void;
  readonly unreadableEvents: UnreadableEvents;
}

/** Reads the partitions of one assignment: first the backlog of the retry topics, then everything, as far as there is capacity. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #owned = new OwnedPartitions();
  readonly #pauses: Pauses;
  readonly #capacityWait: CapacityWait;
  readonly #batchReader: BatchReader;
  readonly #backlogRebuild: BacklogRebuild;
  readonly gaps: LogGaps;
  readonly unreadable: UnreadableBatches;

  constructor(options: IngestOptions) {
    const { consumer, scheduler, read, monotonicNow, schedule, onSuspectLog, unreadableEvents } = options;
    const pauses = new Pauses(consumer);
    const admission = new Admission({ ...options, pauses });
    const onNeedsSchema = (owned: OwnedPartition, schemaId: number): void => admission.waitForSchema(owned, schemaId);
    const backlogRebuild = new BacklogRebuild({ consumer, pauses, read, monotonicNow, onNeedsSchema });
    const findOwned = (topicPartition: TopicPartition): OwnedPartition | undefined => this.#owned.find(topicPartition);
    const parts = { consumer, scheduler, pauses, backlogRebuild, findOwned };
    this.#options = options;
    this.#pauses = pauses;
    this.#capacityWait = new CapacityWait({ ...options, capacity: scheduler.capacity });
    this.#batchReader = new BatchReader({
      ...{ scheduler, pauses, admission, backlogRebuild, monotonicNow, onSuspectLog },
      owned: this.#owned,
      capacityWait: this.#capacityWait,
      read,
    });
    this.#backlogRebuild = backlogRebuild;
    this.gaps = new LogGaps({ ...parts, onSuspectLog });
    this.unreadable = new UnreadableBatches({ ...parts, monotonicNow, schedule, events: unreadableEvents });
  }

  get ownedPartitions(): readonly OwnedPartition[] {
    return this.#owned.all;
  }

  get openPartitions(): readonly OpenOwnedPartition[] {
    return this.#owned.open;
  }

  /** Whether every owned partition is open, or closed because a retry topic of its number cannot be read. */
  get areAllOpen(): boolean {
    return areAllOpen(this.ownedPartitions);
  }

  /** A new assignment. Nothing is fetched until `open` is called with the start offsets. */
  assign(assigned: readonly TopicPartition[]): void {
    this.#owned.assign(assigned, (topic) => this.#options.retryTopics.get(topic)?.tier);
    this.#pauses.assign(this.#owned.all, "restore", isFetchBlocked);
  }

  /** Starts to read: the retry topics from their commits to their ends first, then everything. */
  open(startOffsets: ReadonlyMap<string, StartOffset>): void {
    this.#options.scheduler.beginAssignment(this.#owned.assignment, partitionNumbersOf(this.ownedPartitions));
    this.#backlogRebuild.start(this.ownedPartitions, startOffsets);
  }

  /** The assignment ends. Nothing more is read, or a skipped event would be completed after the last commit. */
  pauseAll(): void {
    for (const owned of this.ownedPartitions) this.#pauses.pauseWhile(owned, "end", () => true);
  }

  /** Reads a batch as far as there is capacity, and tells `resolve` the offsets that need not be fetched again. */
  handleBatch(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    return this.#batchReader.read(batch, resolve);
  }

  /** The consumer does not hand over the records up to this offset: they belong to aborted transactions. */
  skipHiddenRecords({ topic, partition, lastOffset }: TopicPartition & { lastOffset: number }): void {
    const owned = this.#owned.find({ topic, partition });
    owned?.tracker?.skipTo(lastOffset + 1);
    if (owned?.backlogScan) this.#backlogRebuild.advanceTo(owned, lastOffset + 1);
  }

  recordEndOffset(owned: OwnedPartition, endOffset: number): void {
    recordEndOffset(owned, endOffset, this.#options.monotonicNow());
  }

  /** Asks what waits for events to be completed, or for capacity, whether it still must. Called often, so it asks nobody else. */
  reviewCapacityPauses(): void {
    this.reviewPauses(capacityReasons);
  }

  /** Asks everything that is paused for these reasons, by default for any reason, whether it still must wait. */
  reviewPauses(reasons?: readonly PauseReason[]): void {
    this.#capacityWait.review();
    this.#pauses.review(reasons);
  }

  /** A few times a second: asks everything again, and spills the events that keep others waiting. */
  reviewPeriodically(): void {
    this.reviewPauses();
    this.unreadable.review(this.ownedPartitions);
    this.#options.scheduler.spillHotKeys(this.#pauses.pausedFor("span").filter(isOpen));
    this.#options.scheduler.startReady();
  }
}
