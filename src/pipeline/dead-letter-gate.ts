import type { Dead } from "../core/outcome/outcome.ts";
import type { DeadLetterLimit, DeadLetterRuling } from "../limits/dead-letter-limit.ts";
import type { OffsetEntry } from "../offsets/tracker.ts";
import { deadLetterCauseOf, earlierRefusalOf } from "./retry-records.ts";
import type { StepResult, Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

export interface DeadLetterGateOptions {
  readonly deadLetterLimit: Pick<DeadLetterLimit, "countIfAllowed" | "rulingOf" | "countOtherOutcome">;
  readonly wallNow: () => number;
}

/** Asks the dead-letter limit about events. To the limit a list is one bad record, however many of its events are dead. */
export class DeadLetterGate {
  readonly #options: DeadLetterGateOptions;
  readonly #deadLetteredLists = new WeakSet<OffsetEntry>();

  constructor(options: DeadLetterGateOptions) {
    this.#options = options;
  }

  /** Asks for one more dead letter, and counts it if the limit admits it. */
  request(item: WorkItem, outcome: Dead): DeadLetterRuling {
    const { entry, sharedBytes } = item;
    const { deadLetterLimit, wallNow } = this.#options;
    const cause = deadLetterCauseOf(item, outcome);
    if (this.#deadLetteredLists.has(entry)) return deadLetterLimit.rulingOf(cause);
    const ruling = deadLetterLimit.countIfAllowed(cause, outcome.error, wallNow());
    if (ruling === "admitted" && sharedBytes > 0) this.#deadLetteredLists.add(entry);
    return ruling;
  }

  /** An event that was delivered or skipped. */
  countOtherOutcome({ parsed }: WorkItem): void {
    this.#options.deadLetterLimit.countOtherOutcome(parsed.retryState.source.topic, this.#options.wallNow());
  }

  /**
   * An event that Gainsight has refused before, while the limit still parks what it refuses like that: to call again would only
   * be a burden.
   */
  refusalOnHold(item: WorkItem): Dead | undefined {
    const refusal = earlierRefusalOf(item);
    if (!refusal) return undefined;
    const ruling = this.#options.deadLetterLimit.rulingOf(deadLetterCauseOf(item, refusal));
    return ruling === "parked" ? refusal : undefined;
  }
}

export const createRefusedBeforeStep = (gate: DeadLetterGate): ((work: Work) => StepResult | undefined) => {
  const endRefusedBefore = ({ queue: { head } }: Work): StepResult | undefined => gate.refusalOnHold(head);
  return endRefusedBefore;
};
