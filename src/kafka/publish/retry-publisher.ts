import type { Message } from "kafkajs";

import { fullJitter } from "../../core/outcome/backoff.ts";
import {
  type Failure,
  type Headers,
  bareHeaders,
  deadLetterHeaders,
  retryHeaders,
} from "../../core/outcome/headers.ts";
import type { Arrival } from "../../core/parsed-record.ts";
import type { Compression } from "../codecs/codecs.ts";
import { typesOf } from "../error-types.ts";
import { isOwnError } from "../own-errors.ts";
import type { WaitingWrite } from "./producer-health.ts";
import type { Producers, Write } from "./producers.ts";

export interface SettlerOptions {
  readonly producers: Pick<Producers, "write">;
  /** The topics of the retry tiers, in order. */
  readonly tiers: readonly string[];
  readonly deadLetterTopic: string;
  /** How writes are compressed: the next one if what the one before it made does not fit, or is refused. */
  readonly compressions: readonly Compression[];
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** An attempt has failed and is repeated. */
  readonly onFailed: (write: WaitingWrite, error: unknown) => void;
  /** A write is acknowledged, or nobody wants it any more. */
  readonly onEnded: (write: WaitingWrite) => void;
  /** Kafka refuses the time of this machine's clock, and the write goes with another. */
  readonly onClockRefused: (topic: string) => void;
  /** Kafka refuses this codec, and the write goes with another, or plain. */
  readonly onCodecRefused: (topic: string, codec: Compression) => void;
}

/** A record, and what is to be written of its failure. */
interface Move {
  readonly arrival: Arrival;
  readonly failure: Failure & { readonly tier: number; readonly partition: number };
}

/** What is left to be tried of a write. */
interface Left extends WaitingWrite {
  /** The same record in full and shortened, each compressed less and more. */
  readonly writes: Write[];
  /** Whether the last of them is tried until it is acknowledged, whatever Kafka says of it. */
  readonly mustEndWritten: boolean;
  readonly times: (string | undefined)[];
  /** Errors in a row that may be mistakes of this program. */
  mistakes: number;
}

const asMessage = ({ record }: Arrival, headers: Headers): Message => ({
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

const isOneOf = (types: ReadonlySet<string>, error: unknown): boolean => typesOf(error).some((type) => types.has(type));

/** So many errors in a row are no passing trouble of kafkajs. */
const maxMistakes = 5;

/**
 * The times that a record is written with, one after the other if the broker refuses one: this machine's, then none, which every
 * broker takes. An old time, as the source record's, could be one that retention removes before the record is due.
 */
const times: readonly (string | undefined)[] = [undefined, "-1"];

const withTime = (write: Write, timestamp: string | undefined): Write =>
  timestamp === undefined
    ? write
    : { ...write, messages: write.messages.map((message) => ({ ...message, timestamp })) };

/**
 * Writes records to the retry tiers and the dead-letter topic, with acks from all replicas. It tries until the write is
 * acknowledged or the service stops: nothing is committed before. A write may be repeated, so readers go by `gainstream-id`.
 */
export class Settler {
  readonly #options: SettlerOptions;
  #isStopped = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Writes records to one tier and partition, in order; resolves with the offset of the first, undefined where the service stopped first. */
  async retry(moves: readonly Move[], isWanted = () => true): Promise<number | "too_large" | undefined> {
    const [first] = moves;
    if (!first) return undefined;
    const { tier, partition } = first.failure;
    const topic = this.#options.tiers[tier] ?? "";
    const whole = moves.map(({ arrival, failure }) =>
      asMessage(arrival, retryHeaders(arrival.record.headers, failure)),
    );
    const bare = asMessage(first.arrival, bareHeaders(first.failure));
    const variants = moves.length === 1 ? [whole, [bare]] : [whole];
    const writes = this.#compressed(variants.map((messages) => ({ topic, partition, messages })));
    return this.#write({ topic, writes, mustEndWritten: false, times: [...times], mistakes: 0 }, isWanted);
  }

  /** Resolves with true when the dead letter is safe; false where the service stopped first. */
  async dead(arrival: Arrival, failure: Failure, isWanted = () => true): Promise<boolean> {
    const topic = this.#options.deadLetterTopic;
    const error = `${failure.reason}: ${failure.error}`;
    const reference = bareHeaders({ ...failure, reason: "too_large", error });
    const whole = asMessage(arrival, deadLetterHeaders(arrival.record.headers, failure));
    const bare = asMessage(arrival, bareHeaders(failure));
    const empty: Message = { ...asMessage(arrival, reference), value: Buffer.alloc(0) };
    const full = [whole, bare].map((message) => ({ topic, messages: [message] }));
    const writes = [...this.#compressed(full), { topic, messages: [empty] }];
    const left: Left = { topic, writes, mustEndWritten: true, times: [...times], mistakes: 0 };
    const written = await this.#write(left, isWanted);
    return written !== undefined;
  }

  /** Ends the attempts; those under way resolve as not written. */
  stop(): void {
    this.#isStopped = true;
  }

  #compressed(writes: readonly Write[]): Write[] {
    return writes.flatMap((write) => this.#options.compressions.map((compression) => ({ ...write, compression })));
  }

  /** Writes the first variant that fits into the topic, and tries until it is acknowledged. */
  async #write(left: Left, isWanted: () => boolean): Promise<number | "too_large" | undefined> {
    try {
      for (let attempt = 0; !this.#isStopped && isWanted(); attempt++) {
        const [write] = left.writes;
        if (!write) return "too_large";
        try {
          return await this.#options.producers.write(withTime(write, left.times[0]));
        } catch (error) {
          if (!this.#isMended(left, error)) await this.#failed(left, error, attempt);
        }
      }
      return undefined;
    } finally {
      this.#options.onEnded(left);
    }
  }

  /** Whether another variant or another time is to be tried at once. */
  #isMended(left: Left, error: unknown): boolean {
    if (this.#isMisfit(left, error)) {
      if (left.mustEndWritten && left.writes.length === 1) return false;
      left.writes.shift();
      return true;
    }
    if (!typesOf(error).includes("INVALID_TIMESTAMP") || left.times.length === 1) return false;
    left.times.shift();
    this.#options.onClockRefused(left.topic);
    return true;
  }

  /** Whether Kafka refuses the form of what was written. */
  #isMisfit({ topic, writes: [write] }: Left, error: unknown): boolean {
    const codec = write?.compression ?? "none";
    if (codec === "none" || !isOneOf(codecRefusals, error)) return isOneOf(sizeRefusals, error);
    this.#options.onCodecRefused(topic, codec);
    return true;
  }

  /**
   * A mistake of this program ends the process, for nothing mends it. A few may be kafkajs's: if a broker goes while its metadata are
   * being refreshed, kafkajs 2.2.4 itself throws a TypeError.
   */
  async #failed(left: Left, error: unknown, attempt: number): Promise<void> {
    const { onFailed, pause, random } = this.#options;
    left.mistakes = isOwnError(error) ? left.mistakes + 1 : 0;
    if (left.mistakes >= maxMistakes) throw error;
    onFailed(left, error);
    await pause(fullJitter({ attempt, baseMs: 200, maxMs: 2_000, random: random() }));
  }
}
