import { fullJitter } from "../../core/outcome/backoff.ts";
import type { Compression } from "../codecs/codecs.ts";
import { errorTypesOf } from "../error-types.ts";
import { isProgrammingError } from "../own-errors.ts";
import type { PendingWrite } from "./producer-health.ts";
import type { Producers, Write } from "./producers.ts";

export interface PersistentWriterOptions {
  readonly producers: Pick<Producers, "write">;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** An attempt has failed; the next one follows. */
  readonly onWriteFailed: (write: PendingWrite, error: unknown) => void;
  /** A write is acknowledged or given up. */
  readonly onWriteEnded: (write: PendingWrite) => void;
  /** Kafka refuses the timestamp of this machine's clock; the write is repeated with another. */
  readonly onTimestampRefused: (topic: string) => void;
  /** Kafka refuses this codec; the write is repeated with another, or without one. */
  readonly onCodecRefused: (topic: string, codec: Compression) => void;
}

/** One write in all the forms that may be tried, the preferred one first. */
export interface WriteVariants {
  readonly topic: string;
  readonly variants: readonly Write[];
  /** Whether to repeat the last form until it is acknowledged, although Kafka refuses its size or codec. */
  readonly mustBeWritten: boolean;
}

/** The forms of a write that Kafka has not refused yet. */
interface RemainingVariants extends PendingWrite {
  readonly variants: Write[];
  readonly mustBeWritten: boolean;
  readonly timestamps: (string | undefined)[];
  /** How many errors in a row may be mistakes of this program. */
  consecutiveOwnErrors: number;
}

const sizeRefusals: ReadonlySet<string> = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/**
 * How a codec is refused: Kafka before 2.1 refuses zstd, and Azure Event Hubs all codecs or all but gzip. The last code stands for
 * INVALID_RECORD, which gateways send and kafkajs does not know. For an uncompressed batch these codes mean something else.
 */
const codecRefusals: ReadonlySet<string> = new Set([
  "UNSUPPORTED_COMPRESSION_TYPE",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "POLICY_VIOLATION",
  "KAFKAJS_UNKNOWN_ERROR_CODE",
]);

const hasTypeIn = (types: ReadonlySet<string>, error: unknown): boolean =>
  errorTypesOf(error).some((type) => types.has(type));

/** This many errors in a row are no temporary fault of kafkajs. */
const maxOwnErrors = 5;

/**
 * The timestamps to try, one after the other: that of this machine, then none, which every broker accepts. The timestamp of the source
 * record could be so old that retention deletes the new record before it is due.
 */
const writeTimestamps: readonly (string | undefined)[] = [undefined, "-1"];

const withTimestamp = (write: Write, timestamp: string | undefined): Write =>
  timestamp === undefined
    ? write
    : { ...write, messages: write.messages.map((message) => ({ ...message, timestamp })) };

/** Repeats a write, in another form if Kafka refuses one, until it is acknowledged or no longer wanted. */
export class PersistentWriter {
  readonly #options: PersistentWriterOptions;
  #isStopped = false;

  constructor(options: PersistentWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the offset of the first message; with `too_large` if Kafka has refused all forms; with undefined if `stop` was called
   * or `isWanted` returned false first.
   */
  async write(
    { topic, variants, mustBeWritten }: WriteVariants,
    isWanted: () => boolean,
  ): Promise<number | "too_large" | undefined> {
    const pending: RemainingVariants = {
      topic,
      variants: [...variants],
      mustBeWritten,
      timestamps: [...writeTimestamps],
      consecutiveOwnErrors: 0,
    };
    try {
      for (let attempt = 0; !this.#isStopped && isWanted(); attempt++) {
        const [write] = pending.variants;
        if (!write) return "too_large";
        try {
          return await this.#options.producers.write(withTimestamp(write, pending.timestamps[0]));
        } catch (error) {
          if (!this.#dropRefusedForm(pending, error)) await this.#waitAfterFailure(pending, error, attempt);
        }
      }
      return undefined;
    } finally {
      this.#options.onWriteEnded(pending);
    }
  }

  /** Gives up all writes. Attempts under way may still be acknowledged. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Removes the form or the timestamp that Kafka refuses. True if the next one can be tried at once. */
  #dropRefusedForm(pending: RemainingVariants, error: unknown): boolean {
    if (this.#isFormRefused(pending, error)) {
      if (pending.mustBeWritten && pending.variants.length === 1) return false;
      pending.variants.shift();
      return true;
    }
    if (!errorTypesOf(error).includes("INVALID_TIMESTAMP") || pending.timestamps.length === 1) return false;
    pending.timestamps.shift();
    this.#options.onTimestampRefused(pending.topic);
    return true;
  }

  #isFormRefused({ topic, variants: [write] }: RemainingVariants, error: unknown): boolean {
    const codec = write?.compression ?? "none";
    if (codec === "none" || !hasTypeIn(codecRefusals, error)) return hasTypeIn(sizeRefusals, error);
    this.#options.onCodecRefused(topic, codec);
    return true;
  }

  /**
   * Throws after several errors in a row that only a mistake in this program can cause: repeating does not help. It tolerates a few,
   * since kafkajs 2.2.4 itself throws a TypeError if a broker goes away while kafkajs refreshes its metadata.
   */
  async #waitAfterFailure(pending: RemainingVariants, error: unknown, attempt: number): Promise<void> {
    const { onWriteFailed, pause, random } = this.#options;
    pending.consecutiveOwnErrors = isProgrammingError(error) ? pending.consecutiveOwnErrors + 1 : 0;
    if (pending.consecutiveOwnErrors >= maxOwnErrors) throw error;
    onWriteFailed(pending, error);
    await pause(fullJitter({ attempt, baseMs: 200, maxMs: 2_000, random: random() }));
  }
}
