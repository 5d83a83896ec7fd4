import { expect, it } from "vitest";

import { compileSchemas } from "../../../src/decoding/bare-avro/compile-schemas.ts";
import { mayBeginWithZero } from "../../../src/decoding/bare-avro/first-byte.ts";
import { readSchemaFiles } from "../../../src/decoding/bare-avro/schema-files.ts";
import type { AvroSchema } from "../avro-writer.ts";

const record = (...fields: readonly (readonly [string, AvroSchema])[]): AvroSchema => ({
  type: "record",
  name: `R${fields.map(([name]) => name).join("")}`,
  fields: fields.map(([name, type]) => ({ name, type })),
});

const isDoubtful = (schema: AvroSchema): boolean => {
  const [compiled] = compileSchemas([{ name: "a", path: "a", schema }]);
  return compiled !== undefined && mayBeginWithZero(compiled.type);
};

it.each<[what: string, schema: AvroSchema, isDoubtful: boolean]>([
  ["the text `type`", record(["type", "string"]), false],
  ["the text `type` in a record", record(["head", record(["type", "string"])]), false],
  [
    "the text `type` after a type that takes no bytes",
    record(["none", "null"], ["empty", record()], ["type", "string"]),
    false,
  ],
  ["another text, which may be empty", record(["userId", "string"], ["type", "string"]), true],
  ["an optional text", record(["type", ["null", "string"]]), true],
  ["a union", record(["type", ["string", "null"]]), true],
  ["an enum", record(["type", { type: "enum", name: "T", symbols: ["track"] }]), true],
  ["a whole number", record(["n", "long"]), true],
  ["a time", record(["n", { type: "long", logicalType: "timestamp-millis" }]), true],
  ["a fraction", record(["n", "double"]), true],
  ["a boolean", record(["b", "boolean"]), true],
  ["a map", record(["m", { type: "map", values: "string" }]), true],
  ["a list", { type: "array", items: record(["type", "string"]) }, true],
  ["a union of records", [record(["type", "string"])], true],
  ["nothing at all", record(), false],
])("whether bare Avro may begin with a zero byte: %s", (_, schema, expected) => {
  expect(isDoubtful(schema)).toBe(expected);
});

it("gainstream's own schema never does", () => {
  const [ours] = compileSchemas(readSchemaFiles("schemas/segment-event.avsc"));
  expect(ours && mayBeginWithZero(ours.type)).toBe(false);
});
