import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { markedTable } from "./marked.ts";
import { referenceTables } from "./reference.ts";

const document = "docs/configuration.md";

const between = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\n\n)[^]*?(?=\n\n<!-- /${name} -->)`);

it(`${document} has a row for every variable, setting and value of the chart; -u makes its tables anew`, async () => {
  let text = readFileSync(document, "utf8");
  for (const [name, rows] of Object.entries(referenceTables())) {
    expect(text).toMatch(between(name));
    text = text.replace(between(name), () => rows);
  }
  await expect(text).toMatchFileSnapshot(`../../${document}`);
});

it(`${document} says what every value of the chart means`, () => {
  expect(markedTable(document, "chart").filter(([, , meaning]) => meaning === "")).toEqual([]);
});
