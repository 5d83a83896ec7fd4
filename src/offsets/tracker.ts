import { Fifo } from "../ordering/fifo.ts";
import { decodeFinished, encodeFinished, maxChars } from "./completed-map.ts";
import { type Started, decodeStarted, encodeStarted } from "./partial-lists.ts";
import { encodeTopicId } from "./topic-id.ts";

/** One offset that has been taken up and is not yet committed. */
export interface Slot {
  readonly offset: number;
  /** Events of the record that are not finished yet. */
  open: number;
  /** Of a list of events: those that are. */
  readonly done: Set<number> | undefined;
}

export interface Commit {
  /** Everything below it is finished. */
  readonly offset: number;
  /** What is finished beyond the mark, and of which topic; see `finished.ts`, `started.ts` and `topic-id.ts`. */
  readonly metadata: string;
}

export interface TrackerOptions {
  /** Where this assignment starts: the committed offset. */
  readonly start: number;
  /** The metadata of that commit. */
  readonly metadata?: string | null | undefined;
  /** Kafka's id of the topic, for the metadata of the commits to come. */
  readonly topicId?: string | undefined;
}

/**
 * The offsets of one partition in one assignment: what is seen, what is finished, what may be committed. Offsets need not
 * be contiguous: compaction and transactions leave gaps, which count as finished.
 */
export class Tracker {
  /** The next offset not yet seen. */
  position: number;
  readonly #before: ReadonlySet<number>;
  /** Lists of which an earlier owner had finished some events. */
  readonly #started: Started;
  readonly #open: Fifo<Slot> = new Fifo();
  readonly #topicId: string;
  #last: Commit | undefined;
  #hasFinished = false;

  constructor({ start, metadata, topicId }: TrackerOptions) {
    this.#topicId = encodeTopicId(topicId);
    this.position = start;
    this.#before = decodeFinished(start, metadata);
    this.#started = decodeStarted(start, metadata);
  }

  /** Everything below it is finished. */
  get mark(): number {
    while ((this.#open.peek()?.open ?? 1) <= 0) this.#open.shift();
    return this.#open.peek()?.offset ?? this.position;
  }

  /** From the mark to the position: what a commit's metadata has to describe. */
  get span(): number {
    return this.position - this.mark;
  }

  /** Takes up an offset with so many events. Undefined: it was seen before, or finished by an earlier owner, and there is nothing to do. */
  see(offset: number, events = 1): Slot | undefined {
    if (offset < this.position) return undefined;
    this.position = offset + 1;
    const done = events > 1 ? new Set(this.#started.get(offset)) : undefined;
    const slot: Slot = { offset, open: this.#before.has(offset) ? 0 : events - (done?.size ?? 0), done };
    this.#open.push(slot);
    return slot.open <= 0 ? undefined : slot;
  }

  /** Whether an earlier owner had finished this offset. */
  wasFinished(offset: number): boolean {
    return this.#before.has(offset);
  }

  /** The outcome of one event of this offset is safe; of a list, of the one at this index. */
  finish(slot: Slot, index = 0): void {
    slot.open--;
    slot.done?.add(index);
    this.#hasFinished = true;
  }

  /** Everything below `position` that was not seen needs no work: control records, compacted gaps. */
  skipTo(position: number): void {
    if (position <= this.position) return;
    this.position = position;
  }

  /** What to commit now, with metadata of at most so many characters; undefined if it is what was confirmed last. */
  pending(limit = maxChars): Commit | undefined {
    const offset = this.mark;
    // Better known without the map than with a map of who knows what.
    const topicId = this.#topicId.length <= limit ? this.#topicId : "";
    const rest = limit - topicId.length;
    const finished = encodeFinished(offset, [...this.#beyond(), ...this.#unseen()], rest);
    const metadata = finished + encodeStarted(offset, this.#parts(), rest - finished.length) + topicId;
    return offset === this.#last?.offset && metadata === this.#last.metadata ? undefined : { offset, metadata };
  }

  /** Whether nothing was finished that the broker has not confirmed. */
  isCommitted(limit = maxChars): boolean {
    return (this.#last === undefined && !this.#hasFinished) || this.pending(limit) === undefined;
  }

  /** The broker has confirmed this commit. */
  committed(commit: Commit): void {
    this.#last = commit;
  }

  #beyond(): number[] {
    return Array.from(this.#open.values()).flatMap((slot) => (slot.open <= 0 ? [slot.offset] : []));
  }

  #parts(): Started {
    const parts = new Map<number, ReadonlySet<number>>();
    for (const { offset, open, done } of this.#open.values()) if (open > 0 && done?.size) parts.set(offset, done);
    for (const [offset, done] of this.#started) if (offset >= this.position) parts.set(offset, done);
    return parts;
  }

  /** What an earlier owner had finished and this one has not come to yet must outlive this assignment as well. */
  #unseen(): number[] {
    return [...this.#before].filter((offset) => offset >= this.position).sort((a, b) => a - b);
  }
}
