import type { Retry } from "./outcome.ts";

export interface RetryRules {
  /** The delays of the tiers in milliseconds, ascending, at least one. */
  readonly delaysMs: readonly number[];
  readonly maxAttempts: number;
  readonly maxAgeMs: number;
}

export interface FailedEvent {
  readonly failure: Retry;
  /** The tier it came from; undefined where it came from the source. */
  readonly tier: number | undefined;
  /** Rounds spent, this one included. */
  readonly attempts: number;
  readonly firstFailedAt: number;
  readonly now: number;
}

export type RetryPlan = { readonly kind: "tier"; readonly tier: number } | { readonly kind: "exhausted" };

/**
 * Where a failed event waits next: one tier further each time, then round the last one until BOTH its attempts and its
 * age are spent. A `Retry-After` picks the first tier that waits as long. An unknown schema gets the first tier once.
 */
export const planRetry = (rules: RetryRules, event: FailedEvent): RetryPlan => {
  const { failure, tier, attempts, firstFailedAt, now } = event;
  const last = rules.delaysMs.length - 1;
  if (failure.reason === "unknown_schema")
    return tier === undefined ? { kind: "tier", tier: 0 } : { kind: "exhausted" };
  if (attempts >= rules.maxAttempts && now - firstFailedAt >= rules.maxAgeMs) return { kind: "exhausted" };
  const next = tier === undefined ? 0 : Math.min(tier + 1, last);
  const asked = failure.retryAfterMs;
  if (asked === undefined) return { kind: "tier", tier: next };
  const longEnough = rules.delaysMs.findIndex((delay) => delay >= asked);
  return { kind: "tier", tier: Math.max(next, longEnough === -1 ? last : longEnough) };
};

/**
 * When a record of a tier is due: its own timestamp and the tier's delay, but never later than the delay from now, so a
 * skewed clock cannot hang it.
 */
export const dueAt = (timestamp: number, delayMs: number, now: number): number => Math.min(timestamp, now) + delayMs;
