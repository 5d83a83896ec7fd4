import type { Dead } from "../core/outcome/outcome.ts";
import type { DeadLetterLimit, DeadLetterRuling } from "../limits/dead-letter-limit.ts";
import type { OffsetEntry } from "../offsets/tracker.ts";
import { deadLetterCauseOf, earlierRefusalOf } from "./retry-records.ts";
import type { WorkItem } from "./work-item.ts";

export interface DeadLetterGateOptions {
  readonly deadLetterLimit: Pick<DeadLetterLimit, "countIfAllowed" | "rulingOf" | "countOtherOutcome">;
  readonly wallNow: () => number;
}

/**
 * Asks the dead-letter limit whether an event may be dead-lettered. A record that holds a list of events counts once, however
 * many of its events are dead-lettered.
 */
export class DeadLetterGate {
  readonly #options: DeadLetterGateOptions;
  readonly #deadLetteredLists = new WeakSet<OffsetEntry>();

  constructor(options: DeadLetterGateOptions) {
    this.#options = options;
  }

  /** Requests one more dead letter, and counts it if the limit admits it. */
  request(item: WorkItem, outcome: Dead): DeadLetterRuling {
    const { entry, sharedBytes } = item;
    const { deadLetterLimit, wallNow } = this.#options;
    const cause = deadLetterCauseOf(item, outcome);
    if (this.#deadLetteredLists.has(entry)) return deadLetterLimit.rulingOf(cause);
    const ruling = deadLetterLimit.countIfAllowed(cause, outcome.error, wallNow());
    if (ruling === "admitted" && sharedBytes > 0) this.#deadLetteredLists.add(entry);
    return ruling;
  }

  /** Counts an event that was delivered or skipped. */
  countOtherOutcome({ parsed }: WorkItem): void {
    this.#options.deadLetterLimit.countOtherOutcome(parsed.retryState.source.topic, this.#options.wallNow());
  }

  /**
   * Returns the earlier refusal of an event if the limit still parks events with such a refusal. Then the event needs no
   * further call: Gainsight would refuse it again.
   */
  refusalOnHold(item: WorkItem): Dead | undefined {
    const refusal = earlierRefusalOf(item);
    if (!refusal) return undefined;
    const ruling = this.#options.deadLetterLimit.rulingOf(deadLetterCauseOf(item, refusal));
    return ruling === "parked" ? refusal : undefined;
  }
}
