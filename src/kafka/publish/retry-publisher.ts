import type { Message } from "kafkajs";

import { fullJitter } from "../../core/outcome/backoff.ts";
import { minimalHeaders, deadLetterHeaders, retryHeaders } from "../../core/outcome/failure-headers.ts";
import type { FailureDetails, Headers } from "../../core/outcome/headers.ts";
import type { ParsedRecord } from "../../core/parsed-record.ts";
import type { Compression } from "../codecs/codecs.ts";
import { errorTypesOf } from "../error-types.ts";
import { isProgrammingError } from "../own-errors.ts";
import type { PendingWrite } from "./producer-health.ts";
import type { Producers, Write } from "./producers.ts";

export interface RetryPublisherOptions {
  readonly producers: Pick<Producers, "write">;
  /** The topics of the retry tiers, in order. */
  readonly retryTopics: readonly string[];
  readonly deadLetterTopic: string;
  /** How writes are compressed: the next one if what the one before it made does not fit, or is refused. */
  readonly compressions: readonly Compression[];
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** An attempt has failed and is repeated. */
  readonly onWriteFailed: (write: PendingWrite, error: unknown) => void;
  /** A write is acknowledged, or nobody wants it any more. */
  readonly onWriteEnded: (write: PendingWrite) => void;
  /** Kafka refuses the time of this machine's clock, and the write goes with another. */
  readonly onTimestampRefused: (topic: string) => void;
  /** Kafka refuses this codec, and the write goes with another, or plain. */
  readonly onCodecRefused: (topic: string, codec: Compression) => void;
}

/** A record, and what is to be written of its failure. */
interface RetryRecord {
  readonly parsed: ParsedRecord;
  readonly failure: FailureDetails & { readonly tier: number; readonly partition: number };
}

/** What is left to be tried of a write. */
interface RemainingVariants extends PendingWrite {
  /** The same record in full and shortened, each compressed less and more. */
  readonly variants: Write[];
  /** Whether the last of them is tried until it is acknowledged, whatever Kafka says of it. */
  readonly mustBeWritten: boolean;
  readonly timestamps: (string | undefined)[];
  /** Errors in a row that may be mistakes of this program. */
  consecutiveOwnErrors: number;
}

const toMessage = ({ record }: ParsedRecord, headers: Headers): Message => ({
  key: record.key as Buffer | null,
  value: record.value as Buffer | null,
  // kafkajs's type has mutable arrays; it does not change them.
  headers: headers as NonNullable<Message["headers"]>,
});

const sizeRefusals: ReadonlySet<string> = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/**
 * What is said of a codec: by Kafka before 2.1 of zstd, by Event Hubs of all but gzip or of all. The last is what gateways use
 * (INVALID_RECORD), which kafkajs does not know. Of a plain batch they mean something else.
 */
const codecRefusals: ReadonlySet<string> = new Set([
  "UNSUPPORTED_COMPRESSION_TYPE",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "POLICY_VIOLATION",
  "KAFKAJS_UNKNOWN_ERROR_CODE",
]);

const hasTypeIn = (types: ReadonlySet<string>, error: unknown): boolean =>
  errorTypesOf(error).some((type) => types.has(type));

/** So many errors in a row are no passing trouble of kafkajs. */
const maxOwnErrors = 5;

/**
 * The times that a record is written with, one after the other if the broker refuses one: this machine's, then none, which every
 * broker takes. An old time, as the source record's, could be one that retention removes before the record is due.
 */
const writeTimestamps: readonly (string | undefined)[] = [undefined, "-1"];

const withTimestamp = (write: Write, timestamp: string | undefined): Write =>
  timestamp === undefined
    ? write
    : { ...write, messages: write.messages.map((message) => ({ ...message, timestamp })) };

/**
 * Writes records to the retry tiers and the dead-letter topic, with acks from all replicas. It tries until the write is
 * acknowledged or the service stops: nothing is committed before. A write may be repeated, so readers go by `gainstream-id`.
 */
export class RetryPublisher {
  readonly #options: RetryPublisherOptions;
  #isStopped = false;

  constructor(options: RetryPublisherOptions) {
    this.#options = options;
  }

