import Denque from "denque";

import { type CompletedMap, decodeCompleted, encodeCompleted, maxMetadataChars } from "./completed-map.ts";
import { type PartialLists, decodePartialLists, encodePartialLists } from "./partial-lists.ts";
import { encodeTopicId } from "./topic-id.ts";

/** A registered offset that is not committed yet. */
export interface OffsetEntry {
  readonly offset: number;
  /** The number of the record's events that are not completed. */
  openEvents: number;
  /** The indexes of the completed events if the record holds a list of events. */
  readonly completedEvents: Set<number> | undefined;
}

export interface OffsetCommit {
  /** All offsets below it are completed. */
  readonly offset: number;
  /** The completed map, the partial lists and the topic id; see `completed-map.ts`, `partial-lists.ts` and `topic-id.ts`. */
  readonly metadata: string;
}

export interface OffsetTrackerOptions {
  /** The committed offset at which this assignment starts. */
  readonly startOffset: number;
  /** The metadata of that commit. */
  readonly metadata?: string | null | undefined;
  /** Kafka's id of the topic, for the metadata of the next commits. */
  readonly topicId?: string | undefined;
}

/**
 * The offsets of one partition in one assignment: which are registered, which are completed, which may be committed. Offsets
 * may have gaps, which compaction and transactions leave: those count as completed.
 */
export class OffsetTracker {
  #position: number;
  readonly #completedBefore: CompletedMap;
  /** Lists of which an earlier owner had completed some events. */
  readonly #partialListsBefore: PartialLists;
  /** From the first open offset on. */
  readonly #entries = new Denque<OffsetEntry>();
  readonly #topicId: string;
  #lastConfirmed: OffsetCommit | undefined;
  #hasCompleted = false;

  constructor({ startOffset, metadata, topicId }: OffsetTrackerOptions) {
    this.#topicId = encodeTopicId(topicId);
    this.#position = startOffset;
    this.#completedBefore = decodeCompleted(startOffset, metadata);
    this.#partialListsBefore = decodePartialLists(startOffset, metadata);
  }

  /** The next offset to register. */
  get position(): number {
    return this.#position;
  }

  /** All offsets below it are completed. */
  get committableOffset(): number {
    return this.#entries.peekFront()?.offset ?? this.#position;
  }

  /** The number of offsets from the committable offset to the position: the metadata of a commit has to describe them. */
  get inFlightWindow(): number {
    return this.#position - this.committableOffset;
  }

  /** Registers the offset of a record with `events` events. Undefined if there is nothing to do: it was registered before, or an earlier owner completed it. */
  register(offset: number, events = 1): OffsetEntry | undefined {
    if (offset < this.#position) return undefined;
    this.#position = offset + 1;
    const completedEvents = events > 1 ? new Set(this.#partialListsBefore.get(offset)) : undefined;
    const entry: OffsetEntry = {
      offset,
      openEvents: this.wasCompleted(offset) ? 0 : events - (completedEvents?.size ?? 0),
      completedEvents,
    };
    this.#entries.push(entry);
    if (entry.openEvents > 0) return entry;
    this.#removeCompletedHead();
    return undefined;
  }

  /** Whether an earlier owner completed this offset. */
  wasCompleted(offset: number): boolean {
    return this.#completedBefore.has(offset);
  }

  /** One event of this offset has reached its outcome; `index` is its place in the record's list. */
  complete(entry: OffsetEntry, index = 0): void {
    entry.openEvents--;
    entry.completedEvents?.add(index);
    this.#hasCompleted = true;
    this.#removeCompletedHead();
  }

  /** Moves the position forward over offsets without a record, such as control records and compacted gaps. Never moves it back. */
  skipTo(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** The next commit, with at most `maxChars` of metadata; undefined if the broker has confirmed the same commit already. */
  nextCommit(maxChars = maxMetadataChars): OffsetCommit | undefined {
    const offset = this.committableOffset;
    // If there is no space for both, the topic id goes: without it the commit is still right.
    const topicId = this.#topicId.length <= maxChars ? this.#topicId : "";
    const charsLeft = maxChars - topicId.length;
    const completed = encodeCompleted(offset, [...this.#completedOffsets(), ...this.#completedUnseen()], charsLeft);
    const partialLists = encodePartialLists(offset, this.#partialLists(), charsLeft - completed.length);
    const metadata = completed + partialLists + topicId;
    return offset === this.#lastConfirmed?.offset && metadata === this.#lastConfirmed.metadata
      ? undefined
      : { offset, metadata };
  }

  /** Whether the broker has confirmed everything that is completed. */
  isFullyCommitted(maxChars = maxMetadataChars): boolean {
    return (this.#lastConfirmed === undefined && !this.#hasCompleted) || this.nextCommit(maxChars) === undefined;
  }

  /** The broker has confirmed this commit. */
  confirm(commit: OffsetCommit): void {
    this.#lastConfirmed = commit;
  }

  #removeCompletedHead(): void {
    while ((this.#entries.peekFront()?.openEvents ?? 1) <= 0) this.#entries.shift();
  }

  #completedOffsets(): number[] {
    return this.#entries.toArray().flatMap(({ offset, openEvents }) => (openEvents <= 0 ? [offset] : []));
  }

  #partialLists(): PartialLists {
    const partialLists = new Map<number, ReadonlySet<number>>();
    for (const { offset, openEvents, completedEvents } of this.#entries.toArray())
      if (openEvents > 0 && completedEvents?.size) partialLists.set(offset, completedEvents);
    for (const [offset, completedEvents] of this.#partialListsBefore)
      if (offset >= this.#position) partialLists.set(offset, completedEvents);
    return partialLists;
  }

  /** What an earlier owner completed beyond the position must stay in the commits of this assignment. */
  #completedUnseen(): number[] {
    return [...this.#completedBefore].filter((offset) => offset >= this.#position).sort((a, b) => a - b);
  }
}
