import type { Message } from "kafkajs";

import { deadLetterHeaders, minimalHeaders, retryHeaders } from "../../core/outcome/failure-headers.ts";
import type { FailureDetails, Headers } from "../../core/outcome/headers.ts";
import type { ParsedRecord } from "../../core/parsed-record.ts";
import type { Compression } from "../codecs/codecs.ts";
import { PersistentWriter, type PersistentWriterOptions } from "./persistent-writer.ts";
import type { Write } from "./producers.ts";

export interface RetryPublisherOptions extends PersistentWriterOptions {
  /** The retry topics, by tier. */
  readonly retryTopics: readonly string[];
  readonly deadLetterTopic: string;
  /** The codecs to try for a write, one after the other, if Kafka refuses its size or its codec. */
  readonly compressions: readonly Compression[];
}

/** A record, and the failure that its headers describe. */
interface RetryRecord {
  readonly parsed: ParsedRecord;
  readonly failure: FailureDetails & { readonly tier: number; readonly partition: number };
}

const toMessage = ({ record }: ParsedRecord, headers: Headers): Message => ({
  key: record.key as Buffer | null,
  value: record.value as Buffer | null,
  // kafkajs's type has mutable arrays, but kafkajs does not change them.
  headers: headers as NonNullable<Message["headers"]>,
});

/**
 * Writes records to the retry topics and the dead-letter topic, acknowledged by all replicas. It repeats a write until it is acknowledged
 * or the service stops, since nothing is committed before. A write may happen twice, so readers go by the header `gainstream-id`.
 */
export class RetryPublisher {
  readonly #options: RetryPublisherOptions;
  readonly #writer: PersistentWriter;

  constructor(options: RetryPublisherOptions) {
    this.#options = options;
    this.#writer = new PersistentWriter(options);
  }

  /**
   * Writes records to one retry topic and partition, in order. Resolves with the offset of the first; with `too_large` if the topic does
   * not accept their size; with undefined if the service stopped or `isWanted` returned false first.
   */
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
    const messageLists = records.length === 1 ? [whole, [minimal]] : [whole];
    const variants = this.#withCompressions(messageLists.map((messages) => ({ topic, partition, messages })));
    return this.#writer.write({ topic, variants, mustBeWritten: false }, isWanted);
  }

  /**
   * Writes a dead letter, in the end without its value if the topic accepts nothing larger. Resolves with true when it is acknowledged;
   * with false if the service stopped or `isWanted` returned false first.
   */
  async publishDeadLetter(parsed: ParsedRecord, failure: FailureDetails, isWanted = () => true): Promise<boolean> {
    const topic = this.#options.deadLetterTopic;
    const error = `${failure.reason}: ${failure.error}`;
    const tooLargeHeaders = minimalHeaders({ ...failure, reason: "too_large", error });
    const whole = toMessage(parsed, deadLetterHeaders(parsed.record.headers, failure));
    const minimal = toMessage(parsed, minimalHeaders(failure));
    const withoutValue: Message = { ...toMessage(parsed, tooLargeHeaders), value: Buffer.alloc(0) };
    const withValue = [whole, minimal].map((message) => ({ topic, messages: [message] }));
    const variants = [...this.#withCompressions(withValue), { topic, messages: [withoutValue] }];
    const written = await this.#writer.write({ topic, variants, mustBeWritten: true }, isWanted);
    return written !== undefined;
  }

  /** Gives up all writes; they resolve as not written. */
  stop(): void {
    this.#writer.stop();
  }

  #withCompressions(writes: readonly Write[]): Write[] {
    return writes.flatMap((write) => this.#options.compressions.map((compression) => ({ ...write, compression })));
  }
}
