import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { heapFlags } from "../../bench/process.ts";
import { describeVariables } from "../../src/config/env/variables.ts";
import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { parseSettings } from "../../src/config/settings/settings.ts";
import { markedTable } from "./marked.ts";

describe("README.md", () => {
  it("lists every variable with the default and the meaning that the program knows", () => {
    const known = describeVariables().map((variable) => [
      `\`${variable.name}\``,
      variable.isLiteral ? `\`${variable.default}\`` : variable.default,
      variable.meaning,
    ]);
    expect(markedTable("README.md", "variables")).toEqual(known);
  });

  it("lists every setting there is", () => {
    const { properties } = settingsJsonSchema() as { properties: object };
    const told = markedTable("README.md", "settings").map(([name]) => name);
    expect(told).toEqual(Object.keys(properties).map((name) => `\`${name}\``));
  });

  it("shows settings that the program takes", () => {
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
    const { filters, pii } = parseSettings(example);
    expect([filters.length, pii.hash]).toEqual([3, ["traits.email", "properties.contacts.*.email"]]);
  });

  it.each(["README.md", "package.json", "src/main.ts"])("is measured with the flags of node that %s names", (file) => {
    expect(readFileSync(file, "utf8")).toContain(`node ${heapFlags.join(" ")} `.trim());
  });
});
