import { describe, expect, test } from "vitest";

import { Dedupe } from "../../src/limits/dedupe.ts";

const hourMs = 3_600_000;
const day = { windowMs: 24 * hourMs, maxEvents: 3 };
const noon = Date.parse("2026-01-31T12:00:00Z");

describe("Dedupe", () => {
  test("knows an id for as long as the window, in its own partition number only", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.recordDelivered(0, "m1", noon);
    const known = (partition: number, now: number) => dedupe.isDuplicate(partition, "m1", () => now);
    expect([known(0, noon), known(0, noon + 24 * hourMs), known(0, noon + 24 * hourMs + 1_000)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([
      known(1, noon),
      dedupe.isDuplicate(0, "m2", () => noon),
      dedupe.isDuplicate(0, undefined, () => noon),
    ]).toEqual([false, false, false]);
  });

  test("remembers at most maxEvents ids of a partition number", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    for (const id of ["m1", "m2", "m3", "m4"]) dedupe.recordDelivered(0, id, noon);
    expect(["m1", "m2", "m4"].map((id) => dedupe.isDuplicate(0, id, () => noon))).toEqual([false, true, true]);
  });

  test("applies a shorter window and a smaller number at once, and forgets all if it is switched off", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.recordDelivered(0, "m1", noon);
    dedupe.setRules({ windowMs: hourMs, maxEvents: 3 });
    expect(dedupe.isDuplicate(0, "m1", () => noon + 2 * hourMs)).toBe(false);
    dedupe.setRules(day);
    expect(dedupe.isDuplicate(0, "m1", () => noon + 2 * hourMs)).toBe(true);
    dedupe.setRules(false);
    dedupe.recordDelivered(0, "m2", noon);
    dedupe.setRules(day);
    expect(["m1", "m2"].map((id) => dedupe.isDuplicate(0, id, () => noon))).toEqual([false, false]);
  });

  test("keeps the ids of a partition that stays through a rebalance, and forgets those of one that leaves", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.recordDelivered(0, "m1", noon);
    dedupe.recordDelivered(1, "m2", noon);
    dedupe.retainPartitions([0]);
    expect([dedupe.isDuplicate(0, "m1", () => noon), dedupe.isDuplicate(1, "m2", () => noon)]).toEqual([true, false]);
  });
});
