import { readFileSync, readdirSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { metricHelp } from "../../src/ops/metric-help.ts";
import { markedLines } from "./marked.ts";

const document = "docs/operations.md";
const text = readFileSync(document, "utf8");

const guides = readdirSync("docs")
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

describe("docs/operations.md", () => {
  it("has a section for each hold", () => {
    const [, union = ""] =
      /export type HoldReason =([^;]+);/.exec(readFileSync("src/core/outcome/outcome.ts", "utf8")) ?? [];
    const holds = Array.from(union.matchAll(/"([a-z_]+)"/g), ([, name = ""]) => name);
    const sections = Array.from(text.matchAll(/^### `(\w+)`$/gm), ([, name = ""]) => name);
    expect(holds).not.toEqual([]);
    expect(sections.toSorted()).toEqual(holds.toSorted());
  });

  it("says what to do for each alert of the chart, and for no other", () => {
    const alerts = readFileSync("helm/gainstream/templates/_alerts.tpl", "utf8").matchAll(/- alert: (\w+)/g);
    const documented = markedLines(document, "alerts").flatMap((line) => /^- `(\w+)`: \S/.exec(line)?.[1] ?? []);
    expect(documented.toSorted()).toEqual(Array.from(alerts, ([, name = ""]) => name).toSorted());
  });

  it("quotes only what the program says", () => {
    const source = readdirSync("src", { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, "utf8"))
      .join("\n");
    const quoted = Array.from(text.matchAll(/`([A-Z][a-z]+:? [^`]+)`/g), ([, quote = ""]) => quote);
    expect(quoted).toContain("Cannot reach Kafka");
    expect(quoted.filter((quote) => !source.includes(quote))).toEqual([]);
  });
});

it.each(guides)("%s names only metrics that exist", (file) => {
  const named = Array.from(readFileSync(file, "utf8").matchAll(/\bgainstream_[a-z_]+[a-z]/g), ([name]) => name);
  expect(named.filter((name) => !(name in metricHelp))).toEqual([]);
});
