import { readFileSync } from "node:fs";

import { expect, it } from "vitest";
import { isMap, parseDocument } from "yaml";
import type { Node, YAMLMap } from "yaml";

const chart = "helm/gainstream";

type Row = readonly [name: string, fallback: unknown, meaning: string];
type Values = YAMLMap<Node, Node | null>;
const isGroup = (value: unknown): value is Values => isMap(value) && value.items.length > 0;

const plain = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** What a comment before a value says, from its `-- ` on, as helm-docs reads it. */
const meaningIn = (comment: string | null | undefined): string =>
  plain(/(?:^|\n) ?-- ([^]*)$/.exec(comment ?? "")?.[1] ?? "");

/** The values as `[name, default, meaning]`. A map that has a meaning of its own is one value. */
const valuesBelow = ({ items, commentBefore }: Values, at: string): Row[] =>
  items.flatMap(({ key, value }, index) => {
    const path = `${at}${String(key)}`;
    const meaning = meaningIn(key.commentBefore ?? (index === 0 ? commentBefore : ""));
    if (meaning === "" && isGroup(value)) return valuesBelow(value, `${path}.`);
    return [[path, value?.toJSON() ?? null, meaning]];
  });

const valuesOfChart = (): Row[] => {
  const { contents } = parseDocument(readFileSync(`${chart}/values.yaml`, "utf8"));
  if (!isGroup(contents)) throw new Error(`Cannot read ${chart}/values.yaml: want a map`);
  return valuesBelow(contents, "");
};

const rowsOfReadme = (): Row[] =>
  Array.from(
    readFileSync(`${chart}/README.md`, "utf8").matchAll(/^\| ([\w.]+) \| \w+ \| `(.*?)` \| (.*?) *\|$/gm),
    ([, name = "", fallback = "", meaning = ""]) => [name, JSON.parse(fallback), plain(meaning)],
  );

it("the chart's README has every value with its default and its meaning, as values.yaml has them", () => {
  const sorted = (rows: readonly Row[]): Row[] => rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
  expect(sorted(rowsOfReadme())).toEqual(sorted(valuesOfChart()));
});

it("values.yaml says what every value of the chart means", () => {
  expect(valuesOfChart().filter(([, , meaning]) => meaning === "")).toEqual([]);
});
