import type { KafkaMessage } from "kafkajs";

import { maxInFlightWindow } from "../offsets/completed-map.ts";
import { deadLetterLimitWaitFor } from "../pipeline/hot-keys.ts";
import type { OpenOwnedPartition, OwnedPartition, PauseReason } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { Clocks } from "./retry-delay.ts";
import type { SchemaWait } from "./schema-wait.ts";

export interface AdmissionOptions extends Clocks {
  readonly pauses: Pauses;
  readonly schemas: Pick<SchemaWait, "request" | "isPending">;
  /** The delays of the retry topics in milliseconds, by the name of the topic. */
  readonly retryTopics: ReadonlyMap<string, { readonly tier: number; readonly delayMs: number }>;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Whether events of this source wait in the retry topics for another limit of dead letters. */
  readonly hasDeadLetterHold: (topic: string) => boolean;
  /** How far a partition may be read beyond its committable offset. */
  readonly maxInFlightWindow?: number;
}

/** What waits for events to end. */
export const capacityReasons: readonly PauseReason[] = ["budget", "span", "user"];
/** Timers may fire a moment before their time by the other clock. */
const timerToleranceMs = 1;

/** What a record waits for before it comes in. Its partition is paused until the condition has ended. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #maxInFlightWindow: number;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#maxInFlightWindow = options.maxInFlightWindow ?? maxInFlightWindow;
  }

  /** Whether the next record of a partition may come in now. If not, the partition is paused until it may. */
  admit(owned: OpenOwnedPartition, message: KafkaMessage): boolean {
    const { tracker } = owned;
    const offset = Number(message.offset);
    // With nothing open there is nothing to describe: a gap alone, however large, would otherwise be waited for without end.
    const exceedsWindow = (maxOffsets: number): boolean =>
      tracker.inFlightWindow > 0 && offset - tracker.committableOffset > maxOffsets;
    if (exceedsWindow(this.#maxInFlightWindow))
      this.#options.pauses.pauseWhile(owned, "span", () => exceedsWindow(this.#maxInFlightWindow / 2));
    if (owned.tier !== undefined) this.#waitUntilDue(owned, message);
    const hasCapacityAgain = deadLetterLimitWaitFor(owned, this.#options.hasDeadLetterHold);
    if (hasCapacityAgain) this.waitForUser(owned, hasCapacityAgain);
    return owned.pauses.size === 0;
  }

  waitForSchema(owned: OwnedPartition, schemaId: number): void {
    const { schemas, pauses } = this.#options;
    schemas.request(schemaId);
    pauses.pauseWhile(owned, "schema", () => schemas.isPending(schemaId));
  }

  waitForUser(owned: OwnedPartition, hasCapacityAgain: () => boolean): void {
    this.#options.pauses.pauseWhile(owned, "user", () => !hasCapacityAgain());
  }

  #waitUntilDue(owned: OwnedPartition, { offset, timestamp }: KafkaMessage): void {
    const { retryTopics, pauses, monotonicNow, schedule } = this.#options;
    const { delayMs = 0 } = retryTopics.get(owned.topic) ?? {};
    const remainingMs = owned.retryDelay.remainingMs(
      { offset: Number(offset), timestamp: Number(timestamp) },
      delayMs,
      this.#options,
    );
    if (remainingMs <= 0) return;
    const dueAt = monotonicNow() + remainingMs;
    pauses.pauseWhile(owned, "due", () => dueAt - monotonicNow() > timerToleranceMs);
    schedule(remainingMs, () => pauses.review(["due"]));
  }
}
