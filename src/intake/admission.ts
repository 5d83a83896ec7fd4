import type { KafkaMessage } from "kafkajs";

import { maxInFlightWindow } from "../offsets/completed-map.ts";
import { type CapacityCheck, deadLetterLimitWaitFor } from "../pipeline/hot-keys.ts";
import type { OpenOwnedPartition, OwnedPartition, PauseReason } from "./owned-partition.ts";
import { type Pauses, timerToleranceMs } from "./pauses.ts";
import type { Clocks } from "./retry-delay.ts";
import type { SchemaWait } from "./schema-wait.ts";

export interface AdmissionOptions extends Clocks {
  readonly pauses: Pick<Pauses, "pauseWhile" | "review">;
  /** Fetches schemas from the registry. */
  readonly schemas: Pick<SchemaWait, "request" | "isPending">;
  /** The retry topics, by the name of the topic. */
  readonly retryTopics: ReadonlyMap<string, { readonly tier: number; readonly delayMs: number }>;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Whether the dead-letter limit parks events of this source topic in the retry topics. */
  readonly hasDeadLetterHold: (topic: string) => boolean;
  /** How many offsets beyond its committable offset a partition may be read. */
  readonly maxInFlightWindow?: number;
}

/** The reasons for a pause that end when events are completed. */
export const capacityReasons: readonly PauseReason[] = ["budget", "span", "user"];

/** Pauses a partition while its next record must wait: for capacity, for its retry delay, for a schema, or for its user. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #maxInFlightWindow: number;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#maxInFlightWindow = options.maxInFlightWindow ?? maxInFlightWindow;
  }

  /**
   * Pauses the partition if its next record must wait for the in-flight window, its retry delay or the dead-letter limit.
   * After this call the record may come in if the partition is not paused.
   */
  pauseIfMustWait(owned: OpenOwnedPartition, message: KafkaMessage): void {
    const { tracker } = owned;
    const offset = Number(message.offset);
    // With no open record the window is empty. A large gap in the log alone must not pause the partition: no completed
    // event would end it.
    const exceedsWindow = (maxOffsets: number): boolean =>
      tracker.inFlightWindow > 0 && offset - tracker.committableOffset > maxOffsets;
    if (exceedsWindow(this.#maxInFlightWindow))
      this.#options.pauses.pauseWhile(owned, "span", () => exceedsWindow(this.#maxInFlightWindow / 2));
    if (owned.tier !== undefined) this.#waitUntilDue(owned, message);
    const limitCheck = deadLetterLimitWaitFor(owned, this.#options.hasDeadLetterHold);
    if (limitCheck) this.waitForUser(owned, limitCheck);
  }

  /** Requests a schema and pauses the partition until the schema is fetched, or is known not to exist. */
  waitForSchema(owned: OwnedPartition, schemaId: number): void {
    const { schemas, pauses } = this.#options;
    schemas.request(schemaId);
    pauses.pauseWhile(owned, "schema", () => schemas.isPending(schemaId));
  }

  /** Pauses the partition until its user, or its topic, has capacity again. */
  waitForUser(owned: OwnedPartition, hasCapacityAgain: CapacityCheck): void {
    this.#options.pauses.pauseWhile(owned, "user", () => !hasCapacityAgain());
  }

  #waitUntilDue(owned: OwnedPartition, { offset, timestamp }: KafkaMessage): void {
    const { retryTopics, pauses, monotonicNow, schedule } = this.#options;
    const { delayMs = 0 } = retryTopics.get(owned.topic) ?? {};
    const head = { offset: Number(offset), timestamp: Number(timestamp) };
    owned.retryDelay.recordHead(head, delayMs, this.#options);
    const remainingMs = owned.retryDelay.remainingMs(monotonicNow());
    if (remainingMs <= 0) return;
    const dueAt = monotonicNow() + remainingMs;
    pauses.pauseWhile(owned, "due", () => dueAt - monotonicNow() > timerToleranceMs);
    schedule(remainingMs, () => pauses.review(["due"]));
  }
}
