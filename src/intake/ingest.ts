import type { Batch, KafkaMessage } from "kafkajs";

import type { ParsedRecord } from "../core/parsed-record.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import type { Capacity } from "../pipeline/capacity.ts";
import { hotKeyWaitFor } from "../pipeline/hot-keys.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { type Assignment, type Inlet, createAssignment, createWorkItems } from "../pipeline/work-item.ts";
import { Admission, type AdmissionOptions, capacityReasons } from "./admission.ts";
import { CapacityWait } from "./capacity-wait.ts";
import { LogGaps } from "./gaps.ts";
import type { OwnedPartition, PauseReason } from "./owned-partition.ts";
import {
  areAllOpen,
  createOwnedPartition,
  wasReadBefore,
  isFetchBlocked,
  partitionNumbersOf,
} from "./owned-partition.ts";
import { Pauses } from "./pauses.ts";
import type { StartOffset } from "./plan-start.ts";
import type { RecordReader } from "./record-reader.ts";
import { BacklogRebuild } from "./restore-backlog.ts";
import { UnreadableBatches, type UnreadableEvents } from "./unreadable-batches.ts";

export interface IngestOptions extends Omit<AdmissionOptions, "pauses"> {
  readonly consumer: Pick<GroupConsumer, "pause" | "resume" | "seek">;
  readonly pipeline: Pick<Pipeline, "beginAssignment" | "enqueue" | "startReady" | "spillHotKeys"> & {
    readonly capacity: Pick<Capacity, "isFull" | "mayContinueBatch" | "mayResume">;
  };
  readonly read: RecordReader;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** The log of a partition may not be the one that we knew: somebody has to ask the cluster. */
  readonly onSuspectLog: () => void;
  readonly unreadableEvents: UnreadableEvents;
}

