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
  planRetry(rules, { failure: failure(asked), tier, attempts, firstFailedAt: 1_000, now: 1_000 + ageMs });

/** What becomes of an event that fails each time, told each time how long to wait. */
const failForever = (someRules: RetryRules, asked: Iterable<number | undefined>) => {
  const tiers: number[] = [];
  let now = 0;
  for (const retryAfterMs of asked) {
    const attempts = tiers.length + 1;
    const event = { failure: failure(retryAfterMs), tier: tiers.at(-1), attempts, firstFailedAt: 0, now };
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
    ["goes on to the second", { tier: 0, attempts: 2 }, 1],
    ["goes on to the last", { tier: 1, attempts: 3 }, 2],
    ["goes round the last", { tier: 2, attempts: 4 }, 2],
    ["goes round while only the attempts are spent", { tier: 2, attempts: 6, ageMs: 14_399_999 }, 2],
    ["goes round while only the age is spent", { tier: 2, attempts: 5, ageMs: 14_400_000 }, 2],
    ["ends when both are spent", { tier: 2, attempts: 6, ageMs: 14_400_000 }, "exhausted"],
    ["ends there from any tier", { tier: 0, attempts: 9, ageMs: 20_000_000 }, "exhausted"],
    ["takes a tier that waits as long as was asked", { asked: 60_000 }, 1],
    ["takes a tier that waits just as long", { asked: 30_000 }, 0],
    ["takes the last where none waits as long", { asked: 6_000_000 }, 2],
    ["never goes back for a shorter wait", { tier: 1, attempts: 3, asked: 1_000 }, 2],
    ["ends in spite of a wait that was asked", { tier: 2, attempts: 6, ageMs: 14_400_000, asked: 1_000 }, "exhausted"],
  ])("%s", (_, row, expected) => {
    expect(plan(row)).toEqual(expected === "exhausted" ? { kind: "exhausted" } : { kind: "tier", tier: expected });
  });

  test.each([
    [undefined, { kind: "tier", tier: 0 }],
    [0, { kind: "exhausted" }],
    [2, { kind: "exhausted" }],
  ])("gives an unknown schema from tier %s the first tier once", (tier, expected) => {
    const unknown: Retry = { kind: "retry", reason: "unknown_schema", error: "" };
    expect(planRetry(rules, { failure: unknown, tier, attempts: 1, firstFailedAt: 0, now: 0 })).toEqual(expected);
  });

  test("stays within the tiers, is not exhausted before both are spent, and always ends", () => {
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
    ["no later than the delay from now where its clock is ahead", 9_000_000, 35_000],
    ["long ago where it has no time", -1, 29_999],
  ])("is %s", (_, timestamp, due) => {
    expect(dueAt(timestamp, 30_000, 5_000)).toBe(due);
  });
});
