/** Ids are kept as 64 bits of a hash: 12 bytes instead of a hundred, and outside of the heap that is collected. */
const firstCapacity = 1_024;

const scramble = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
};

/**
 * The newest ids of some kind, each with its time in whole seconds. Two ids are taken for the same with a chance of
 * n / 2^64; the seed is a secret of the process, so that nobody can make such a pair on purpose.
 */
export class RecentIds {
  /** At most so many are kept. */
  max: number;
  readonly #seed: number;
  /** A ring, oldest first: hashes and times. */
  #highs = new Uint32Array(firstCapacity);
  #lows = new Uint32Array(firstCapacity);
  #times = new Uint32Array(firstCapacity);
  #first = 0;
  #size = 0;
  /** Where in the ring a hash is, plus one; 0 where there is none. Open addressing with linear probing (Knuth 6.4). */
  #index = new Int32Array(2 * firstCapacity);
  #high = 0;
  #low = 0;

  constructor({ max, seed }: { max: number; seed: number }) {
    this.max = max;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** When an id was added, in seconds; undefined where it is not known. */
  timeOf(id: string): number | undefined {
    this.#hash(id);
    const place = this.#index[this.#find()] ?? 0;
    return place === 0 ? undefined : this.#times[place - 1];
  }

  /** Adds an id as the newest, or gives a known one this time; forgets those added before `since`, and the oldest where there are too many. */
  add(id: string, seconds: number, since: number): void {
    while (this.#size > 0 && (this.#times[this.#first] ?? 0) < since) this.#forgetOldest();
    while (this.#size >= this.max) this.#forgetOldest();
    if (this.#size === this.#highs.length) this.#grow();
    this.#hash(id);
    this.#put(seconds);
  }

  #put(seconds: number): void {
    const slot = this.#find();
    const known = this.#index[slot] ?? 0;
    const place = known === 0 ? (this.#first + this.#size) % this.#highs.length : known - 1;
    this.#times[place] = seconds;
    if (known !== 0) return;
    this.#highs[place] = this.#high;
    this.#lows[place] = this.#low;
    this.#index[slot] = place + 1;
    this.#size++;
  }

  #hash(id: string): void {
    let high = this.#seed;
    let low = ~this.#seed;
    for (let at = 0; at < id.length; at++) {
      const code = id.charCodeAt(at);
      high = Math.imul(high ^ code, 0x9e3779b1);
      low = Math.imul(low ^ code, 0x5f356495);
    }
    // Multiplication only moves bits upwards: this brings them down again, and into each other.
    this.#high = (scramble(high) ^ (low >>> 16)) >>> 0;
    this.#low = scramble(low ^ (high >>> 16));
  }

  /** The slot of the present hash, or the empty one where it would be. */
  #find(): number {
    const mask = this.#index.length - 1;
    let slot = this.#low & mask;
    for (let place = this.#index[slot] ?? 0; place !== 0; place = this.#index[slot] ?? 0) {
      if (this.#lows[place - 1] === this.#low && this.#highs[place - 1] === this.#high) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #forgetOldest(): void {
    this.#high = this.#highs[this.#first] ?? 0;
    this.#low = this.#lows[this.#first] ?? 0;
    this.#empty(this.#find());
    this.#first = (this.#first + 1) % this.#highs.length;
    this.#size--;
  }

  /** Empties a slot, and moves up those behind it that could not be where they belong. */
  #empty(freed: number): void {
    const mask = this.#index.length - 1;
    let hole = freed;
    for (let slot = (hole + 1) & mask; this.#index[slot] !== 0; slot = (slot + 1) & mask) {
      const place = this.#index[slot] ?? 0;
      const home = (this.#lows[place - 1] ?? 0) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#index[hole] = place;
      hole = slot;
    }
    this.#index[hole] = 0;
  }

  #grow(): void {
    const [highs, lows, times, first] = [this.#highs, this.#lows, this.#times, this.#first];
    const capacity = highs.length;
    this.#highs = new Uint32Array(2 * capacity);
    this.#lows = new Uint32Array(2 * capacity);
    this.#times = new Uint32Array(2 * capacity);
    this.#index = new Int32Array(4 * capacity);
    this.#first = 0;
    this.#size = 0;
    for (let step = 0; step < capacity; step++) {
      const place = (first + step) % capacity;
      this.#high = highs[place] ?? 0;
      this.#low = lows[place] ?? 0;
      this.#put(times[place] ?? 0);
    }
  }
}
