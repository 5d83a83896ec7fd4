import type { HoldReason } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import type { Observer as PipelineObserver } from "../pipeline/ports.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ObserverOptions {
  readonly log: Log;
  readonly metrics: Pick<Metrics, "recordEvent" | "recordRetry" | "recordCall">;
  readonly wallNow: () => number;
}

/** A hold begins or ends. */
export interface HoldChange {
  readonly reason: HoldReason;
  readonly isHeld: boolean;
  readonly error: string;
  /** How long the hold lasted; 0 when it begins. */
  readonly heldMs: number;
  /** The causes of the dead letters, if the dead-letter limit is exceeded. */
  readonly culprits?: readonly object[];
}

/** Counts outcomes, and logs one line for each event that was not delivered at once and for each change of a hold. */
export interface Observer extends PipelineObserver {
  readonly holdChanged: (change: HoldChange) => void;
  readonly callEnded: Metrics["recordCall"];
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
    const fields = { ...sourceFieldsOf(parsed), attempts, reason, error, status, tier };
    if (reason === "parked") log.debug(fields, "Moved to a retry topic without a failure; no attempt used");
    else log.warn(fields, "Failed; moved to a retry topic");
  },
  holdChanged: ({ reason, isHeld, error, heldMs, culprits }) => {
    if (isHeld) log.warn({ hold: reason, error, culprits }, `Holding: ${reason}`);
    else log.info({ hold: reason, heldMs }, `Hold ended: ${reason}`);
  },
  callEnded: metrics.recordCall,
});
