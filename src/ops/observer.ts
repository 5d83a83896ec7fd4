import type { Failure } from "../core/outcome/headers.ts";
import type { HoldReason, Outcome } from "../core/outcome/outcome.ts";
import type { Arrival } from "../core/parsed-record.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ObserverOptions {
  readonly log: Log;
  readonly metrics: Pick<Metrics, "event" | "retry" | "call">;
  readonly now: () => number;
}

export interface HoldChange {
  readonly reason: HoldReason;
  readonly isHeld: boolean;
  readonly error: string;
  readonly heldMs: number;
  /** Who makes the dead letters, if they are too many. */
  readonly culprits?: readonly object[];
}

/** Counts outcomes and writes the log lines: one for each event that was not delivered at once, one for each hold's change. */
export interface Observer {
  readonly finished: (arrival: Arrival, outcome: Exclude<Outcome, { kind: "retry" }>) => void;
  readonly moved: (arrival: Arrival, failure: Failure & { tier: number }) => void;
  readonly hold: (change: HoldChange) => void;
  readonly called: (made: { call: string; status: string; seconds: number }) => void;
}

const placeOf = ({ past, type }: Arrival) => {
  const { topic, partition, offset, index } = past.origin;
  return { topic, partition, offset, index, type, attempts: past.attempts };
};

export const createObserver = ({ log, metrics, now }: ObserverOptions): Observer => ({
  finished: (arrival, outcome) => {
    const { type, past, meaning, repairs } = arrival;
    const endToEndMs = now() - past.origin.timestamp;
    const computationClass = "computationClass" in meaning ? meaning.computationClass : undefined;
    if (outcome.kind === "delivered")
      return metrics.event({ type, outcome: "delivered", computationClass, endToEndMs, repairs });
    const { kind, reason } = outcome;
    metrics.event({ type, outcome: kind, reason, computationClass, endToEndMs, repairs });
    if (kind === "skipped") return log.debug({ ...placeOf(arrival), reason }, "Skipped");
    const { rule, error, status } = outcome;
    return log.warn({ ...placeOf(arrival), reason, rule, error, status }, "Dead-lettered");
  },
  moved: (arrival, { reason, error, status, attempts, tier }) => {
    metrics.retry(reason);
    const line = { ...placeOf(arrival), attempts, reason, error, status, tier };
    if (reason === "parked") log.debug(line, "Waits in a retry tier, no attempt used");
    else log.warn(line, "Failed, waits in a retry tier");
  },
  hold: ({ reason, isHeld, error, heldMs, culprits }) => {
    if (isHeld) log.warn({ hold: reason, error, culprits }, `Holding: ${reason}`);
    else log.info({ hold: reason, heldMs }, `Hold ended: ${reason}`);
  },
  called: metrics.call,
});
