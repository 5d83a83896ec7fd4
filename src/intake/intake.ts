import type { Batch, KafkaMessage } from "kafkajs";

import { maxSpan } from "../flow/finished.ts";
import { type Assignment, type Inlet, createAssignment, holdEvents } from "../stream/assignment.ts";
import { crowdOf } from "../stream/crowd.ts";
import type { Stream } from "../stream/stream.ts";
import type { GroupConsumer, TopicPartition } from "./consumer.ts";
import type { Clocks } from "./due.ts";
import { type Feed, createFeed, feedKey } from "./feed.ts";
import { Pauses } from "./pauses.ts";
import type { Reader } from "./reader.ts";
import { Restoring } from "./restoring.ts";
import { Room } from "./room.ts";
import type { SchemaWait } from "./schema-wait.ts";
import type { Start } from "./starts.ts";

export interface IntakeOptions extends Clocks {
  readonly consumer: Pick<GroupConsumer, "pause" | "resume" | "seek">;
  readonly stream: Pick<Stream, "begin" | "take" | "pump" | "isFull" | "wantsMore" | "hasRoom" | "relieve">;
  readonly read: Reader;
  readonly schemas: Pick<SchemaWait, "want">;
  /** The delays of the tiers, by the name of their topic. */
  readonly tiers: ReadonlyMap<string, { readonly tier: number; readonly delayMs: number }>;
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

const spanOf = ({ inlet }: Feed): number => inlet?.tracker.span ?? 0;

/** One assignment's partitions: restored first, then read into the stream as far as the budget allows. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #pauses: Pauses;
  readonly #room: Room;
  readonly #restoring: Restoring;
  #feeds = new Map<string, Feed>();
  #assignment: Assignment = createAssignment();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.consumer);
    this.#room = new Room(options.schedule);
    this.#restoring = new Restoring({
      ...options,
      pauses: this.#pauses,
      onNeedsSchema: (feed, schemaId) => this.#waitForSchema(feed, schemaId),
    });
  }

  get feeds(): readonly Feed[] {
    return [...this.#feeds.values()];
  }

  /** The partitions that are open, in no order. */
  get inlets(): readonly Inlet[] {
    return this.feeds.flatMap(({ inlet }) => (inlet ? [inlet] : []));
  }

  /** Whether every partition owned has been restored. */
  get isOpen(): boolean {
    return this.feeds.every(({ inlet }) => inlet !== undefined);
  }

  /** The partition numbers owned. */
  get owned(): readonly number[] {
    return [...new Set(this.feeds.map(({ partition }) => partition))];
  }

  /** A new assignment: nothing is fetched until `restore` has been told where to start. */
  assign(owned: readonly TopicPartition[]): void {
    const feeds = owned.map((place) => createFeed(place, this.#options.tiers.get(place.topic)?.tier));
    this.#feeds = new Map(feeds.map((feed) => [feedKey(feed), feed]));
    this.#assignment = createAssignment();
    this.#pauses.assign(feeds);
  }

  /** Starts to read: the tiers from their commits to their ends first, then everything. */
  restore(starts: ReadonlyMap<string, Start>): void {
    this.#options.stream.begin(this.#assignment, this.owned);
    this.#restoring.begin(this.feeds, starts);
  }

  /**
   * Takes up a batch as far as possible, and tells `resolve` the offsets that need not be fetched again. While the stream is
   * full it waits a moment for room, which costs less than to pause and fetch again; held up for longer, it pauses.
   */
  async take(batch: Batch, resolve: (offset: number) => void): Promise<void> {
    const feed = this.#feeds.get(feedKey(batch));
    if (!feed) return;
    const since = this.#options.monotonic();
    while (this.#mayTake(feed)) {
      const isWhole = this.#takePart(feed, batch, resolve);
      if (isWhole || !this.#mayTake(feed)) return;
      if (!(await this.#room.wait(this.#options.monotonic() - since))) this.#pauses.start(feed, "budget");
    }
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

  /** Something was finished, or a schema came: what waited for it may be fetched again. */
  resume(reason: "room" | "schema"): void {
    if (reason === "schema") this.#pauses.endAll("schema");
    else {
      if (this.#options.stream.wantsMore) this.#room.open();
      if (this.#options.stream.hasRoom) this.#pauses.endAll("budget");
    }
    for (const feed of this.#pauses.of("span")) if (spanOf(feed) < maxSpan / 2) this.#pauses.end(feed, "span");
    for (const feed of this.#pauses.of("user")) if (feed.hasUserRoom()) this.#pauses.end(feed, "user");
  }

  /** Now and then: whoever keeps others waiting has to make way. */
  relieve(): void {
    this.#options.stream.relieve(this.#pauses.of("span").flatMap(({ inlet }) => (inlet ? [inlet] : [])));
  }

  /** The log of a partition ends here. */
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
    if (this.#mustWait(feed, inlet, message)) return false;
    const reading = this.#options.read(message, inlet);
    if (reading.kind === "needs_schema") return this.#waitForSchema(feed, reading.schemaId);
    const { arrivals } = reading;
    const hasRoomAgain = crowdOf(this.#assignment, inlet, arrivals);
    if (hasRoomAgain) {
      feed.hasUserRoom = hasRoomAgain;
      this.#pauses.start(feed, "user");
      return false;
    }
    const slot = tracker.see(offset, arrivals.length);
    if (!slot) return true;
    for (const held of holdEvents(inlet, slot, arrivals)) this.#options.stream.take(this.#assignment, held);
    return true;
  }

  #mustWait(feed: Feed, inlet: Inlet, message: KafkaMessage): boolean {
    const { tracker } = inlet;
    // With nothing open there is nothing to describe: a gap alone, however large, would otherwise be waited for without end.
    if (Number(message.offset) - tracker.mark > maxSpan && tracker.span > 0) this.#pauses.start(feed, "span");
    if (feed.tier !== undefined) this.#untilDue(feed, message);
    return feed.pauses.size > 0 || this.#options.stream.isFull;
  }

  #untilDue(feed: Feed, { offset, timestamp }: KafkaMessage): void {
    const { delayMs = 0 } = this.#options.tiers.get(feed.topic) ?? {};
    const dueIn = feed.due.inMs({ offset: Number(offset), timestamp: Number(timestamp) }, delayMs, this.#options);
    if (dueIn <= 0) return;
    this.#pauses.start(feed, "due");
    this.#options.schedule(dueIn, () => this.#pauses.end(feed, "due"));
  }

  /** False, as is said of a record that cannot be taken up yet. */
  #waitForSchema(feed: Feed, schemaId: number): false {
    this.#pauses.start(feed, "schema");
    this.#options.schemas.want(schemaId);
    return false;
  }
}
