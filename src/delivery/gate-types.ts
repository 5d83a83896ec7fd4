import type { TargetHoldReason } from "../core/outcome/outcome.ts";

/** `open`: calls may start. `probe`: one call may start, to find out whether a hold has ended. `closed`: no call may start. */
export type GateState = "open" | "probe" | "closed";

/** The right to make one call. */
export interface Permit {
  /** How often the gate had closed by then. A result is stale if the gate has closed again since. */
  readonly closeCount: number;
  readonly isProbe: boolean;
  /** How many probes had been requested by then. A result is outdated if the access key has been replaced since. */
  readonly probeRequests: number;
}

/** What a call said that holds the stream. */
export interface HoldCause {
  readonly permit: Permit;
  /** Calls succeeded until now, so one call may be wrong. The next probe starts at once, and the concurrency limit stays until then. */
  readonly isUnconfirmed?: boolean;
  readonly error: string;
  /** How long the target asks us to wait. */
  readonly retryAfterMs?: number | undefined;
}

/** A hold of the target begins or ends. */
export interface TargetHoldChange {
  readonly reason: TargetHoldReason;
  readonly isHeld: boolean;
  /** Empty when the hold ends. */
  readonly error: string;
  /** How long the hold lasted; 0 when it begins. */
  readonly heldMs: number;
}
