import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { describe, expect, it } from "vitest";

import { encodeEvent } from "../../local/events.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { compileAvro } from "../../src/decoding/avro/avro.ts";

interface Field {
  readonly name: string;
  readonly doc?: string;
  readonly type: unknown;
  readonly default?: null;
}

const text = readFileSync("schemas/segment-event.avsc", "utf8");
const schema = JSON.parse(text) as { readonly fields: readonly Field[] };
const type = avro.Type.forSchema(schema as Schema);
const decode = compileAvro(schema);
const roundTrip = (event: JsonObject) => decode(encodeEvent(event, type));

const LEAVES = ["null", "boolean", "long", "double", "string"];
const freeForm = (levels: number): unknown[] =>
  levels === 0
    ? [...LEAVES, "JsonText"]
    : [...LEAVES, { type: "array", items: freeForm(levels - 1) }, { type: "map", values: freeForm(levels - 1) }];

describe("schemas/segment-event.avsc", () => {
  it("explains every field, and gives all but type the default null", () => {
    const bad = schema.fields.filter(({ doc, type: fieldType, default: given }) => {
      const isOptional = given === null && Array.isArray(fieldType) && fieldType[0] === "null";
      return doc === undefined || !isOptional;
    });
    expect(bad).toEqual([expect.objectContaining({ name: "type", type: "string" })]);
  });

  it("spells out three levels of free-form values and leaves the rest to JSON text, without recursion", () => {
    const spelled = ["null", { type: "map", values: freeForm(3) }];
    for (const name of ["context", "integrations", "traits", "properties", "extra"]) {
      const field = schema.fields.find((candidate) => candidate.name === name);
      const named = JSON.stringify(field?.type).replace(/\{"type":"record","name":"JsonText".*?\}\]\}/, '"JsonText"');
      expect([name, JSON.parse(named)]).toEqual([name, spelled]);
    }
  });

  it.each<[name: string, event: JsonObject]>([
    ["null in a map, which clears a trait", { type: "identify", traits: { phone: null } }],
    [
      "longs and doubles",
      { type: "track", properties: { seats: 3, ratio: 0.5, big: 2 ** 53 - 1, low: -(2 ** 53) + 1 } },
    ],
    ["all levels of nesting", { type: "track", properties: { a: { b: { c: { d: { e: [1, null, { f: "g" }] } } } } } }],
    ["empty containers", { type: "group", traits: {}, properties: { a: [], b: {} } }],
    ["keys of any kind", { type: "track", properties: { "Shared With": 1, "": 2, ключ: 3 } }],
    ["a version of either type", { type: "page", version: "2" }],
    ["fields the schema does not know", { type: "track", replay: true, _metadata: { bundled: ["a"] } }],
  ])("carries %s", (_name, event) => {
    expect(roundTrip(event)).toEqual(event);
  });

  it("lets a declared field win over one of the same name in extra", () => {
    const record = { type: "track", userId: "u1", extra: { userId: { string: "other" }, replay: { boolean: true } } };
    expect(decode(type.toBuffer(record))).toEqual({ type: "track", userId: "u1", replay: true });
  });
});
