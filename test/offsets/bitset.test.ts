import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeBitset, encodeBitset } from "../../src/offsets/bitset.ts";

describe("encodeBitset()", () => {
  it.each<[number[], string]>([
    [[0], "AQ=="],
    [[0, 2], "BQ=="],
    [[7], "gA=="],
    [[9], "AAI="],
    [[23, 8], "AAGA"],
  ])("writes %j as %s, the lowest bit of the first byte first", (numbers, text) => {
    expect(encodeBitset(numbers, Math.max(...numbers))).toBe(text);
  });
});

describe("decodeBitset()", () => {
  it("reads back in ascending order what was written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(20_000), { minLength: 1 }), (numbers) => {
        expect(decodeBitset(encodeBitset(numbers, Math.max(...numbers)))).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });

  it.each([
    ["", []],
    ["AAA", undefined],
    ["====", undefined],
    ["A===", undefined],
    ["AA==AA==", undefined],
    ["AA-_", undefined],
    ["AA =", undefined],
  ])("reads %j as %j", (text, numbers) => {
    expect(decodeBitset(text)).toEqual(numbers);
  });
});
