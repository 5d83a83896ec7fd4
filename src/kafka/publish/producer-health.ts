import { errorTypesOf } from "../error-types.ts";

/** A leader change is over within a second or two; of what lasts longer somebody should hear. */
const holdAfterMs = 3_000;

/** A write that goes on until it is acknowledged; the same object from its first attempt to its end. */
export interface PendingWrite {
  readonly topic: string;
}

export interface ProducerHealthOptions {
  /** Milliseconds by a clock that nobody can set. */
  readonly monotonicNow: () => number;
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

interface FailingWrite {
  error: string;
  isLasting: boolean;
}

/** Which writes Kafka refuses: the hold `kafka_unwritable` lasts as long as a write has failed for a while and still waits. */
export class ProducerHealth {
  readonly #options: ProducerHealthOptions;
  readonly #failing = new Map<PendingWrite, FailingWrite>();
  #heldSince: number | undefined;

  constructor(options: ProducerHealthOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#heldSince !== undefined;
  }

  /** An attempt has failed, and the next one follows. */
  recordFailure(write: PendingWrite, failure: unknown): void {
    const { topic } = write;
    const { explain, onFailure, onMissing, schedule } = this.#options;
    const error = explain(topic, failure);
    const failingBefore = this.#failing.get(write);
    if (failingBefore) failingBefore.error = error;
    else {
      const failing = { error, isLasting: false };
      this.#failing.set(write, failing);
      schedule(holdAfterMs, () => {
        failing.isLasting = true;
        this.#check();
      });
    }
    onFailure({ topic, error });
    if (errorTypesOf(failure).includes("UNKNOWN_TOPIC_OR_PARTITION")) onMissing(topic);
  }

  /** It is acknowledged, or nobody wants it any more. */
  recordEnd(write: PendingWrite): void {
    if (this.#failing.delete(write)) this.#check();
  }

  #check(): void {
    const lasting = [...this.#failing].filter(([, { isLasting }]) => isLasting);
    const isHeld = lasting.length > 0;
    if (isHeld === this.isHeld) return;
    const now = this.#options.monotonicNow();
    const heldMs = now - (this.#heldSince ?? now);
    this.#heldSince = isHeld ? now : undefined;
    this.#options.onHold({ isHeld, error: describeFailures(lasting), heldMs });
  }
}

/** One reason for each topic. */
const describeFailures = (lasting: readonly (readonly [PendingWrite, FailingWrite])[]): string => {
  const reasons = new Map(lasting.map(([{ topic }, { error }]) => [topic, error]));
  return [...reasons].map(([topic, error]) => `Cannot write to ${topic}: ${error}`).join("; ");
};
