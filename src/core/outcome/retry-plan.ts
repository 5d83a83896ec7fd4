import type { Retry } from "./outcome.ts";

export interface RetryRules {
  /** The delays of the retry topics in milliseconds, ascending; at least one. */
  readonly delaysMs: readonly number[];
  /** An event is dead-lettered when it has used this many attempts and has also reached `maxAgeMs` since its first failure. */
  readonly maxAttempts: number;
  readonly maxAgeMs: number;
}

export interface FailedEvent {
  readonly failure: Retry;
  /** The index of the retry topic that the event came from; undefined if it came from a source topic. */
  readonly tier: number | undefined;
  /** Attempts used, this one included. */
  readonly attempts: number;
  /** Both in milliseconds since 1970, by the wall clock. */
  readonly firstFailedAt: number;
  readonly wallNow: number;
}

/** The index of the retry topic to write the event to, or `exhausted`: the event is dead-lettered. */
export type RetryPlan = { readonly kind: "tier"; readonly tier: number } | { readonly kind: "exhausted" };

/**
 * Picks the retry topic of a failed event. Each failure moves the event one retry topic further; after the last one it repeats that one
 * until BOTH `maxAttempts` and `maxAgeMs` are reached. A `Retry-After` picks a retry topic whose delay is at least as long, if there is
 * one. An event with an unknown schema goes to the first retry topic once.
 */
export const planRetry = (rules: RetryRules, event: FailedEvent): RetryPlan => {
  const { failure, tier, attempts, firstFailedAt, wallNow } = event;
  const lastTier = rules.delaysMs.length - 1;
  if (failure.reason === "unknown_schema")
    return tier === undefined ? { kind: "tier", tier: 0 } : { kind: "exhausted" };
  if (attempts >= rules.maxAttempts && wallNow - firstFailedAt >= rules.maxAgeMs) return { kind: "exhausted" };
  const nextTier = tier === undefined ? 0 : Math.min(tier + 1, lastTier);
  const requestedDelayMs = failure.retryAfterMs;
  if (requestedDelayMs === undefined) return { kind: "tier", tier: nextTier };
  const longEnough = rules.delaysMs.findIndex((delay) => delay >= requestedDelayMs);
  return { kind: "tier", tier: Math.max(nextTier, longEnough === -1 ? lastTier : longEnough) };
};

/**
 * When a record of a retry topic is due: `delayMs` after its timestamp, but never more than `delayMs` from now, so that a skewed clock
 * cannot delay the record for ever. All times are milliseconds since 1970.
 */
export const dueAt = (timestamp: number, delayMs: number, wallNow: number): number =>
  Math.min(timestamp, wallNow) + delayMs;
