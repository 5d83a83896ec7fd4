import type { ComputationClass } from "../event/engage.ts";

/** What finally became of an event, and why. An outcome is a value; an exception means that our own plumbing failed. */

export type SkipReason =
  | "unsupported_event_type"
  | "filtered_by_allow_list"
  | "filtered_by_integrations_object"
  | "filtered_by_end_user_consent"
  | "filtered_by_rule"
  | "sampled_out"
  | "duplicate"
  | "stale"
  | "tombstone"
  | "no_match_key";

/** `parked` is no failure: the event waits behind an earlier one of the same user, and uses no attempt. */
export type RetryReason =
  | "timeout"
  | "network"
  | "server_error"
  | "locked"
  | "throttled"
  | "not_yet"
  | "unknown_schema"
  | "parked";

export type DeadReason =
  | "undecodable"
  | "unknown_schema"
  | "invalid_event"
  | "rejected"
  | "retries_exhausted"
  | "too_large";

/** A hold is the trouble of the target or of Kafka, not of an event: no attempt is used until it ends. */
export type HoldReason =
  | "target_down"
  | "throttled"
  | "unauthorized"
  | "misconfigured"
  | "registry_down"
  | "kafka_unwritable"
  | "flooded"
  | "paused";

export interface Delivered {
  readonly kind: "delivered";
}

export interface Skipped {
  readonly kind: "skipped";
  readonly reason: SkipReason;
  /** Of an event that Segment's Engage made: what it computed. */
  readonly computationClass?: ComputationClass;
}

export interface Retry {
  readonly kind: "retry";
  readonly reason: RetryReason;
  /** One sentence for people; never a payload or a secret. */
  readonly error: string;
  readonly status?: number;
  /** How long the target asked us to wait, in milliseconds, already clamped. */
  readonly retryAfterMs?: number;
}

export interface Dead {
  readonly kind: "dead";
  readonly reason: DeadReason;
  readonly error: string;
  readonly status?: number;
  /** What narrows the reason down, from a small set: the broken rule, or why the last attempt failed. */
  readonly rule?: string;
}

export interface Hold {
  readonly kind: "hold";
  readonly reason: HoldReason;
  readonly error: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** We ended the call ourselves, to hand over or to stop: nothing is known of the event, and whoever owns it next does it. */
export interface Aborted {
  readonly kind: "aborted";
}

export type Outcome = Delivered | Skipped | Retry | Dead;

/** What one call to the target says: an outcome of the event, a hold of the stream, or nothing. */
export type Verdict = Delivered | Retry | Dead | Hold | Aborted;

/**
 * Whether an event's calls were refused by an answer that holds the stream. `alone`: others have gone through since; `suspect`: it
 * was so before, and nobody has gone through since.
 */
export type Refused = "never" | "before" | "suspect" | "alone";

export const delivered: Delivered = { kind: "delivered" };
export const aborted: Aborted = { kind: "aborted" };
export const skipped = (reason: SkipReason): Skipped => ({ kind: "skipped", reason });
export const dead = (reason: DeadReason, error: string, status?: number): Dead =>
  status === undefined ? { kind: "dead", reason, error } : { kind: "dead", reason, error, status };

/** What the producer of a dead letter can recognise beside its reason; bounded, so that it may be counted by. */
export const ruleOf = ({ rule, status }: Dead): string | undefined =>
  rule ?? (status === undefined ? undefined : `http_${status}`);
