import type { FailureDetails } from "../core/outcome/headers.ts";
import type { HoldReason, Outcome } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ObserverOptions {
  readonly log: Log;
  readonly metrics: Pick<Metrics, "recordEvent" | "recordRetry" | "recordCall">;
  readonly wallNow: () => number;
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
  readonly completed: (parsed: ParsedRecord, outcome: Exclude<Outcome, { kind: "retry" }>) => void;
  readonly movedToRetry: (parsed: ParsedRecord, failure: FailureDetails & { tier: number }) => void;
  readonly holdChanged: (change: HoldChange) => void;
  readonly callEnded: (made: { call: string; status: string; seconds: number }) => void;
}

const sourceFieldsOf = ({ retryState, type }: ParsedRecord) => {
  const { topic, partition, offset, index } = retryState.source;
  return { topic, partition, offset, index, type, attempts: retryState.attempts };
};

export const createObserver = ({ log, metrics, wallNow }: ObserverOptions): Observer => ({
  completed: (parsed, outcome) => {
    const { type, retryState, decision, repairs } = parsed;
    const endToEndMs = wallNow() - retryState.source.timestamp;
    const computationClass = "computationClass" in decision ? decision.computationClass : undefined;
    if (outcome.kind === "delivered")
      return metrics.recordEvent({ type, outcome: "delivered", computationClass, endToEndMs, repairs });
    const { kind, reason } = outcome;
    metrics.recordEvent({ type, outcome: kind, reason, computationClass, endToEndMs, repairs });
    if (kind === "skipped") return log.debug({ ...sourceFieldsOf(parsed), reason }, "Skipped");
    const { rule, error, status } = outcome;
    return log.warn({ ...sourceFieldsOf(parsed), reason, rule, error, status }, "Dead-lettered");
  },
  movedToRetry: (parsed, { reason, error, status, attempts, tier }) => {
    metrics.recordRetry(reason);
    const line = { ...sourceFieldsOf(parsed), attempts, reason, error, status, tier };
    if (reason === "parked") log.debug(line, "Waits in a retry tier, no attempt used");
    else log.warn(line, "Failed, waits in a retry tier");
  },
  holdChanged: ({ reason, isHeld, error, heldMs, culprits }) => {
    if (isHeld) log.warn({ hold: reason, error, culprits }, `Holding: ${reason}`);
    else log.info({ hold: reason, heldMs }, `Hold ended: ${reason}`);
  },
  callEnded: metrics.recordCall,
});
