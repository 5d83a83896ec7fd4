import { type Dead, dead, ruleOf } from "../core/outcome/outcome.ts";
import type { DeadLetterCause } from "../limits/dead-letter-counts.ts";
import type { RetryRecord, RetryDetails } from "./ports.ts";
import type { WorkItem } from "./work-item.ts";

type RetryRecordDetails = Omit<RetryDetails, "source" | "partition">;

/** The copy of an event's record for a retry topic, with the details of its failure. */
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

/** The copy of an event that waits for others. It has not failed and uses no attempt. */
export const parkedRecordOf = (item: WorkItem, tier: number, error: string): RetryRecord =>
  waitingRecordOf(item, { tier, error, status: earlierRefusalOf(item)?.status });

/**
 * The copy of an event that the dead-letter limit parks. It uses no attempt. The status of a refusal is kept, so that
 * Gainsight is not called again while the limit lasts.
 */
export const limitParkedRecordOf = (item: WorkItem, tier: number, { reason, error, status }: Dead): RetryRecord =>
  waitingRecordOf(item, {
    tier,
    error: `Parked by deadLetterLimit, too many events end as ${reason}: ${error}`,
    status: reason === "rejected" ? status : undefined,
  });

/** The refusal of an event that the dead-letter limit has parked since; undefined if there is none. */
export const earlierRefusalOf = ({ parsed: { retryState } }: WorkItem): Dead | undefined => {
  const { reason, status } = retryState;
  if (reason !== "parked" || status === undefined) return undefined;
  return dead("rejected", `Gainsight refused this event with status ${status}`, status);
};

/** The cause by which the dead-letter limit counts a dead letter. */
export const deadLetterCauseOf = ({ parsed: { retryState } }: WorkItem, outcome: Dead): DeadLetterCause => ({
  topic: retryState.source.topic,
  reason: outcome.reason,
  rule: ruleOf(outcome),
});
