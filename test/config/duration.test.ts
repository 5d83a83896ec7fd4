import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseDuration } from "../../src/config/duration.ts";

describe("parseDuration()", () => {
  test.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["4h", 14_400_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["1m5s250ms", 65_250],
    ["30S", 30_000],
    ["0s", 0],
  ])("reads %s as %d milliseconds", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each(["", "5", "5x", "s", "-5s", "1.5s", "5 s", "30m1h", "5s5s", "9999999999s", "1h 30m", "Infinity"])(
    "takes %j for no duration",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test("gives a safe whole number or nothing for any text", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9dhms. -]{0,12}$/), (text) => {
        const result = parseDuration(text);
        expect(result === undefined || (Number.isSafeInteger(result) && result >= 0)).toBe(true);
      }),
    );
  });
});
