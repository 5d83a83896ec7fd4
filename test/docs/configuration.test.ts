import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { describeVariables } from "../../src/config/env/variables.ts";
import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { parseSettings } from "../../src/config/settings/settings.ts";
import { markedEntries, markedHeadings } from "./marked.ts";
import { referenceParts } from "./reference.ts";

const document = "docs/configuration.md";
const between = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\n\n)[^]*?(?=\n\n<!-- /${name} -->)`);

it.each(Object.entries(referenceParts()))("%s has its generated parts; -u writes them again", async (file, parts) => {
  let text = readFileSync(file, "utf8");
  for (const [name, part] of Object.entries(parts)) {
    expect(text).toMatch(between(name));
    text = text.replace(between(name), () => part);
  }
  await expect(text).toMatchFileSnapshot(`../../${file}`);
});

describe("docs/configuration.md", () => {
  it("lists every variable with the default and the description that the program knows", () => {
    const presences: Readonly<Record<string, string>> = { none: "", required: " (required)" };
    const known = describeVariables().map(({ name, default: fallback, isLiteral, description }) => {
      const presence = isLiteral ? ` (default ${fallback})` : (presences[fallback] ?? ` (default: ${fallback})`);
      return `${name}${presence}: ${description}`.replaceAll("`", "");
    });
    const listed = markedEntries(document, "variables").map((entry) => entry.replace(/, \S+ to [^)]+\)/, ")"));
    expect(listed.map((entry, index) => entry.slice(0, known[index]?.length ?? 0))).toEqual(known);
  });

  it("lists every setting there is", () => {
    const { properties } = settingsJsonSchema() as { properties: object };
    expect(markedHeadings(document, "settings")).toEqual(Object.keys(properties).map((name) => `\`${name}\``));
  });

  it("shows settings that the program accepts", () => {
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(readFileSync(document, "utf8")) ?? [];
    const { filters, pii } = parseSettings(example);
    expect([filters.length, pii.hash]).toEqual([3, ["traits.email", "properties.contacts.*.email"]]);
  });
});
