import avro from "avsc";
import { assert, property, string, uniqueArray } from "fast-check";
import { expect, it } from "vitest";

import type { JsonObject } from "../../../src/core/json/json.ts";
import { compileAvroSchema } from "../../../src/decoding/avro/avro.ts";

const schema = {
  type: "record",
  name: "Any",
  fields: [{ name: "traits", type: { type: "map", values: "int" } }],
} as const;
const type = avro.Type.forSchema(schema as unknown as avro.Schema);
const decode = compileAvroSchema(schema);

const keysOf = (payload: Buffer): string[] => Object.keys((decode(payload) as JsonObject)["traits"] as object);

it("reads every key correctly, seen before or not", () => {
  const key = string({ unit: "grapheme", maxLength: 40 }).filter((name) => name !== "__proto__");
  assert(
    property(uniqueArray(key, { maxLength: 60 }), (keys) => {
      const payload = type.toBuffer({ traits: Object.fromEntries(keys.map((name) => [name, 1])) });
      const expected = Object.keys(Object.fromEntries(keys.map((name) => [name, 1])));
      expect(keysOf(payload)).toEqual(expected);
      expect(keysOf(payload)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

it("never confuses two keys that share a cache entry", () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `key ${index.toString(36)}`);
  for (let at = 0; at < names.length; at += 1_000) {
    const part = names.slice(at, at + 1_000);
    expect(keysOf(type.toBuffer({ traits: Object.fromEntries(part.map((name) => [name, 1])) }))).toEqual(part);
  }
});

it("does not keep the bytes of the record that a key came from", () => {
  const payload = type.toBuffer({ traits: { plan: 1 } });
  expect(keysOf(payload)).toEqual(["plan"]);
  payload.write("name", payload.indexOf("plan"));
  expect(keysOf(payload)).toEqual(["name"]);
  expect(keysOf(type.toBuffer({ traits: { plan: 1 } }))).toEqual(["plan"]);
});
