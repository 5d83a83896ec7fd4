import { afterEach, describe, expect, it } from "vitest";

import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";

const field = (type: unknown): object => ({ type: "record", name: "R", fields: [{ name: "a", type }] });

/** Every place in a schema that may have a name or a text. */
const places: Readonly<Record<string, (text: string) => object>> = {
  "a record's name": (name) => ({ type: "record", name, fields: [{ name: "a", type: "string" }] }),
  "a namespace": (namespace) => ({ ...field("string"), namespace }),
  "an error's name": (name) => ({ type: "error", name, fields: [{ name: "stack", type: "string" }] }),
  "a field's name": (name) => ({ type: "record", name: "R", fields: [{ name, type: "string" }] }),
  "a field's aliases": (text) => ({
    ...field("string"),
    fields: [{ name: "a", type: "string", aliases: [text], order: text }],
  }),
  "a default": (text) => ({ ...field("string"), fields: [{ name: "a", type: "string", default: text }] }),
  "a fixed's name": (name) => field({ type: "fixed", name, size: 1 }),
  "an enum's name": (name) => field({ type: "enum", name, symbols: ["A"] }),
  "an enum's symbol": (symbol) => field({ type: "enum", name: "E", symbols: ["A", symbol] }),
  "names in a union": (name) => field(["null", "string", { type: "record", name, fields: [] }]),
  "names in a map": (name) => field({ type: "map", values: { type: "record", name, fields: [] } }),
  "a logical type": (logicalType) => field({ type: "string", logicalType }),
  "a decimal's scale": (scale) => field({ type: "bytes", logicalType: "decimal", precision: 9, scale }),
  "a decimal's precision": (precision) =>
    field({ type: "fixed", name: "F", size: 2, logicalType: "decimal", precision }),
  "Kafka Connect's name": (name) => field({ type: "bytes", "connect.name": name }),
  "Kafka Connect's parameters": (scale) =>
    field({
      type: "bytes",
      "connect.name": "org.apache.kafka.connect.data.Decimal",
      "connect.parameters": { scale },
    }),
  "a reference": (name) => field({ type: name }),
};

const mark = "globalThis.schemaHasRun=true";
const codes = [
  `a[(${mark})]`,
  `x;${mark};//`,
  `x=1};${mark};//`,
  `x(){}};${mark};return function y`,
  `x\n;${mark};`,
  `a.b'];${mark};//`,
  `a.b'];};${mark};x={a:['`,
];

const compileAndRead = (schema: object): void => {
  try {
    compileAvroSchema(schema)(Buffer.from([2, 97]));
  } catch (error) {
    // The schema may be refused, or the bytes may be decoded wrongly; both are fine.
    expect(error).toBeInstanceOf(Error);
  }
};

/** avsc generates code from a schema, and schemas come from a registry that others write to. */
describe("no text of a schema becomes code", () => {
  afterEach(() => Reflect.deleteProperty(globalThis, "schemaHasRun"));

  it.each(Object.entries(places))("as %s", (_name, schemaWith) => {
    for (const code of codes) compileAndRead(schemaWith(code));
    expect(globalThis).not.toHaveProperty("schemaHasRun");
  });
});
