import type { Batch } from "kafkajs";

import type { GroupConsumer } from "../kafka/group/consumer.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Capacity } from "../pipeline/capacity.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { Admission, type AdmissionOptions, capacityReasons } from "./admission.ts";
import { BacklogRebuild } from "./backlog-rebuild.ts";
import { BatchReader } from "./batch-reader.ts";
import { CapacityWait } from "./capacity-wait.ts";
import { LogGaps } from "./log-gaps.ts";
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
import type { StartOffset } from "./plan-start-offset.ts";
import type { RecordReader } from "./record-reader.ts";
import { UnreadableBatches, type UnreadableEvents } from "./unreadable-batches.ts";

export interface IngestOptions extends Omit<AdmissionOptions, "pauses"> {
  readonly consumer: Pick<GroupConsumer, "pause" | "resume" | "seek">;
  readonly scheduler: Pick<Scheduler, "beginAssignment" | "enqueue" | "startReady" | "spillHotKeys"> & {
    readonly capacity: Pick<Capacity, "isFull" | "mayContinueBatch" | "mayResume">;
  };
  readonly read: RecordReader;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** Called if the log of a partition may have been replaced: the service then asks the cluster. */
  readonly onSuspectLog: () => void;
  readonly unreadableEvents: UnreadableEvents;
}

/**
 * Reads the partitions of one assignment into the pipeline. First it rebuilds the backlog from the retry topics, then it
 * reads all topics, as far as there is capacity.
 */
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
      readRecord: read,
      ...options,
      owned: this.#owned,
      pauses,
      capacityWait: this.#capacityWait,
      admission,
      backlogRebuild,
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

  /** Whether every owned partition is open, except those of a number whose retry topic cannot be read. */
  get areAllOpen(): boolean {
    return areAllOpen(this.ownedPartitions);
  }

  /** Begins an assignment of these partitions. All of them are paused until `open` is called. */
  assign(assigned: readonly TopicPartition[]): void {
    this.#owned.assign(assigned, (topic) => this.#options.retryTopics.get(topic)?.tier);
    this.#pauses.assign(this.#owned.all, "restore", isFetchBlocked);
  }

  /** Opens the assignment: scans the retry topics from their committed offsets to their ends, then reads all topics. */
  open(startOffsets: ReadonlyMap<string, StartOffset>): void {
    this.#options.scheduler.beginAssignment(this.#owned.assignment, partitionNumbersOf(this.ownedPartitions));
    this.#backlogRebuild.start(this.ownedPartitions, startOffsets);
  }

  /** The assignment ends: pauses all partitions. Otherwise a skipped event could be completed after the last commit. */
  pauseAll(): void {
    for (const owned of this.ownedPartitions) this.#pauses.pauseWhile(owned, "end", () => true);
  }

  /** Reads a batch as far as there is capacity, and passes to `resolve` the offsets that need not be fetched again. */
  handleBatch(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    return this.#batchReader.read(batch, resolve);
  }

  /** The consumer hides the records up to this offset, which belong to aborted transactions: the position moves past them. */
  skipHiddenRecords({ topic, partition, lastOffset }: TopicPartition & { lastOffset: number }): void {
    const owned = this.#owned.find({ topic, partition });
    owned?.tracker?.skipTo(lastOffset + 1);
    if (owned?.backlogScan) this.#backlogRebuild.advanceTo(owned, lastOffset + 1);
  }

  /** The cluster reports that the log ends at this offset. */
  recordEndOffset(owned: OwnedPartition, endOffset: number): void {
    recordEndOffset(owned, endOffset, this.#options.monotonicNow());
  }

  /** Checks the partitions that wait for events to be completed or for capacity. Called often, so it checks no other reason. */
  reviewCapacityPauses(): void {
    this.reviewPauses(capacityReasons);
  }

  /**
   * Checks the partitions that are paused for these reasons, by default for any reason, and resumes those that need not
   * wait.
   */
  reviewPauses(reasons?: readonly PauseReason[]): void {
    this.#capacityWait.review();
    this.#pauses.review(reasons);
  }

  /** Called a few times a second: checks all pauses, and spills events that keep others waiting. */
  reviewPeriodically(): void {
    this.reviewPauses();
    this.unreadable.review(this.ownedPartitions);
    this.#options.scheduler.spillHotKeys(this.#pauses.pausedFor("span").filter(isOpen));
    this.#options.scheduler.startReady();
  }
}
