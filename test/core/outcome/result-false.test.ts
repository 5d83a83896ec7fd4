import { describe, expect, test } from "vitest";

import { codeFamilyOf, gainsightCodeOf, requestIdOf } from "../../../src/core/outcome/result-false.ts";

describe("result: false", () => {
  test.each([
    ["GSOBJ_1002", "GSOBJ"],
    ["GSOBJ_PEOPLE1001", "GSOBJ_PEOPLE"],
    ["GSOBJ_VDTEMAIL1001", "GSOBJ_VDT"],
    ["GSOBJ_VCRUDR1002", "GSOBJ_VCRUDR"],
    ["GU_1101", "GU"],
    ["GS_APIG_2404", "GS_APIG"],
  ])("knows the code %s of the family %s", (code, family) => {
    expect([gainsightCodeOf(code), codeFamilyOf(gainsightCodeOf(code))]).toEqual([code, family]);
  });

  test.each([
    undefined,
    null,
    1002,
    "",
    "anna@example.com",
    "GSOBJ_anna",
    "GSOBJ_1002 (Email = anna)",
    "GUSTAV",
    `GU_${"1".repeat(30)}`,
  ])("keeps no code of another form, such as %j", (given) => {
    expect([gainsightCodeOf(given), codeFamilyOf(gainsightCodeOf(given))]).toEqual([undefined, "other"]);
  });

  test.each([
    ["0d2e8a52-4f0c-4a6b-9a3a-0c8f6f1c5d11", true],
    ["", false],
    ["anna@example.com", false],
    ["anna_smith", false],
    ["anna-smith-of-sales", false],
    ["5551234567", false],
    ["a".repeat(65), false],
    [7, false],
  ])("accepts %j as a request id: %s", (given, isTaken) => {
    expect(requestIdOf(given)).toBe(isTaken ? given : undefined);
  });
});
