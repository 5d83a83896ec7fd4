import { Fifo } from "./fifo.ts";
import { decodeFinished, encodeFinished } from "./finished.ts";

/** One offset that has been taken up and is not yet committed. */
export interface Slot {
  readonly offset: number;
  /** Events of the record that are not finished yet. */
  open: number;
}

export interface Commit {
  /** Everything below it is finished. */
  readonly offset: number;
  /** What is finished beyond the mark; see `finished.ts`. */
  readonly metadata: string;
}

export interface TrackerOptions {
  /** Where this assignment starts: the committed offset. */
  readonly start: number;
  /** The metadata of that commit. */
  readonly metadata?: string | null | undefined;
}

/**
 * The offsets of one partition in one assignment: what is seen, what is finished, what may be committed. Offsets need not
 * be contiguous: compaction and transactions leave gaps, which count as finished.
 */
export class Tracker {
  /** The next offset not yet seen. */
  position: number;
  readonly #before: ReadonlySet<number>;
  readonly #open: Fifo<Slot> = new Fifo();
  #last: Commit | undefined;

  constructor({ start, metadata }: TrackerOptions) {
    this.position = start;
    this.#before = decodeFinished(start, metadata);
  }

  /** Everything below it is finished. */
  get mark(): number {
    while (this.#open.peek()?.open === 0) this.#open.shift();
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
    const slot = { offset, open: this.#before.has(offset) ? 0 : events };
    this.#open.push(slot);
    return slot.open === 0 ? undefined : slot;
  }

  /** Whether an earlier owner had finished this offset. */
  wasFinished(offset: number): boolean {
    return this.#before.has(offset);
  }

  /** The outcome of one event of this offset is safe. */
  finish(slot: Slot): void {
    slot.open--;
  }

  /** Everything below `position` that was not seen needs no work: control records, compacted gaps. */
  skipTo(position: number): void {
    if (position <= this.position) return;
    this.position = position;
  }

  /** What to commit now; undefined where it is what was confirmed last. */
  pending(): Commit | undefined {
    const offset = this.mark;
    const metadata = encodeFinished(offset, [...this.#beyond(), ...this.#unseen()]);
    return offset === this.#last?.offset && metadata === this.#last.metadata ? undefined : { offset, metadata };
  }

  /** The broker has confirmed this commit. */
  committed(commit: Commit): void {
    this.#last = commit;
  }

  #beyond(): number[] {
    return Array.from(this.#open.values()).flatMap((slot) => (slot.open === 0 ? [slot.offset] : []));
  }

  /** What an earlier owner had finished and this one has not come to yet must outlive this assignment as well. */
  #unseen(): number[] {
    return [...this.#before].filter((offset) => offset >= this.position).sort((a, b) => a - b);
  }
}
