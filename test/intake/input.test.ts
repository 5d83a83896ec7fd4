import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, it } from "vitest";

import { SchemaFileError, createInput } from "../../src/intake/input.ts";

const folder = mkdtempSync(join(tmpdir(), "gainstream-input-"));

afterAll(() => rmSync(folder, { recursive: true }));

const fileWith = (text: string): string => {
  const path = join(folder, "schema.avsc");
  writeFileSync(path, text);
  return path;
};

it.each([
  ["no JSON", "{"],
  ["no Avro schema", `{ "type": "recordd" }`],
])("names the variable and the file where the schema file holds %s", (_, text) => {
  const schemaFile = fileWith(text);
  const create = (): unknown => createInput({ format: "auto", schemaFile });
  expect(create).toThrow(SchemaFileError);
  expect(create).toThrow(`Cannot use AVRO_SCHEMA_FILE: got '${schemaFile}'`);
});

it("does not read the schema file where the format needs none", () => {
  const decoder = createInput({ format: "json", schemaFile: "/nowhere" });
  expect(decoder.decode(Buffer.from(`{"type":"track"}`))).toEqual({ kind: "event", raw: { type: "track" } });
});
