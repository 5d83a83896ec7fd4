import { errorTypesOf } from "../error-types.ts";

/** A change of the partition's leader takes a second or two. A failure that lasts longer is reported. */
const holdAfterMs = 3_000;

/** A write that is repeated until it is acknowledged. It is the same object from the first attempt to the end. */
export interface PendingWrite {
  readonly topic: string;
}

export interface ProducerHealthOptions {
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** A sentence that says why a write to this topic failed. */
  readonly explain: (topic: string, error: unknown) => string;
  /** An attempt has failed. */
  readonly onFailure: (failure: { readonly topic: string; readonly error: string }) => void;
  /** A write failed because this topic, or its partition, does not exist. Called at every such failure. */
  readonly onMissing: (topic: string) => void;
  /** The hold has begun or ended. Called once per change; `heldMs` is how long the hold lasted, 0 when it begins. */
  readonly onHold: (change: { readonly isHeld: boolean; readonly error: string; readonly heldMs: number }) => void;
}

interface FailingWrite {
  error: string;
  isLasting: boolean;
}

/** Knows which writes fail. The hold `kafka_unwritable` lasts while any write has been failing for more than 3 s. */
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

  /** An attempt has failed; the next one follows. */
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

  /** The write is acknowledged or given up. */
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

/** One sentence for each topic. */
const describeFailures = (lasting: readonly (readonly [PendingWrite, FailingWrite])[]): string => {
  const reasons = new Map(lasting.map(([{ topic }, { error }]) => [topic, error]));
  return [...reasons].map(([topic, error]) => `Cannot write to ${topic}: ${error}`).join("; ");
};
