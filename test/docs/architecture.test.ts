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

  it("has one line for each folder of src, which names its folders, and none for a folder that does not exist", () => {
    const folders = readdirSync("src", { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
    const rooms = folders.filter(({ parentPath }) => parentPath === "src").map(({ name }) => name);
    const lines = markedLines(document, "folders");
    expect(sorted(lines.flatMap((line) => /^- `src\/([^/`]+)\/`: \S/.exec(line)?.[1] ?? []))).toEqual(sorted(rooms));
    for (const room of rooms) {
      const subfolders = folders.filter(({ parentPath }) => parentPath === `src/${room}`).map(({ name }) => name);
      const line = lines.find((text) => text.startsWith(`- \`src/${room}/`)) ?? "";
      expect(sorted(Array.from(line.matchAll(/`([\w-]+)\/`/g), ([, name = ""]) => name))).toEqual(sorted(subfolders));
    }
  });
});
