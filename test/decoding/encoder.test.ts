import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseJsonText } from "../../src/core/json/json-text.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { createEncoder, toAvroRecord } from "../../src/decoding/encoder.ts";
import { frame } from "../../src/decoding/frame.ts";

const schema = readFileSync("schemas/segment-event.avsc", "utf8");
const encode = createEncoder({ schema, schemaName: "the test" });
const decode = compileAvroSchema(schema);

describe("createEncoder()", () => {
  it.each<[string, JsonObject]>([
    [
      "every kind of value",
      { type: "identify", traits: { a: 1, b: 2.5, c: "x", d: true, e: null, f: [1, "x"], g: { h: {} } } },
    ],
    ["what nests deep", { type: "identify", traits: { a: { b: { c: { d: { e: [{ f: 1 }] } } } } } }],
    ["fields that the schema does not know", { type: "page", url: "/", extra: { n: 1 }, __typename: "Page" }],
    ["a version as text or as a number", { type: "track", version: 2 }],
    [
      "numbers at the edge",
      { type: "track", properties: { a: 2 ** 53 - 1, b: -(2 ** 53), c: 1e300, d: "9007199254740993" } },
    ],
    ["keys of any kind", { type: "track", properties: { "a b": 1, "": 2, ["__proto__"]: 3 } }],
  ])("encodes %s so that decoding returns the same", (_, event) => {
    expect(decode(encode(event))).toEqual(event);
  });

  it("encodes any JSON in traits so that decoding returns the same", () => {
    const traits = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 }));
    fc.assert(
      fc.property(traits, (given) => {
        // As parsed from JSON text: without -0, and with integers beyond 2^53 as digits.
        const event = { type: "identify", traits: parseJsonText(JSON.stringify(given)) };
        expect(JSON.stringify(decode(encode(event)))).toBe(JSON.stringify(event));
      }),
    );
  });

  it.each([
    ["null in a field is absent", { type: "track", userId: null, traits: null }, { type: "track" }],
    ["null in a map stays", { type: "track", properties: { a: null } }, { type: "track", properties: { a: null } }],
  ])("%s", (_, event, expected) => {
    expect(decode(encode(event))).toEqual(expected);
  });
});

describe("toAvroRecord()", () => {
  it.each<[string, JsonObject, string]>([
    ["no type", {}, "`type`, want text"],
    ["a number for an id", { type: "track", userId: 5 }, "`userId`, want text"],
    ["a version that is no whole number", { type: "track", version: 1.5 }, "`version`, want text"],
    ["a list for traits", { type: "track", traits: [] }, "`traits`, want an object"],
    ["text for properties", { type: "track", properties: "secret" }, "`properties`, want an object"],
  ])("refuses %s with an error that does not quote the payload", (_, event, words) => {
    expect(() => toAvroRecord(event)).toThrow(
      new Error(`Cannot write the event as Avro: got another kind of ${words}`),
    );
  });
});

describe("frame()", () => {
  it.each([1, 2 ** 31, 2 ** 32 - 1])("puts schema id %d before the payload", (id) => {
    const framed = frame(id, Buffer.from("x"));
    expect([framed[0], framed.readUInt32BE(1), framed.subarray(5).toString()]).toEqual([0, id, "x"]);
  });
});
