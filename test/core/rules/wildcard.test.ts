import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createWildcardTest } from "../../../src/core/rules/wildcard.ts";

const asRegExp = (pattern: string) => new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`);

describe("createWildcardTest()", () => {
  test.each([
    ["abc", "abc"],
    ["*", ""],
    ["*", "a\nb"],
    ["**", "a"],
    ["a*", "a"],
    ["*@example.com", "x@example.com"],
    ["a*b*c", "a-b-b-c"],
    ["a*a", "aa"],
    ["*.?[x]*", "a.?[x]"],
  ])("%j matches %j", (pattern, text) => {
    expect(createWildcardTest(pattern)(text)).toBe(true);
  });

  test.each([
    ["abc", "abcd"],
    ["abc", "ABC"],
    ["a*a", "a"],
    ["ab*ba", "aba"],
    ["*@example.com", "x@example.com.evil"],
    ["a*b*c", "a-c"],
    ["a.c", "abc"],
  ])("%j does not match %j", (pattern, text) => {
    expect(createWildcardTest(pattern)(text)).toBe(false);
  });

  test("matches the same texts as a regular expression", () => {
    const text = (length: number) => fc.string({ unit: fc.constantFrom("a", "b"), maxLength: length });
    const pattern = fc.array(text(4), { minLength: 1, maxLength: 5 }).map((parts) => parts.join("*"));
    fc.assert(
      fc.property(pattern, text(20), (given, tried) => {
        expect(createWildcardTest(given)(tried)).toBe(asRegExp(given).test(tried));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    [`*${"a".repeat(500)}b${"a".repeat(497)}*`, "a".repeat(1_000_000)],
    [`*b${"ab".repeat(400)}b*`, "ab".repeat(500_000)],
    ["*a".repeat(400), "a".repeat(1_000_000)],
    [`${"*ab".repeat(300)}*c`, "ab".repeat(500_000)],
  ])("takes less than a second for hard patterns: %#", (pattern, text) => {
    const isLike = createWildcardTest(pattern);
    const startedAt = performance.now();
    isLike(text);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
