const firstCapacity = 1_024;

const at = (array: Uint32Array, index: number): number => array[index] ?? 0;

/** The finalizer of MurmurHash3 (https://github.com/aappleby/smhasher, src/MurmurHash3.cpp, fmix32): each bit of its input changes half of its output. */
const mixBits = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
};

export interface RecentIdsOptions {
  readonly maxSize: number;
  /** 32 random bits. */
  readonly seed: number;
}

/**
 * The newest ids of some kind, each with a time in whole seconds. An id is kept as a hash of 64 bits: with its time it takes 12
 * bytes instead of a hundred, in typed arrays that the garbage collector does not have to trace. An unknown id is taken for one of n
 * known ids with a probability of n / 2^64. The seed is a secret of the process: nobody can construct two such ids.
 */
export class RecentIds {
  /** How many ids are kept; a smaller number counts from the next `add` on. */
  maxSize: number;
  readonly #seed: number;
  /** A ring, oldest first: the upper and lower halves of the hashes, and the times. */
  #highs = new Uint32Array(firstCapacity);
  #lows = new Uint32Array(firstCapacity);
  #times = new Uint32Array(firstCapacity);
  #oldest = 0;
  #size = 0;
  /** A hash table of positions in the ring, plus one; 0 is an empty bucket. Open addressing with linear probing (Knuth, volume 3, 6.4). */
  #buckets = new Uint32Array(2 * firstCapacity);
  /** The hash at hand, in fields so that no call has to allocate it. */
  #high = 0;
  #low = 0;

  constructor({ maxSize, seed }: RecentIdsOptions) {
    this.maxSize = maxSize;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** The time of an id, in seconds; undefined if the id is not known. */
  addedAtSeconds(id: string): number | undefined {
    this.#setHash(id);
    const ringPosition = at(this.#buckets, this.#findBucket());
    return ringPosition === 0 ? undefined : this.#times[ringPosition - 1];
  }

  /** Adds an id as the newest, or gives a known id this time. Forgets ids from the oldest on while their time is before `since` or they are too many. */
  add(id: string, seconds: number, since: number): void {
    while (this.#size > 0 && at(this.#times, this.#oldest) < since) this.#forgetOldest();
    while (this.#size >= this.maxSize) this.#forgetOldest();
    if (this.#size === this.#highs.length) this.#grow();
    this.#setHash(id);
    this.#put(seconds);
  }

  #put(seconds: number): void {
    const bucket = this.#findBucket();
    const known = at(this.#buckets, bucket);
    const ringPosition = known === 0 ? (this.#oldest + this.#size) % this.#highs.length : known - 1;
    this.#times[ringPosition] = seconds;
    if (known !== 0) return;
    this.#highs[ringPosition] = this.#high;
    this.#lows[ringPosition] = this.#low;
    this.#buckets[bucket] = ringPosition + 1;
    this.#size++;
  }

  #setHash(id: string): void {
    let high = this.#seed;
    let low = ~this.#seed;
    for (let index = 0; index < id.length; index++) {
      const code = id.charCodeAt(index);
      high = Math.imul(high ^ code, 0x9e3779b1);
      low = Math.imul(low ^ code, 0x5f356495);
    }
    // A multiplication moves bits only upwards: mixing brings them down again, and both halves into each other.
    this.#high = (mixBits(high) ^ (low >>> 16)) >>> 0;
    this.#low = mixBits(low ^ (high >>> 16));
  }

  /** The bucket of the hash at hand, or the empty bucket in which it belongs. */
  #findBucket(): number {
    const mask = this.#buckets.length - 1;
    let bucket = this.#low & mask;
    for (let ringPosition = at(this.#buckets, bucket); ringPosition !== 0; ringPosition = at(this.#buckets, bucket)) {
      if (this.#lows[ringPosition - 1] === this.#low && this.#highs[ringPosition - 1] === this.#high) break;
      bucket = (bucket + 1) & mask;
    }
    return bucket;
  }

  #forgetOldest(): void {
    this.#high = at(this.#highs, this.#oldest);
    this.#low = at(this.#lows, this.#oldest);
    this.#emptyBucket(this.#findBucket());
    this.#oldest = (this.#oldest + 1) % this.#highs.length;
    this.#size--;
  }

  /** Empties a bucket, and moves up the entries behind it that linear probing would no longer find. */
  #emptyBucket(freedBucket: number): void {
    const mask = this.#buckets.length - 1;
    let holeBucket = freedBucket;
    for (let bucket = (holeBucket + 1) & mask; this.#buckets[bucket] !== 0; bucket = (bucket + 1) & mask) {
      const ringPosition = at(this.#buckets, bucket);
      const homeBucket = at(this.#lows, ringPosition - 1) & mask;
      if (((bucket - homeBucket) & mask) < ((bucket - holeBucket) & mask)) continue;
      this.#buckets[holeBucket] = ringPosition;
      holeBucket = bucket;
    }
    this.#buckets[holeBucket] = 0;
  }

  #grow(): void {
    const [highs, lows, times, first] = [this.#highs, this.#lows, this.#times, this.#oldest];
    const capacity = highs.length;
    this.#highs = new Uint32Array(2 * capacity);
    this.#lows = new Uint32Array(2 * capacity);
    this.#times = new Uint32Array(2 * capacity);
    this.#buckets = new Uint32Array(4 * capacity);
    this.#oldest = 0;
    this.#size = 0;
    for (let age = 0; age < capacity; age++) {
      const ringPosition = (first + age) % capacity;
      this.#high = at(highs, ringPosition);
      this.#low = at(lows, ringPosition);
      this.#put(at(times, ringPosition));
    }
  }
}
