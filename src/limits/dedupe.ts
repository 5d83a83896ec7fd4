import { RecentIds } from "./recent-ids.ts";

/** For how long, and of how many events per partition number, message ids are remembered; false: not at all. */
export type DedupeRules = false | { readonly windowMs: number; readonly maxEvents: number };

export interface DedupeOptions {
  readonly rules: DedupeRules;
  /** Any 32 bits, another in each process. */
  readonly seed: number;
}

/**
 * The message ids that were delivered lately, per partition number, so that an event sent twice is not delivered twice.
 * An id is remembered only after its event was delivered: one that failed must be able to come again.
 */
export class Dedupe {
  readonly #seed: number;
  #rules: DedupeRules;
  readonly #byPartition = new Map<number, RecentIds>();

  constructor({ rules, seed }: DedupeOptions) {
    this.#rules = rules;
    this.#seed = seed;
  }

  /** The rules of now on; what is remembered stays, as far as they want it. */
  change(rules: DedupeRules): void {
    this.#rules = rules;
    if (rules === false) this.#byPartition.clear();
    else for (const ids of this.#byPartition.values()) ids.max = rules.maxEvents;
  }

  /** Forgets all partition numbers but these: others are somebody else's now. */
  keep(partitions: readonly number[]): void {
    for (const partition of this.#byPartition.keys())
      if (!partitions.includes(partition)) this.#byPartition.delete(partition);
  }

  /** Whether an event of this id was delivered within the window. `now`, in ms since 1970, is asked for only where the id is known. */
  has(partition: number, messageId: string | undefined, now: () => number): boolean {
    if (this.#rules === false || messageId === undefined) return false;
    const time = this.#byPartition.get(partition)?.timeOf(messageId);
    return time !== undefined && time >= this.#since(this.#rules, now());
  }

  /** An event of this id was delivered now. */
  delivered(partition: number, messageId: string | undefined, now: number): void {
    if (this.#rules === false || messageId === undefined) return;
    const ids = this.#byPartition.get(partition) ?? new RecentIds({ max: this.#rules.maxEvents, seed: this.#seed });
    this.#byPartition.set(partition, ids);
    ids.add(messageId, Math.floor(now / 1_000), this.#since(this.#rules, now));
  }

  #since({ windowMs }: Exclude<DedupeRules, false>, now: number): number {
    return Math.floor((now - windowMs) / 1_000);
  }
}
