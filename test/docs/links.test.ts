import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { expect, it } from "vitest";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "schemas/README.md",
  "helm/gainstream/README.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const linksIn = (text: string): string[] => Array.from(text.matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, link = ""]) => link);

it.each(documents)("every link in %s leads to a file that exists", (file) => {
  const links = linksIn(readFileSync(file, "utf8")).filter((link) => !link.includes(":"));
  expect(links.filter((link) => !existsSync(join(dirname(file), link)))).toEqual([]);
});

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(" ", "-");

const anchorsOf = (file: string): string[] =>
  Array.from(readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm), ([, heading = ""]) => anchorOf(heading));

it.each(documents)("every anchor that %s links to is a heading", (file) => {
  const links = Array.from(readFileSync(file, "utf8").matchAll(/\]\(([^):]*)#([^)]+)\)/g));
  const wrong = links.filter(([, path = "", anchor = ""]) => {
    const target = path === "" ? file : join(dirname(file), path);
    return target.endsWith(".md") && existsSync(target) && !anchorsOf(target).includes(anchor);
  });
  expect(wrong.map(([link]) => link)).toEqual([]);
});
