import { type Dead, dead, ruleOf } from "../core/outcome/outcome.ts";
import type { Cause } from "../limits/dead-letter-counts.ts";
import type { Move, TierFailure } from "./ports.ts";
import type { Held } from "./work-item.ts";

type Reason = Omit<TierFailure, "origin" | "partition">;

/** The event's record as it goes to a tier. */
export const moveOf = ({ arrival, inlet }: Held, failure: Reason): Move => ({
  arrival,
  failure: { origin: arrival.past.origin, partition: inlet.partition, ...failure },
});

const waiting = (held: Held, why: Pick<Reason, "tier" | "error" | "status">): Move => {
  const { attempts, firstFailedAt } = held.arrival.past;
  return moveOf(held, { reason: "parked", ...why, attempts, firstFailedAt });
};

/** No failure of the record: it waits for others, and uses no attempt. */
export const parkedMove = (held: Held, tier: number, error: string): Move =>
  waiting(held, { tier, error, status: refusalOf(held)?.status });

/** Too many end like it: it waits for another limit of dead letters, and uses no attempt. A refusal is remembered by its status. */
export const heldMove = (held: Held, tier: number, { reason, error, status }: Dead): Move =>
  waiting(held, {
    tier,
    error: `Waits for another deadLetterLimit, too many end as ${reason}: ${error}`,
    status: reason === "rejected" ? status : undefined,
  });

/** That Gainsight refused the event, which has waited for another limit of dead letters since. */
export const refusalOf = ({ arrival: { past } }: Held): Dead | undefined => {
  const { reason, status } = past;
  if (reason !== "parked" || status === undefined) return undefined;
  return dead("rejected", `Gainsight has refused it with status ${status}`, status);
};

/** What its producer can recognise a dead letter by. */
export const causeOf = ({ arrival: { past } }: Held, outcome: Dead): Cause => ({
  topic: past.origin.topic,
  reason: outcome.reason,
  rule: ruleOf(outcome),
});