  /** Writes records to one tier and partition, in order; resolves with the offset of the first, undefined where the service stopped first. */
  async publishRetries(
    records: readonly RetryRecord[],
    isWanted = () => true,
  ): Promise<number | "too_large" | undefined> {
    const [first] = records;
    if (!first) return undefined;
    const { tier, partition } = first.failure;
    const topic = this.#options.retryTopics[tier] ?? "";
    const whole = records.map(({ parsed, failure }) => toMessage(parsed, retryHeaders(parsed.record.headers, failure)));
    const minimal = toMessage(first.parsed, minimalHeaders(first.failure));
    const variants = records.length === 1 ? [whole, [minimal]] : [whole];
    const writes = this.#withCompressions(variants.map((messages) => ({ topic, partition, messages })));
    return this.#writeUntilAcknowledged(
      { topic, variants: writes, mustBeWritten: false, timestamps: [...writeTimestamps], consecutiveOwnErrors: 0 },
      isWanted,
    );
  }

  /** Resolves with true when the dead letter is safe; false where the service stopped first. */
  async publishDeadLetter(parsed: ParsedRecord, failure: FailureDetails, isWanted = () => true): Promise<boolean> {
    const topic = this.#options.deadLetterTopic;
    const error = `${failure.reason}: ${failure.error}`;
    const tooLargeHeaders = minimalHeaders({ ...failure, reason: "too_large", error });
    const whole = toMessage(parsed, deadLetterHeaders(parsed.record.headers, failure));
    const minimal = toMessage(parsed, minimalHeaders(failure));
    const withoutValue: Message = { ...toMessage(parsed, tooLargeHeaders), value: Buffer.alloc(0) };
    const full = [whole, minimal].map((message) => ({ topic, messages: [message] }));
    const writes = [...this.#withCompressions(full), { topic, messages: [withoutValue] }];
    const pending: RemainingVariants = {
      topic,
      variants: writes,
      mustBeWritten: true,
      timestamps: [...writeTimestamps],
      consecutiveOwnErrors: 0,
    };
    const written = await this.#writeUntilAcknowledged(pending, isWanted);
    return written !== undefined;
  }

  /** Ends the attempts; those under way resolve as not written. */
  stop(): void {
    this.#isStopped = true;
  }

  #withCompressions(writes: readonly Write[]): Write[] {
    return writes.flatMap((write) => this.#options.compressions.map((compression) => ({ ...write, compression })));
  }

  /** Writes the first variant that fits into the topic, and tries until it is acknowledged. */
  async #writeUntilAcknowledged(
    pending: RemainingVariants,
    isWanted: () => boolean,
  ): Promise<number | "too_large" | undefined> {
    try {
      for (let attempt = 0; !this.#isStopped && isWanted(); attempt++) {
        const [write] = pending.variants;
        if (!write) return "too_large";
        try {
          return await this.#options.producers.write(withTimestamp(write, pending.timestamps[0]));
        } catch (error) {
          if (!this.#adaptWrite(pending, error)) await this.#waitAfterFailure(pending, error, attempt);
        }
      }
      return undefined;
    } finally {
      this.#options.onWriteEnded(pending);
    }
  }

  /** Whether another variant or another time is to be tried at once. */
  #adaptWrite(pending: RemainingVariants, error: unknown): boolean {
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

  /** Whether Kafka refuses the form of what was written. */
  #isFormRefused({ topic, variants: [write] }: RemainingVariants, error: unknown): boolean {
    const codec = write?.compression ?? "none";
    if (codec === "none" || !hasTypeIn(codecRefusals, error)) return hasTypeIn(sizeRefusals, error);
    this.#options.onCodecRefused(topic, codec);
    return true;
  }

  /**
   * A mistake of this program ends the process, for nothing mends it. A few may be kafkajs's: if a broker goes while its metadata are
   * being refreshed, kafkajs 2.2.4 itself throws a TypeError.
   */
  async #waitAfterFailure(pending: RemainingVariants, error: unknown, attempt: number): Promise<void> {
    const { onWriteFailed, pause, random } = this.#options;
    pending.consecutiveOwnErrors = isProgrammingError(error) ? pending.consecutiveOwnErrors + 1 : 0;
    if (pending.consecutiveOwnErrors >= maxOwnErrors) throw error;
    onWriteFailed(pending, error);
    await pause(fullJitter({ attempt, baseMs: 200, maxMs: 2_000, random: random() }));
  }
}
