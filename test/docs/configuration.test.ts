import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { markedTable } from "./marked.ts";
import { referenceTables } from "./reference.ts";

const between = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\n\n)[^]*?(?=\n\n<!-- /${name} -->)`);

it.each(Object.entries(referenceTables()))(
  "%s has every row of its generated tables; -u writes them again",
  async (document, tables) => {
    let text = readFileSync(document, "utf8");
    for (const [name, rows] of Object.entries(tables)) {
      expect(text).toMatch(between(name));
      text = text.replace(between(name), () => rows);
    }
    await expect(text).toMatchFileSnapshot(`../../${document}`);
  },
);

it("docs/configuration.md describes every value of the chart", () => {
  expect(markedTable("docs/configuration.md", "chart").filter(([, , description]) => description === "")).toEqual([]);
});
