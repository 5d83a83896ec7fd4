import { type Dead, dead, ruleOf } from "../core/outcome/outcome.ts";
import type { DeadLetterCause } from "../limits/dead-letter-counts.ts";
import type { RetryRecord, RetryDetails } from "./ports.ts";
import type { WorkItem } from "./work-item.ts";

type RetryRecordDetails = Omit<RetryDetails, "source" | "partition">;

/** The event's record as it goes to a tier. */
export const retryRecordOf = ({ parsed, owned }: WorkItem, failure: RetryRecordDetails): RetryRecord => ({
  parsed,
  failure: { source: parsed.retryState.source, partition: owned.partition, ...failure },
});

const waitingRecordOf = (
  item: WorkItem,
  details: Pick<RetryRecordDetails, "tier" | "error" | "status">,
): RetryRecord => {
  const { attempts, firstFailedAt } = item.parsed.retryState;
  return retryRecordOf(item, { reason: "parked", ...details, attempts, firstFailedAt });
};

/** No failure of the record: it waits for others, and uses no attempt. */
export const parkedRecordOf = (item: WorkItem, tier: number, error: string): RetryRecord =>
  waitingRecordOf(item, { tier, error, status: earlierRefusalOf(item)?.status });

/** Too many end like it: it waits for another limit of dead letters, and uses no attempt. A refusal is remembered by its status. */
export const limitParkedRecordOf = (item: WorkItem, tier: number, { reason, error, status }: Dead): RetryRecord =>
  waitingRecordOf(item, {
    tier,
    error: `Waits for another deadLetterLimit, too many end as ${reason}: ${error}`,
    status: reason === "rejected" ? status : undefined,
  });

/** That Gainsight refused the event, which has waited for another limit of dead letters since. */
export const earlierRefusalOf = ({ parsed: { retryState } }: WorkItem): Dead | undefined => {
  const { reason, status } = retryState;
  if (reason !== "parked" || status === undefined) return undefined;
  return dead("rejected", `Gainsight has refused it with status ${status}`, status);
};

/** What its producer can recognise a dead letter by. */
export const deadLetterCauseOf = ({ parsed: { retryState } }: WorkItem, outcome: Dead): DeadLetterCause => ({
  topic: retryState.source.topic,
  reason: outcome.reason,
  rule: ruleOf(outcome),
});
