import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, it } from "vitest";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "schemas/README.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const linksIn = (text: string): string[] => Array.from(text.matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, link = ""]) => link);

it.each(documents)("every link in %s leads to a file that exists", (file) => {
  const links = linksIn(readFileSync(file, "utf8")).filter((link) => !link.includes(":"));
  expect(links.filter((link) => !existsSync(join(dirname(file), link)))).toEqual([]);
});
