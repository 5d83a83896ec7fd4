/** How many dead letters are too many: so many in a row, or such a share of at least so many events within a minute. */
export type FloodLimit = false | { readonly consecutive: number; readonly percent: number; readonly minEvents: number };

export interface FloodOptions {
  readonly limit: FloodLimit;
  /** The flood gate has closed or opened: once per change. */
  readonly onHold: (change: { isHeld: boolean; error: string; heldMs: number }) => void;
}

const slices = 12;
const sliceMs = 5_000;

/** Counts of the last minute, in slices of 5 s. */
class Minute {
  #newest = 0;
  readonly #dead = Array.from({ length: slices }, () => 0);
  readonly #all = Array.from({ length: slices }, () => 0);

  add(dead: number, now: number): void {
    const slice = Math.floor(now / sliceMs);
    // A clock that was set back goes on in the newest slice.
    for (let empty = Math.max(this.#newest + 1, slice - slices + 1); empty <= slice; empty++) {
      this.#dead[empty % slices] = 0;
      this.#all[empty % slices] = 0;
    }
    this.#newest = Math.max(this.#newest, slice);
    const at = this.#newest % slices;
    this.#dead[at] = (this.#dead[at] ?? 0) + dead;
    this.#all[at] = (this.#all[at] ?? 0) + 1;
  }

  get dead(): number {
    return this.#dead.reduce((sum, count) => sum + count, 0);
  }

  get all(): number {
    return this.#all.reduce((sum, count) => sum + count, 0);
  }
}

/** Closes when a flood of bad records, as after a broken deploy, would empty the topic into the dead letters. */
export class Flood {
  readonly #onHold: FloodOptions["onHold"];
  #limit: FloodLimit;
  #row = 0;
  #minute = new Minute();
  #heldSince: number | undefined;

  constructor({ limit, onHold }: FloodOptions) {
    this.#limit = limit;
    this.#onHold = onHold;
  }

  /** Nothing may move until the limit is changed. */
  get isHeld(): boolean {
    return this.#heldSince !== undefined;
  }

  /** An event ended otherwise than in the dead-letter topic. */
  passed(now: number): void {
    this.#row = 0;
    this.#minute.add(0, now);
  }

  /** Asks for one more dead letter, and counts it; false where it would be one too many. */
  admit(now: number): boolean {
    if (this.isHeld) return false;
    const why = this.#why();
    if (why !== undefined) {
      this.#heldSince = now;
      this.#onHold({ isHeld: true, error: why, heldMs: 0 });
      return false;
    }
    this.#row++;
    this.#minute.add(1, now);
    return true;
  }

  /** An operator has looked: with another limit it goes on, counting from nothing. The same limit again changes nothing. */
  change(limit: FloodLimit, now: number): void {
    if (JSON.stringify(limit) === JSON.stringify(this.#limit)) return;
    this.#limit = limit;
    this.#row = 0;
    this.#minute = new Minute();
    if (this.#heldSince === undefined) return;
    const heldMs = now - this.#heldSince;
    this.#heldSince = undefined;
    this.#onHold({ isHeld: false, error: "", heldMs });
  }

  #why(): string | undefined {
    const limit = this.#limit;
    if (limit === false) return undefined;
    const goOn =
      "Look at the newest dead letters; to go on, raise deadLetterLimit in the settings file or set it to false";
    if (this.#row >= limit.consecutive) return `${this.#row} events in a row went to the dead-letter topic. ${goOn}`;
    const { dead, all } = this.#minute;
    if (all < limit.minEvents || dead * 100 < limit.percent * all) return undefined;
    return `${dead} of ${all} events within a minute went to the dead-letter topic. ${goOn}`;
  }
}
