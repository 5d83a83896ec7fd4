import type { KafkaMessage } from "kafkajs";

import { maxSpan } from "../offsets/completed-map.ts";
import { backlogOf } from "../pipeline/hot-keys.ts";
import type { Inlet } from "../pipeline/work-item.ts";
import type { Feed, PauseReason } from "./owned-partition.ts";
import type { Pauses } from "./pauses.ts";
import type { Clocks } from "./retry-delay.ts";
import type { SchemaWait } from "./schema-wait.ts";

export interface AdmissionOptions extends Clocks {
  readonly pauses: Pauses;
  readonly schemas: Pick<SchemaWait, "want" | "isWanted">;
  /** The delays of the retry topics in milliseconds, by the name of the topic. */
  readonly tiers: ReadonlyMap<string, { readonly tier: number; readonly delayMs: number }>;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Whether events of this source wait in the retry topics for another limit of dead letters. */
  readonly isHeldIn: (topic: string) => boolean;
  /** How far a partition may be read beyond its committable offset. */
  readonly maxSpan?: number;
}

/** What waits for events to end. */
export const untilEventsEnd: readonly PauseReason[] = ["budget", "span", "user"];
/** Timers may fire a moment before their time by the other clock. */
const timerToleranceMs = 1;

/** What a record waits for before it comes in. Its partition is paused until the condition has ended. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #maxSpan: number;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#maxSpan = options.maxSpan ?? maxSpan;
  }

  /** Whether the next record of this partition waits: for its time, or because too much waits already. */
  mustWait(feed: Feed, inlet: Inlet, message: KafkaMessage): boolean {
    const { tracker } = inlet;
    const offset = Number(message.offset);
    // With nothing open there is nothing to describe: a gap alone, however large, would otherwise be waited for without end.
    const isBeyond = (most: number): boolean => tracker.span > 0 && offset - tracker.mark > most;
    if (isBeyond(this.#maxSpan)) this.#options.pauses.start(feed, "span", () => isBeyond(this.#maxSpan / 2));
    if (feed.tier !== undefined) this.#untilDue(feed, message);
    const hasRoomAgain = backlogOf(inlet, this.#options.isHeldIn);
    if (hasRoomAgain) this.forUser(feed, hasRoomAgain);
    return feed.pauses.size > 0;
  }

  forSchema(feed: Feed, schemaId: number): void {
    const { schemas, pauses } = this.#options;
    schemas.want(schemaId);
    pauses.start(feed, "schema", () => schemas.isWanted(schemaId));
  }

  forUser(feed: Feed, hasRoomAgain: () => boolean): void {
    this.#options.pauses.start(feed, "user", () => !hasRoomAgain());
  }

  #untilDue(feed: Feed, { offset, timestamp }: KafkaMessage): void {
    const { tiers, pauses, monotonic, schedule } = this.#options;
    const { delayMs = 0 } = tiers.get(feed.topic) ?? {};
    const dueIn = feed.due.inMs({ offset: Number(offset), timestamp: Number(timestamp) }, delayMs, this.#options);
    if (dueIn <= 0) return;
    const dueAt = monotonic() + dueIn;
    pauses.start(feed, "due", () => dueAt - monotonic() > timerToleranceMs);
    schedule(dueIn, () => pauses.review(["due"]));
  }
}
