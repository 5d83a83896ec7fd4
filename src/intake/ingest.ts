import type { Batch, KafkaMessage } from "kafkajs";

import type { Arrival } from "../core/parsed-record.ts";
import type { GroupConsumer, TopicPartition } from "../kafka/group/consumer.ts";
import type { Capacity } from "../pipeline/capacity.ts";
import { crowdOf } from "../pipeline/hot-keys.ts";
import type { Stream } from "../pipeline/pipeline.ts";
import { type Assignment, type Inlet, createAssignment, holdEvents } from "../pipeline/work-item.ts";
import { Admission, type AdmissionOptions, untilEventsEnd } from "./admission.ts";
import { BatchWait } from "./capacity-wait.ts";
import { Gaps } from "./gaps.ts";
import type { Feed, PauseReason } from "./owned-partition.ts";
import { areOpen, createFeed, feedKey, isBehind, isClosed, numbersOf } from "./owned-partition.ts";
import { Pauses } from "./pauses.ts";
import type { Start } from "./plan-start.ts";
import type { Reader } from "./record-reader.ts";
import { Restoring } from "./restore-backlog.ts";
import { Unreadable, type UnreadableEvents } from "./unreadable-batches.ts";

export interface IntakeOptions extends Omit<AdmissionOptions, "pauses"> {
  readonly consumer: Pick<GroupConsumer, "pause" | "resume" | "seek">;
  readonly stream: Pick<Stream, "begin" | "take" | "pump" | "relieve"> & {
    readonly capacity: Pick<Capacity, "isFull" | "wantsMore" | "hasRoom">;
  };
  readonly read: Reader;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** The log of a partition may not be the one that we knew: somebody has to ask the cluster. */
  readonly onDoubt: () => void;
  readonly onUnreadable: UnreadableEvents;
}

