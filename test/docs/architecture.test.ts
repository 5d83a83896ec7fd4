import { readFileSync, readdirSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { markedLines, markedTable } from "./marked.ts";

const document = "docs/architecture.md";

/** The members of a union of strings, read from the source: types are gone when the code runs. */
const unionIn = (source: string, name: string): string[] => {
  const body = new RegExp(`export type ${name} =([^;]+);`).exec(source)?.[1] ?? "";
  return Array.from(body.matchAll(/"([a-z_]+)"/g), ([, member = ""]) => member);
};

const sorted = (texts: readonly string[]): string[] => texts.toSorted();

describe("docs/architecture.md", () => {
  const outcomes = readFileSync("src/core/outcome/outcome.ts", "utf8");

  it.each([
    ["skipped", "SkipReason"],
    ["retry", "RetryReason"],
    ["dead", "DeadReason"],
    ["hold", "HoldReason"],
  ])("has one row for each reason of %s, and none too many", (kind, type) => {
    const rows = markedTable(document, "outcomes").filter(([outcome]) => outcome === kind);
    expect(unionIn(outcomes, type)).not.toEqual([]);
    expect(sorted(rows.map(([, reason = ""]) => reason))).toEqual(
      sorted(unionIn(outcomes, type).map((reason) => `\`${reason}\``)),
    );
  });

  it("says one line about every folder of src, and about none that does not exist", () => {
    const named = markedLines(document, "folders").flatMap((line) => /^- `([^`]+)\/`: \S/.exec(line)?.[1] ?? []);
    const folders = readdirSync("src", { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath }) => parentPath);
    expect(sorted(named)).toEqual(sorted([...new Set(folders)]));
  });
});
