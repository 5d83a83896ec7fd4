import { typesOf } from "../error-types.ts";

/** A leader change is over within a second or two; of what lasts longer somebody should hear. */
const holdAfterMs = 3_000;

/** A write that goes on until it is acknowledged; the same object from its first attempt to its end. */
export interface WaitingWrite {
  readonly topic: string;
}

export interface WritesOptions {
  /** Milliseconds by a clock that nobody can set. */
  readonly now: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Says in a sentence why a write to this topic failed. */
  readonly explain: (topic: string, error: unknown) => string;
  /** An attempt has failed. */
  readonly onFailure: (failure: { readonly topic: string; readonly error: string }) => void;
  /** A write to this topic failed because the topic, or the partition, does not exist. Called at every such failure. */
  readonly onMissing: (topic: string) => void;
  /** Kafka refuses writes, or takes them again: once per change. */
  readonly onHold: (change: { readonly isHeld: boolean; readonly error: string; readonly heldMs: number }) => void;
}

interface Failing {
  error: string;
  isLong: boolean;
}

/** Which writes Kafka refuses: the hold `kafka_unwritable` lasts as long as a write has failed for a while and still waits. */
export class Writes {
  readonly #options: WritesOptions;
  readonly #failing = new Map<WaitingWrite, Failing>();
  #heldSince: number | undefined;

  constructor(options: WritesOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#heldSince !== undefined;
  }

  /** An attempt has failed, and the next one follows. */
  failed(write: WaitingWrite, cause: unknown): void {
    const { topic } = write;
    const { explain, onFailure, onMissing, schedule } = this.#options;
    const error = explain(topic, cause);
    const known = this.#failing.get(write);
    if (known) known.error = error;
    else {
      const failing = { error, isLong: false };
      this.#failing.set(write, failing);
      schedule(holdAfterMs, () => {
        failing.isLong = true;
        this.#look();
      });
    }
    onFailure({ topic, error });
    if (typesOf(cause).includes("UNKNOWN_TOPIC_OR_PARTITION")) onMissing(topic);
  }

  /** It is acknowledged, or nobody wants it any more. */
  ended(write: WaitingWrite): void {
    if (this.#failing.delete(write)) this.#look();
  }

  #look(): void {
    const long = [...this.#failing].filter(([, { isLong }]) => isLong);
    const isHeld = long.length > 0;
    if (isHeld === this.isHeld) return;
    const now = this.#options.now();
    const heldMs = now - (this.#heldSince ?? now);
    this.#heldSince = isHeld ? now : undefined;
    this.#options.onHold({ isHeld, error: sentenceOf(long), heldMs });
  }
}

/** One reason for each topic. */
const sentenceOf = (long: readonly (readonly [WaitingWrite, Failing])[]): string => {
  const reasons = new Map(long.map(([{ topic }, { error }]) => [topic, error]));
  return [...reasons].map(([topic, error]) => `Cannot write to ${topic}: ${error}`).join("; ");
};
