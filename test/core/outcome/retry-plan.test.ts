import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Retry } from "../../../src/core/outcome/outcome.ts";
import { type RetryRules, dueAt, planRetry } from "../../../src/core/outcome/retry-plan.ts";

const rules: RetryRules = { delaysMs: [30_000, 300_000, 1_800_000], maxAttempts: 6, maxAgeMs: 14_400_000 };
const failure = (retryAfterMs?: number): Retry => ({
  kind: "retry",
  reason: "server_error",
  error: "",
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

interface Row {
  readonly tier?: number;
  readonly attempts?: number;
  readonly ageMs?: number;
  readonly asked?: number;
}

const plan = ({ tier, attempts = 1, ageMs = 0, asked }: Row) =>
  planRetry(rules, { failure: failure(asked), tier, attempts, firstFailedAt: 1_000, wallNow: 1_000 + ageMs });

/** The plans of an event that fails every time, each time with a `Retry-After`. */
const failForever = (someRules: RetryRules, asked: Iterable<number | undefined>) => {
  const tiers: number[] = [];
  let now = 0;
  for (const retryAfterMs of asked) {
    const attempts = tiers.length + 1;
    const event = { failure: failure(retryAfterMs), tier: tiers.at(-1), attempts, firstFailedAt: 0, wallNow: now };
    const next = planRetry(someRules, event);
    if (next.kind === "exhausted" || attempts === 1_000) return { tiers, attempts, ageMs: now };
    tiers.push(next.tier);
    now += someRules.delaysMs[next.tier] ?? Number.NaN;
  }
  throw new Error("The stream of waits has ended");
};

describe("planRetry()", () => {
  test.each<[string, Row, number | "exhausted"]>([
    ["begins with the first tier", {}, 0],
    ["moves to the second", { tier: 0, attempts: 2 }, 1],
    ["moves to the last", { tier: 1, attempts: 3 }, 2],
    ["repeats the last", { tier: 2, attempts: 4 }, 2],
    ["repeats the last while only the attempts are used up", { tier: 2, attempts: 6, ageMs: 14_399_999 }, 2],
    ["repeats the last while only the age is reached", { tier: 2, attempts: 5, ageMs: 14_400_000 }, 2],
    ["ends when both are spent", { tier: 2, attempts: 6, ageMs: 14_400_000 }, "exhausted"],
    ["ends there from any tier", { tier: 0, attempts: 9, ageMs: 20_000_000 }, "exhausted"],
    ["picks a retry topic with a longer delay than Retry-After", { asked: 60_000 }, 1],
    ["picks a retry topic with the same delay as Retry-After", { asked: 30_000 }, 0],
    ["picks the last one if no delay is long enough", { asked: 6_000_000 }, 2],
    ["never moves back for a shorter Retry-After", { tier: 1, attempts: 3, asked: 1_000 }, 2],
    ["ends in spite of a wait that was asked", { tier: 2, attempts: 6, ageMs: 14_400_000, asked: 1_000 }, "exhausted"],
  ])("%s", (_, row, expected) => {
    expect(plan(row)).toEqual(expected === "exhausted" ? { kind: "exhausted" } : { kind: "tier", tier: expected });
  });

  test.each([
    [undefined, { kind: "tier", tier: 0 }],
    [0, { kind: "exhausted" }],
    [2, { kind: "exhausted" }],
  ])("an unknown schema from tier %s goes to the first retry topic once", (tier, expected) => {
    const unknown: Retry = { kind: "retry", reason: "unknown_schema", error: "" };
    expect(planRetry(rules, { failure: unknown, tier, attempts: 1, firstFailedAt: 0, wallNow: 0 })).toEqual(expected);
  });

  test("picks an existing retry topic, is not exhausted before both limits are reached, and always ends", () => {
    const delays = fc.uniqueArray(fc.integer({ min: 10_000, max: 100_000 }), { minLength: 1, maxLength: 5 });
    const someRules = fc.record({ delaysMs: delays, maxAttempts: fc.nat(10), maxAgeMs: fc.nat(1_000_000) });
    const waits = fc.infiniteStream(fc.option(fc.nat(1_000_000), { nil: undefined }));
    fc.assert(
      fc.property(someRules, waits, ({ delaysMs, ...limits }, asked) => {
        const sorted = { delaysMs: delaysMs.toSorted((a, b) => a - b), ...limits };
        const { tiers, attempts, ageMs } = failForever(sorted, asked);
        expect(tiers.every((tier) => sorted.delaysMs[tier] !== undefined)).toBe(true);
        expect(tiers).toEqual(tiers.toSorted((a, b) => a - b));
        expect(attempts).toBeGreaterThanOrEqual(limits.maxAttempts);
        expect(ageMs).toBeGreaterThanOrEqual(limits.maxAgeMs);
        expect(attempts).toBeLessThan(1_000);
      }),
    );
  });
});

describe("dueAt()", () => {
  test.each([
    ["its own time and the delay", 1_000, 31_000],
    ["at most the delay from now if its clock is ahead", 9_000_000, 35_000],
    ["long ago if it has no timestamp", -1, 29_999],
  ])("is %s", (_, timestamp, due) => {
    expect(dueAt(timestamp, 30_000, 5_000)).toBe(due);
  });
});