/** One assignment's partitions: restored first, then read into the stream as far as the budget allows. */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #pauses: Pauses;
  readonly #capacityWait: CapacityWait;
  readonly #admission: Admission;
  readonly #backlogRebuild: BacklogRebuild;
  readonly gaps: LogGaps;
  readonly unreadable: UnreadableBatches;
  #ownedPartitions = new Map<string, OwnedPartition>();
  #assignment: Assignment = createAssignment();

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.consumer);
    this.#capacityWait = new CapacityWait({ ...options, capacity: options.pipeline.capacity });
    this.#admission = new Admission({ ...options, pauses: this.#pauses });
    this.#backlogRebuild = new BacklogRebuild({
      ...options,
      pauses: this.#pauses,
      onNeedsSchema: (owned, schemaId) => this.#admission.waitForSchema(owned, schemaId),
    });
    const findOwned = (topicPartition: TopicPartition): OwnedPartition | undefined =>
      this.#ownedPartitions.get(partitionKey(topicPartition));
    const parts = { ...options, pauses: this.#pauses, backlogRebuild: this.#backlogRebuild, findOwned };
    this.gaps = new LogGaps(parts);
    this.unreadable = new UnreadableBatches({ ...parts, events: options.unreadableEvents });
  }

  get ownedPartitions(): readonly OwnedPartition[] {
    return [...this.#ownedPartitions.values()];
  }

  get inlets(): readonly Inlet[] {
    return this.ownedPartitions.flatMap(({ inlet }) => (inlet ? [inlet] : []));
  }

  /** Whether every partition owned has been restored, or waits because a retry topic of its number cannot be read. */
  get areAllOpen(): boolean {
    return areAllOpen(this.ownedPartitions);
  }

  /** A new assignment: nothing is fetched until `restore` has been told where to start. */
  assign(assigned: readonly TopicPartition[]): void {
    const ownedPartitions = assigned.map((topicPartition) =>
      createOwnedPartition(topicPartition, this.#options.retryTopics.get(topicPartition.topic)?.tier),
    );
    this.#ownedPartitions = new Map(ownedPartitions.map((owned) => [partitionKey(owned), owned]));
    this.#assignment = createAssignment();
    this.#pauses.assign(ownedPartitions, "restore", isFetchBlocked);
  }

  /** Starts to read: the tiers from their commits to their ends first, then everything. */
  open(startOffsets: ReadonlyMap<string, StartOffset>): void {
    this.#options.pipeline.beginAssignment(this.#assignment, partitionNumbersOf(this.ownedPartitions));
    this.#backlogRebuild.start(this.ownedPartitions, startOffsets);
  }

  /** The assignment ends: nothing more is read, or a skipped event would be finished after the last commit. */
  pauseAll(): void {
    for (const owned of this.ownedPartitions) this.#pauses.pauseWhile(owned, "end", () => true);
  }

  /**
   * Takes up a batch as far as possible, and tells `resolve` the offsets that need not be fetched again. While the stream is
   * full it waits a moment for room, which costs less than to pause and fetch again; held up for longer, it pauses.
   */
  async handleBatch(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    const owned = this.#ownedPartitions.get(partitionKey(batch));
    if (!owned) return;
    if (wasReadBefore(owned, Number(batch.messages[0]?.offset))) this.#options.onSuspectLog();
    const startedAt = this.#options.monotonicNow();
    while (this.#mayRead(owned)) {
      const isWhole = this.#readPart(owned, batch, resolve);
      if (isWhole || !this.#mayRead(owned)) return;
      const hasCapacity = await this.#capacityWait.wait(this.#options.monotonicNow() - startedAt);
      if (!hasCapacity)
        return this.#pauses.pauseWhile(owned, "budget", () => !this.#options.pipeline.capacity.mayResume);
    }
    return undefined;
  }

  /**
   * Batches of a fetch that was under way when the partition was paused come all the same, and so may those of a former
   * assignment: what lies before them is not known here, and must not be passed over.
   */
  #mayRead(owned: OwnedPartition): boolean {
    return owned.pauses.size === 0 && this.#ownedPartitions.get(partitionKey(owned)) === owned;
  }

  #readPart(owned: OwnedPartition, batch: Batch, resolve: (offset: number) => void): boolean {
    this.recordEndOffset(owned, Number(batch.highWatermark));
    const lastOffset = owned.backlogScan
      ? this.#backlogRebuild.readBatch(owned, batch)
      : this.#readOpenBatch(owned, batch);
    if (lastOffset !== undefined) resolve(lastOffset);
    this.#options.pipeline.startReady();
    return lastOffset === Number(batch.messages.at(-1)?.offset);
  }

  /** Nobody is to see the records up to this offset. */
  skipHiddenRecords({ topic, partition, lastOffset }: TopicPartition & { lastOffset: number }): void {
    const owned = this.#ownedPartitions.get(partitionKey({ topic, partition }));
    owned?.inlet?.tracker.skipTo(lastOffset + 1);
    if (owned?.backlogScan) this.#backlogRebuild.advanceTo(owned, lastOffset + 1);
  }

  /** Asks what waits for events to end. Often called, so it asks nobody else. */
  reviewCapacityPauses(): void {
    this.reviewPauses(capacityReasons);
  }

  /** Asks everything that waits whether it still must, for any of these reasons. */
  reviewPauses(reasons?: readonly PauseReason[]): void {
    this.#capacityWait.review();
    this.#pauses.review(reasons);
  }

  /** Now and then: everything is asked again, and whoever keeps others waiting has to make way. */
  reviewPeriodically(): void {
    const { pipeline } = this.#options;
    this.reviewPauses();
    this.unreadable.review(this.ownedPartitions);
    pipeline.spillHotKeys(this.#pauses.pausedFor("span").flatMap(({ inlet }) => (inlet ? [inlet] : [])));
    pipeline.startReady();
  }

  recordEndOffset(owned: OwnedPartition, endOffset: number): void {
    owned.endOffset = Math.max(owned.endOffset, endOffset);
    owned.retryDelay.recordEndOffset(endOffset, this.#options.monotonicNow());
  }

  #readOpenBatch(owned: OwnedPartition, batch: Batch): number | undefined {
    const { inlet } = owned;
    if (!inlet) return undefined;
    let lastOffset: number | undefined;
    for (const message of batch.messages) {
      if (!this.#readRecord(owned, inlet, message)) return lastOffset;
      lastOffset = Number(message.offset);
    }
    // Markers of transactions at the end of a batch are never handed over, but have to be passed.
    inlet.tracker.skipTo(Number(batch.lastOffset()) + 1);
    return lastOffset;
  }

  #readRecord(owned: OwnedPartition, inlet: Inlet, message: KafkaMessage): boolean {
    const offset = Number(message.offset);
    const { tracker } = inlet;
    if (offset < tracker.position || tracker.wasCompleted(offset)) {
      tracker.register(offset);
      return true;
    }
    if (this.#admission.pauseIfMustWait(owned, inlet, message) || this.#options.pipeline.capacity.isFull) return false;
    const parsedRecords = this.#parse(owned, inlet, message);
    if (!parsedRecords) return false;
    const entry = tracker.register(offset, parsedRecords.length);
    if (!entry) return true;
    for (const item of createWorkItems(inlet, entry, parsedRecords))
      this.#options.pipeline.enqueue(this.#assignment, item);
    return true;
  }

  /** The events of a record; undefined if its schema has to come first, or room for its user. */
  #parse(owned: OwnedPartition, inlet: Inlet, message: KafkaMessage): readonly ParsedRecord[] | undefined {
    const result = this.#options.read(message, owned);
    if (result.kind === "needs_schema") {
      this.#admission.waitForSchema(owned, result.schemaId);
      return undefined;
    }
    const hasCapacityAgain = hotKeyWaitFor(this.#assignment, inlet, result.arrivals);
    if (!hasCapacityAgain) return result.arrivals;
    this.#admission.waitForUser(owned, hasCapacityAgain);
    return undefined;
  }
}
