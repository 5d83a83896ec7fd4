import { Fifo } from "../ordering/fifo.ts";
import { decodeCompleted, encodeCompleted, maxMetadataChars } from "./completed-map.ts";
import { type PartialLists, decodePartialLists, encodePartialLists } from "./partial-lists.ts";
import { encodeTopicId } from "./topic-id.ts";

/** One offset that has been taken up and is not yet committed. */
export interface OffsetEntry {
  readonly offset: number;
  /** Events of the record that are not finished yet. */
  openEvents: number;
  /** Of a list of events: those that are. */
  readonly completedEvents: Set<number> | undefined;
}

export interface OffsetCommit {
  /** Everything below it is finished. */
  readonly offset: number;
  /** What is finished beyond the mark, and of which topic; see `finished.ts`, `started.ts` and `topic-id.ts`. */
  readonly metadata: string;
}

export interface OffsetTrackerOptions {
  /** Where this assignment starts: the committed offset. */
  readonly startOffset: number;
  /** The metadata of that commit. */
  readonly metadata?: string | null | undefined;
  /** Kafka's id of the topic, for the metadata of the commits to come. */
  readonly topicId?: string | undefined;
}

/**
 * The offsets of one partition in one assignment: what is seen, what is finished, what may be committed. Offsets need not
 * be contiguous: compaction and transactions leave gaps, which count as finished.
 */
export class OffsetTracker {
  /** The next offset not yet seen. */
  position: number;
  readonly #completedBefore: ReadonlySet<number>;
  /** Lists of which an earlier owner had finished some events. */
  readonly #partialLists: PartialLists;
  readonly #entries: Fifo<OffsetEntry> = new Fifo();
  readonly #topicId: string;
  #lastConfirmed: OffsetCommit | undefined;
  #hasCompleted = false;

  constructor({ startOffset, metadata, topicId }: OffsetTrackerOptions) {
    this.#topicId = encodeTopicId(topicId);
    this.position = startOffset;
    this.#completedBefore = decodeCompleted(startOffset, metadata);
    this.#partialLists = decodePartialLists(startOffset, metadata);
  }

  /** Everything below it is finished. */
  get committableOffset(): number {
    while ((this.#entries.peek()?.openEvents ?? 1) <= 0) this.#entries.shift();
    return this.#entries.peek()?.offset ?? this.position;
  }

  /** From the mark to the position: what a commit's metadata has to describe. */
  get inFlightWindow(): number {
    return this.position - this.committableOffset;
  }

  /** Takes up an offset with so many events. Undefined: it was seen before, or finished by an earlier owner, and there is nothing to do. */
  register(offset: number, events = 1): OffsetEntry | undefined {
    if (offset < this.position) return undefined;
    this.position = offset + 1;
    const completedEvents = events > 1 ? new Set(this.#partialLists.get(offset)) : undefined;
    const entry: OffsetEntry = {
      offset,
      openEvents: this.#completedBefore.has(offset) ? 0 : events - (completedEvents?.size ?? 0),
      completedEvents,
    };
    this.#entries.push(entry);
    return entry.openEvents <= 0 ? undefined : entry;
  }

  /** Whether an earlier owner had finished this offset. */
  wasCompleted(offset: number): boolean {
    return this.#completedBefore.has(offset);
  }

  /** The outcome of one event of this offset is safe; of a list, of the one at this index. */
  complete(entry: OffsetEntry, index = 0): void {
    entry.openEvents--;
    entry.completedEvents?.add(index);
    this.#hasCompleted = true;
  }

  /** Everything below `position` that was not seen needs no work: control records, compacted gaps. */
  skipTo(position: number): void {
    if (position <= this.position) return;
    this.position = position;
  }

  /** What to commit now, with metadata of at most so many characters; undefined if it is what was confirmed last. */
  nextCommit(limit = maxMetadataChars): OffsetCommit | undefined {
    const offset = this.committableOffset;
    // Better known without the map than with a map of who knows what.
    const topicId = this.#topicId.length <= limit ? this.#topicId : "";
    const remainingChars = limit - topicId.length;
    const completed = encodeCompleted(
      offset,
      [...this.#completedOffsets(), ...this.#completedUnseen()],
      remainingChars,
    );
    const metadata =
      completed +
      encodePartialLists(offset, this.#remainingPartialLists(), remainingChars - completed.length) +
      topicId;
    return offset === this.#lastConfirmed?.offset && metadata === this.#lastConfirmed.metadata
      ? undefined
      : { offset, metadata };
  }

  /** Whether nothing was finished that the broker has not confirmed. */
  isFullyCommitted(limit = maxMetadataChars): boolean {
    return (this.#lastConfirmed === undefined && !this.#hasCompleted) || this.nextCommit(limit) === undefined;
  }

  /** The broker has confirmed this commit. */
  confirm(commit: OffsetCommit): void {
    this.#lastConfirmed = commit;
  }

  #completedOffsets(): number[] {
    return Array.from(this.#entries.values()).flatMap((entry) => (entry.openEvents <= 0 ? [entry.offset] : []));
  }

  #remainingPartialLists(): PartialLists {
    const partialLists = new Map<number, ReadonlySet<number>>();
    for (const { offset, openEvents, completedEvents } of this.#entries.values())
      if (openEvents > 0 && completedEvents?.size) partialLists.set(offset, completedEvents);
    for (const [offset, completedEvents] of this.#partialLists)
      if (offset >= this.position) partialLists.set(offset, completedEvents);
    return partialLists;
  }

  /** What an earlier owner had finished and this one has not come to yet must outlive this assignment as well. */
  #completedUnseen(): number[] {
    return [...this.#completedBefore].filter((offset) => offset >= this.position).sort((a, b) => a - b);
  }
}
