import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { equalJitter, fullJitter } from "../../../src/core/outcome/backoff.ts";

const options = { baseMs: 200, maxMs: 5_000 };

describe("fullJitter()", () => {
  test.each([
    [0, 0, 0],
    [0, 0.5, 100],
    [0, 0.999, 199],
    [1, 0.5, 200],
    [4, 0.5, 1_600],
    [5, 0.5, 2_500],
    [2_000, 0.5, 2_500],
  ])("pauses before repetition %i with the random number %f for %i ms", (attempt, random, ms) => {
    expect(fullJitter({ ...options, attempt, random })).toBe(ms);
  });
});

describe("equalJitter()", () => {
  test.each([
    [0, 0, 100],
    [0, 0.5, 150],
    [0, 0.999, 199],
    [1, 0, 200],
    [2_000, 0, 2_500],
    [2_000, 0.999, 4_997],
  ])("pauses before probe %i with the random number %f for %i ms", (attempt, random, ms) => {
    expect(equalJitter({ ...options, attempt, random })).toBe(ms);
  });

  test("is at least half of the ceiling and less than the ceiling", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const ceiling = Math.min(5_000, 200 * 2 ** attempt);
        const ms = equalJitter({ ...options, attempt, random });
        expect(ms).toBeGreaterThanOrEqual(ceiling / 2);
        expect(ms).toBeLessThanOrEqual(ceiling);
        expect(fullJitter({ ...options, attempt, random })).toBeLessThanOrEqual(ceiling);
      }),
    );
  });
});
