import type { Message, Producer } from "kafkajs";

import type { Arrival } from "../core/arrival.ts";
import { fullJitter } from "../core/backoff.ts";
import { type Failure, type Headers, bareHeaders, deadLetterHeaders, retryHeaders } from "../core/headers.ts";

export interface SettlerOptions {
  readonly producer: Pick<Producer, "send">;
  /** The topics of the retry tiers, in order. */
  readonly tiers: readonly string[];
  readonly deadLetterTopic: string;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** A write has failed and is tried again. */
  readonly onError: (problem: { topic: string; error: unknown; attempt: number }) => void;
}

interface Letter {
  readonly topic: string;
  readonly partition?: number;
  readonly messages: readonly Message[];
}

/** A record, and what is to be written of its failure. */
interface Move {
  readonly arrival: Arrival;
  readonly failure: Failure & { readonly tier: number; readonly partition: number };
}

const asMessage = ({ record }: Arrival, headers: Headers): Message => ({
  key: record.key as Buffer | null,
  value: record.value as Buffer | null,
  // kafkajs's type has mutable arrays; it does not change them.
  headers: headers as NonNullable<Message["headers"]>,
});

const isTooLarge = (error: unknown): boolean => {
  const { type, cause } = error as { type?: unknown; cause?: unknown };
  return type === "MESSAGE_TOO_LARGE" || type === "RECORD_LIST_TOO_LARGE" || (cause !== undefined && isTooLarge(cause));
};

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
    return this.#write(
      variants.map((messages) => ({ topic, partition, messages })),
      isWanted,
    );
  }

  /** Resolves with true when the dead letter is safe; false where the service stopped first. */
  async dead(arrival: Arrival, failure: Failure, isWanted = () => true): Promise<boolean> {
    const topic = this.#options.deadLetterTopic;
    const error = `${failure.reason}: ${failure.error}`;
    const reference = bareHeaders({ ...failure, reason: "too_large", error });
    const whole = asMessage(arrival, deadLetterHeaders(arrival.record.headers, failure));
    const bare = asMessage(arrival, bareHeaders(failure));
    const empty: Message = { ...asMessage(arrival, reference), value: Buffer.alloc(0) };
    const variants = [whole, bare, empty].map((message) => ({ topic, messages: [message] }));
    const written = await this.#write(variants, isWanted);
    return written !== undefined;
  }

  /** Ends the attempts; those under way resolve as not written. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Writes the first of the variants that fits into the topic, and tries until it is acknowledged. */
  async #write(variants: readonly Letter[], isWanted: () => boolean): Promise<number | "too_large" | undefined> {
    const left = [...variants];
    for (let attempt = 0; !this.#isStopped && isWanted(); attempt++) {
      const [letter] = left;
      if (!letter) return "too_large";
      try {
        return await this.#send(letter);
      } catch (error) {
        this.#options.onError({ topic: letter.topic, error, attempt });
        if (isTooLarge(error)) left.shift();
        else
          await this.#options.pause(fullJitter({ attempt, baseMs: 200, maxMs: 5_000, random: this.#options.random() }));
      }
    }
    return undefined;
  }

  async #send({ topic, partition, messages }: Letter): Promise<number> {
    const placed = partition === undefined ? [...messages] : messages.map((message) => ({ ...message, partition }));
    const [result] = await this.#options.producer.send({ topic, acks: -1, messages: placed });
    return Number(result?.baseOffset ?? -1);
  }
}
