import { describe, expect, test } from "vitest";

import { parseRetryAfter } from "../../../src/core/outcome/retry-after.ts";

const now = Date.parse("2024-05-01T00:00:00Z");

describe("parseRetryAfter()", () => {
  test.each<[value: string | undefined, ms: number | undefined]>([
    ["30", 30_000],
    [" 30 ", 30_000],
    ["007", 7_000],
    ["0", 1_000],
    ["1", 1_000],
    ["600", 600_000],
    ["601", 600_000],
    ["9999999999", 600_000],
    ["99999999999", 600_000],
    ["9".repeat(400), 600_000],
    ["0".repeat(30) + "7", 7_000],
    ["Wed, 01 May 2024 00:00:30 GMT", 30_000],
    ["Wed, 01 May 2024 00:00:00 GMT", 1_000],
    ["Tue, 30 Apr 2024 00:00:00 GMT", 1_000],
    ["Thu, 02 May 2024 00:00:00 GMT", 600_000],
  ])("parses %j as %i ms, clamped to 1 s … 10 min", (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  test.each([
    undefined,
    "",
    " ",
    "soon",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "30 s",
    "30, 60",
    "2024-05-01T00:00:30Z",
    "Wed, 01 May 2024 00:00:30 CET",
    "Wed, 99 Foo 2024 00:00:30 GMT",
  ])("counts %j as absent", (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
