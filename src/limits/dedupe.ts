import { RecentIds } from "./recent-ids.ts";

/** For how long message ids are remembered, and how many of each partition number; false: none are remembered. */
export type DedupeRules = false | { readonly windowMs: number; readonly maxEvents: number };

export interface DedupeOptions {
  readonly rules: DedupeRules;
  /** 32 random bits, other ones in each process. */
  readonly seed: number;
}

/**
 * Remembers the message ids of the events delivered lately, per partition number: an event that was sent twice is delivered once.
 * An id is remembered only after its event was delivered: an event that failed must be able to come again.
 */
export class Dedupe {
  readonly #seed: number;
  #rules: DedupeRules;
  readonly #byPartition = new Map<number, RecentIds>();

  constructor({ rules, seed }: DedupeOptions) {
    this.#rules = rules;
    this.#seed = seed;
  }

  /** Changes the rules. The ids that the new rules cover stay remembered. */
  setRules(rules: DedupeRules): void {
    this.#rules = rules;
    if (rules === false) this.#byPartition.clear();
    else for (const ids of this.#byPartition.values()) ids.maxSize = rules.maxEvents;
  }

  /** Forgets all other partition numbers: this process no longer owns them. */
  retainPartitions(partitions: readonly number[]): void {
    for (const partition of this.#byPartition.keys())
      if (!partitions.includes(partition)) this.#byPartition.delete(partition);
  }

  /** Whether an event of this id was delivered within the window. The time, in ms since 1970, is only asked for if the id is known. */
  isDuplicate(partition: number, messageId: string | undefined, wallNow: () => number): boolean {
    if (this.#rules === false || messageId === undefined) return false;
    const deliveredAtSeconds = this.#byPartition.get(partition)?.addedAtSeconds(messageId);
    return deliveredAtSeconds !== undefined && deliveredAtSeconds >= this.#windowStartSeconds(this.#rules, wallNow());
  }

  /** Remembers that an event of this id was delivered now. */
  recordDelivered(partition: number, messageId: string | undefined, wallNow: number): void {
    if (this.#rules === false || messageId === undefined) return;
    const { maxEvents: maxSize } = this.#rules;
    const ids = this.#byPartition.get(partition) ?? new RecentIds({ maxSize, seed: this.#seed });
    this.#byPartition.set(partition, ids);
    ids.add(messageId, Math.floor(wallNow / 1_000), this.#windowStartSeconds(this.#rules, wallNow));
  }

  #windowStartSeconds({ windowMs }: Exclude<DedupeRules, false>, wallNow: number): number {
    return Math.floor((wallNow - windowMs) / 1_000);
  }
}
