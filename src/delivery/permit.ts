import type { HoldReason } from "../core/outcome/outcome.ts";

/** `open`: calls may go; `probe`: one call may go, to see whether a hold has ended; `closed`: none. */
export type GateState = "open" | "probe" | "closed";

/** The right to make one call. */
export interface Permit {
  /** Counts the times that the gate has closed; a permit of an earlier time brings late results. */
  readonly generation: number;
  readonly isProbe: boolean;
  /** Counts the calls of `probeNow`: what a probe found before the last of them says nothing of what has changed since. */
  readonly news: number;
}

export type TargetHold = Extract<HoldReason, "target_down" | "throttled" | "unauthorized" | "misconfigured">;

export interface HoldCause {
  readonly permit: Permit;
  /** Calls went through until now: the next one probes at once, and what is in flight may stay as much. */
  readonly isDoubtful?: boolean;
  readonly error: string;
  readonly retryAfterMs?: number | undefined;
}

export interface HoldState {
  readonly isDoubtful: boolean;
  readonly since: number;
  readonly failedProbes: number;
  /** When a probe may go. */
  readonly dueAt: number;
}