/** One assignment's partitions: restored first, then read into the stream as far as the budget allows. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #pauses: Pauses;
  readonly #batchWait: BatchWait;
  readonly #admission: Admission;
  readonly #restoring: Restoring;
  readonly gaps: Gaps;
  readonly unreadable: Unreadable;
  #feeds = new Map<string, Feed>();
  #assignment: Assignment = createAssignment();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.consumer);
    this.#batchWait = new BatchWait({ ...options, capacity: options.stream.capacity });
    this.#admission = new Admission({ ...options, pauses: this.#pauses });
    this.#restoring = new Restoring({
      ...options,
      pauses: this.#pauses,
      onNeedsSchema: (feed, schemaId) => this.#admission.forSchema(feed, schemaId),
    });
    const feedOf = (place: TopicPartition): Feed | undefined => this.#feeds.get(feedKey(place));
    const parts = { ...options, pauses: this.#pauses, restoring: this.#restoring, feedOf };
    this.gaps = new Gaps(parts);
    this.unreadable = new Unreadable({ ...parts, events: options.onUnreadable });
  }

  get feeds(): readonly Feed[] {
    return [...this.#feeds.values()];
  }

  get inlets(): readonly Inlet[] {
    return this.feeds.flatMap(({ inlet }) => (inlet ? [inlet] : []));
  }

  /** Whether every partition owned has been restored, or waits because a retry topic of its number cannot be read. */
  get isOpen(): boolean {
    return areOpen(this.feeds);
  }

  /** A new assignment: nothing is fetched until `restore` has been told where to start. */
  assign(owned: readonly TopicPartition[]): void {
    const feeds = owned.map((place) => createFeed(place, this.#options.tiers.get(place.topic)?.tier));
    this.#feeds = new Map(feeds.map((feed) => [feedKey(feed), feed]));
    this.#assignment = createAssignment();
    this.#pauses.assign(feeds, "restore", isClosed);
  }

  /** Starts to read: the tiers from their commits to their ends first, then everything. */
  restore(starts: ReadonlyMap<string, Start>): void {
    this.#options.stream.begin(this.#assignment, numbersOf(this.feeds));
    this.#restoring.begin(this.feeds, starts);
  }

  /** The assignment ends: nothing more is read, or a skipped event would be finished after the last commit. */
  stop(): void {
    for (const feed of this.feeds) this.#pauses.start(feed, "end", () => true);
  }

  /**
   * Takes up a batch as far as possible, and tells `resolve` the offsets that need not be fetched again. While the stream is
   * full it waits a moment for room, which costs less than to pause and fetch again; held up for longer, it pauses.
   */
  async take(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    const feed = this.#feeds.get(feedKey(batch));
    if (!feed) return;
    if (isBehind(feed, Number(batch.messages[0]?.offset))) this.#options.onDoubt();
    const since = this.#options.monotonic();
    while (this.#mayTake(feed)) {
      const isWhole = this.#takePart(feed, batch, resolve);
      if (isWhole || !this.#mayTake(feed)) return;
      const hasRoom = await this.#batchWait.wait(this.#options.monotonic() - since);
      if (!hasRoom) return this.#pauses.start(feed, "budget", () => !this.#options.stream.capacity.hasRoom);
    }
    return undefined;
  }

  /**
   * Batches of a fetch that was under way when the partition was paused come all the same, and so may those of a former
   * assignment: what lies before them is not known here, and must not be passed over.
   */
  #mayTake(feed: Feed): boolean {
    return feed.pauses.size === 0 && this.#feeds.get(feedKey(feed)) === feed;
  }

  #takePart(feed: Feed, batch: Batch, resolve: (offset: number) => void): boolean {
    this.heardEnd(feed, Number(batch.highWatermark));
    const last = feed.scan ? this.#restoring.take(feed, batch) : this.#takeLive(feed, batch);
    if (last !== undefined) resolve(last);
    this.#options.stream.pump();
    return last === Number(batch.messages.at(-1)?.offset);
  }

  /** Nobody is to see the records up to this offset. */
  skip({ topic, partition, lastOffset }: TopicPartition & { lastOffset: number }): void {
    const feed = this.#feeds.get(feedKey({ topic, partition }));
    feed?.inlet?.tracker.skipTo(lastOffset + 1);
    if (feed?.scan) this.#restoring.advance(feed, lastOffset + 1);
  }

  /** Asks what waits for events to end. Often called, so it asks nobody else. */
  reviewEnds(): void {
    this.review(untilEventsEnd);
  }

  /** Asks everything that waits whether it still must, for any of these reasons. */
  review(reasons?: readonly PauseReason[]): void {
    this.#batchWait.review();
    this.#pauses.review(reasons);
  }

  /** Now and then: everything is asked again, and whoever keeps others waiting has to make way. */
  relieve(): void {
    const { stream } = this.#options;
    this.review();
    this.unreadable.review(this.feeds);
    stream.relieve(this.#pauses.of("span").flatMap(({ inlet }) => (inlet ? [inlet] : [])));
    stream.pump();
  }

  heardEnd(feed: Feed, high: number): void {
    feed.high = Math.max(feed.high, high);
    feed.due.ended(high, this.#options.monotonic());
  }

  #takeLive(feed: Feed, batch: Batch): number | undefined {
    const { inlet } = feed;
    if (!inlet) return undefined;
    let last: number | undefined;
    for (const message of batch.messages) {
      if (!this.#admit(feed, inlet, message)) return last;
      last = Number(message.offset);
    }
    // Markers of transactions at the end of a batch are never handed over, but have to be passed.
    inlet.tracker.skipTo(Number(batch.lastOffset()) + 1);
    return last;
  }

  #admit(feed: Feed, inlet: Inlet, message: KafkaMessage): boolean {
    const offset = Number(message.offset);
    const { tracker } = inlet;
    if (offset < tracker.position || tracker.wasFinished(offset)) {
      tracker.see(offset);
      return true;
    }
    if (this.#admission.mustWait(feed, inlet, message) || this.#options.stream.capacity.isFull) return false;
    const arrivals = this.#read(feed, inlet, message);
    if (!arrivals) return false;
    const slot = tracker.see(offset, arrivals.length);
    if (!slot) return true;
    for (const held of holdEvents(inlet, slot, arrivals)) this.#options.stream.take(this.#assignment, held);
    return true;
  }

  /** The events of a record; undefined if its schema has to come first, or room for its user. */
  #read(feed: Feed, inlet: Inlet, message: KafkaMessage): readonly Arrival[] | undefined {
    const reading = this.#options.read(message, feed);
    if (reading.kind === "needs_schema") {
      this.#admission.forSchema(feed, reading.schemaId);
      return undefined;
    }
    const hasRoomAgain = crowdOf(this.#assignment, inlet, reading.arrivals);
    if (!hasRoomAgain) return reading.arrivals;
    this.#admission.forUser(feed, hasRoomAgain);
    return undefined;
  }
}
