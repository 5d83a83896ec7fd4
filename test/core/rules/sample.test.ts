import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isSampled } from "../../../src/core/rules/sample.ts";

const users = Array.from({ length: 20_000 }, (_, number) => `user-${number}`);

describe("isSampled()", () => {
  test.each([0.5, 1, 10, 25, 50, 90, 99])("keeps about %d percent of users", (percent) => {
    const kept = users.filter((user) => isSampled(user, percent)).length / users.length;
    expect(Math.abs(100 * kept - percent)).toBeLessThan(1);
  });

  test("keeps nobody at 0 and everybody at 100, also a user of empty text", () => {
    fc.assert(
      fc.property(fc.string(), (user) => {
        expect([isSampled(user, 0), isSampled(user, 100)]).toEqual([false, true]);
      }),
    );
  });

  test("keeps the same users if the percentage grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(100), fc.nat(100), (user, one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(!isSampled(user, less) || isSampled(user, more)).toBe(true);
      }),
    );
  });

  test("gives the same result in every version", () => {
    const named = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "ü", "用户", "🎉"];
    expect(named.filter((user) => isSampled(user, 50))).toEqual(["u1", "u2", "u3", "u6", "ü", "用户"]);
  });
});
