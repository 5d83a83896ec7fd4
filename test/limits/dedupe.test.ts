import { describe, expect, test } from "vitest";

import { Dedupe } from "../../src/limits/dedupe.ts";

const hourMs = 3_600_000;
const day = { windowMs: 24 * hourMs, maxEvents: 3 };
const noon = Date.parse("2026-01-31T12:00:00Z");

describe("Dedupe", () => {
  test("knows an id for as long as the window, in its own partition number only", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.delivered(0, "m1", noon);
    const known = (partition: number, now: number) => dedupe.has(partition, "m1", () => now);
    expect([known(0, noon), known(0, noon + 24 * hourMs), known(0, noon + 24 * hourMs + 1_000)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([known(1, noon), dedupe.has(0, "m2", () => noon), dedupe.has(0, undefined, () => noon)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("remembers so many events of a partition number and no more", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    for (const id of ["m1", "m2", "m3", "m4"]) dedupe.delivered(0, id, noon);
    expect(["m1", "m2", "m4"].map((id) => dedupe.has(0, id, () => noon))).toEqual([false, true, true]);
  });

  test("takes up a shorter window and a smaller number at once, and forgets all where it is switched off", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.delivered(0, "m1", noon);
    dedupe.change({ windowMs: hourMs, maxEvents: 3 });
    expect(dedupe.has(0, "m1", () => noon + 2 * hourMs)).toBe(false);
    dedupe.change(day);
    expect(dedupe.has(0, "m1", () => noon + 2 * hourMs)).toBe(true);
    dedupe.change(false);
    dedupe.delivered(0, "m2", noon);
    dedupe.change(day);
    expect(["m1", "m2"].map((id) => dedupe.has(0, id, () => noon))).toEqual([false, false]);
  });

  test("goes on knowing the ids of a partition that stays through a rebalance, and forgets those of one that leaves", () => {
    const dedupe = new Dedupe({ rules: day, seed: 1 });
    dedupe.delivered(0, "m1", noon);
    dedupe.delivered(1, "m2", noon);
    dedupe.keep([0]);
    expect([dedupe.has(0, "m1", () => noon), dedupe.has(1, "m2", () => noon)]).toEqual([true, false]);
  });
});
