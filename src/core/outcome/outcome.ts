import type { ComputationClass } from "../event/engage.ts";

/**
 * The outcome of an event and its reason. The reasons are values of headers, metric labels and log fields. An outcome is a value; an
 * exception means a bug in gainstream or a failure of its own environment.
 */

/** Why an event is not delivered although nothing failed. */
export type SkipReason =
  | "unsupported_event_type"
  | "filtered_by_allow_list"
  | "filtered_by_integrations_object"
  | "filtered_by_end_user_consent"
  | "filtered_by_rule"
  | "sampled_out"
  | "duplicate"
  | "tombstone"
  /** These two belong to the REST route (records of a Gainsight object). The clickstream route never returns them. */
  | "stale"
  | "no_match_key";

/**
 * Why an event goes to a retry topic. `parked` is no failure and uses no attempt: the event waits behind an earlier event of the same
 * user.
 */
export type RetryReason =
  | "timeout"
  | "network"
  | "server_error"
  | "locked"
  | "throttled"
  | "not_yet"
  | "unknown_schema"
  | "parked";

/** Why an event goes to the dead-letter topic. */
export type DeadReason =
  | "undecodable"
  | "unknown_schema"
  | "invalid_event"
  | "rejected"
  | "retries_exhausted"
  | "too_large";

/** Why deliveries are on hold: a problem of Gainsight, of the registry or of Kafka, not of an event. A hold uses no attempt. */
export type HoldReason =
  | "target_down"
  | "throttled"
  | "unauthorized"
  | "misconfigured"
  | "registry_down"
  | "kafka_unwritable"
  | "flooded"
  | "paused";

/** The holds that a call to Gainsight can cause. */
export type TargetHoldReason = Extract<HoldReason, "target_down" | "throttled" | "unauthorized" | "misconfigured">;

export interface Delivered {
  readonly kind: "delivered";
}

export interface Skipped {
  readonly kind: "skipped";
  readonly reason: SkipReason;
  /** Set if Segment Engage made the event. */
  readonly computationClass?: ComputationClass;
}

export interface Retry {
  readonly kind: "retry";
  readonly reason: RetryReason;
  /** One sentence for people; never a payload or a secret. */
  readonly error: string;
  readonly status?: number;
  /** The `Retry-After` of the response in milliseconds, as `parseRetryAfter` returns it. */
  readonly retryAfterMs?: number;
}

export interface Dead {
  readonly kind: "dead";
  readonly reason: DeadReason;
  readonly error: string;
  readonly status?: number;
  /** A detail of the reason from a small fixed set: the broken rule of the event, or the reason of the last failure. */
  readonly rule?: string;
}

export interface Hold {
  readonly kind: "hold";
  readonly reason: TargetHoldReason;
  readonly error: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/**
 * gainstream aborted the call because of a rebalance or a stop. Whether Gainsight got the event is unknown; the next owner of the
 * partition delivers it again.
 */
export interface Aborted {
  readonly kind: "aborted";
}

/** What finally became of an event. */
export type Outcome = Delivered | Skipped | Retry | Dead;

/** What one call to Gainsight means: an outcome of the event, a hold of all deliveries, or nothing (aborted). */
export type Verdict = Delivered | Retry | Dead | Hold | Aborted;

/**
 * Whether Gainsight refused calls of an event with a status that starts a hold (401, 403, 404, 405, 3xx). `before`: yes. `alone`: yes,
 * and other events succeeded since. `suspect`: the event was `alone` before, and no other event succeeded since.
 */
export type RefusalHistory = "never" | "before" | "suspect" | "alone";

export const delivered: Delivered = { kind: "delivered" };
export const aborted: Aborted = { kind: "aborted" };
export const skipped = (reason: SkipReason): Skipped => ({ kind: "skipped", reason });
export const dead = (reason: DeadReason, error: string, status?: number): Dead =>
  status === undefined ? { kind: "dead", reason, error } : { kind: "dead", reason, error, status };

/** The detail that a dead letter is counted by, besides its reason: its rule, else `http_<status>`. The number of values is bounded. */
export const ruleOf = ({ rule, status }: Dead): string | undefined =>
  rule ?? (status === undefined ? undefined : `http_${status}`);
