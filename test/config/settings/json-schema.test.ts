import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { settingsJsonSchema } from "../../../src/config/settings/json-schema.ts";
import { parseSettings } from "../../../src/config/settings/settings.ts";

const published: unknown = JSON.parse(readFileSync("schemas/settings.schema.json", "utf8"));
const makeAnew = "npm start -s -- settings schema > schemas/settings.schema.json && npx oxfmt schemas";

test("the published JSON Schema is that of the settings", () => {
  expect(published, `schemas/settings.schema.json is stale; make it anew: ${makeAnew}`).toEqual(settingsJsonSchema());
});

interface Part {
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

const { properties } = published as { readonly properties: Readonly<Record<string, Part>> };

test("every setting is described, with its default and examples that are taken", () => {
  expect(Object.keys(properties)).toEqual(Object.keys(parseSettings("")));
  for (const [name, part] of Object.entries(properties)) {
    expect(part.description).toMatch(/\w{3}/);
    const written = (value: unknown): string => `${name}: ${JSON.stringify(value)}`;
    expect(parseSettings(written(part.default))).toEqual(parseSettings(""));
    for (const example of part.examples ?? []) expect(() => parseSettings(written(example))).not.toThrow();
  }
});

const partsIn = (node: unknown): readonly Part[] => {
  if (typeof node !== "object" || node === null) return [];
  const isMap = "type" in node && node.type === "object" && "properties" in node;
  const own = isMap ? Object.values(node.properties as Readonly<Record<string, Part>>) : [];
  return [...own, ...Object.values(node).flatMap(partsIn)];
};

test("whatever an editor may offer says what it is, but for an action, which its filter describes", () => {
  const nameless = partsIn(published).filter(({ description }) => description === undefined);
  expect(partsIn(published).length).toBeGreaterThan(30);
  expect(nameless.every((part) => "const" in part)).toBe(true);
});
