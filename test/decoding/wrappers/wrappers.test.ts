import avro, { type Schema } from "avsc";
import { describe, expect, it } from "vitest";

import type { Json } from "../../../src/core/json/json.ts";
import { compileAvroSchema } from "../../../src/decoding/avro/avro.ts";
import { normalOf } from "../normal.ts";

const roundTrip = (schema: unknown, value: unknown): unknown =>
  normalOf(compileAvroSchema(schema)(avro.Type.forSchema(schema as Schema).toBuffer(value)));
/** The decoded value of this type in the traits of an event. */
const traitOf = (type: unknown, x: unknown): unknown => {
  const traits = { type: "record", name: "Traits", fields: [{ name: "x", type }] };
  const schema = { type: "record", name: "Event", fields: [{ name: "traits", type: traits }] };
  const event = roundTrip(schema, { traits: { x } }) as { readonly traits: { readonly x: Json } };
  return event.traits.x;
};

describe("a record with the one field value", () => {
  const holding = (value: unknown, name = "Value") => ({
    type: "record",
    name,
    fields: [{ name: "value", type: value }],
  });
  const inner = { type: "array", items: holding(["long", { type: "map", values: "Value" }], "Inner") };

  it.each<[name: string, schema: unknown, value: unknown, read: unknown]>([
    ["a plain record of a number is data", holding("long", "Money"), { value: 5 }, { value: 5 }],
    [
      "a plain record of a decimal is data",
      holding({ type: "bytes", logicalType: "decimal", precision: 9, scale: 2 }, "Money"),
      { value: Buffer.from([0x0a, 0xbe]) },
      { value: "27.50" },
    ],
    ["a plain record of a text is data", holding("string"), { value: "gold" }, { value: "gold" }],
    ["a union of scalars is data", holding(["null", "string"]), { value: "gold" }, { value: "gold" }],
    ["a null in it is absent", holding(["null", "string"]), { value: null }, {}],
    ["a map is data", holding({ type: "map", values: "long" }), { value: { a: 1 } }, { value: { a: 1 } }],
    ["a record in it is data", holding(holding("long", "Money")), { value: { value: 5 } }, { value: { value: 5 } }],
    [
      "a record that recurs only inside an ordinary record is data",
      holding(["null", { type: "record", name: "Node", fields: [{ name: "next", type: "Value" }] }]),
      { value: { next: { value: null } } },
      { value: { next: {} } },
    ],
    [
      "JSON text stands for any JSON and is unwrapped",
      holding({ type: "string", logicalType: "json" }),
      { value: '{"a":1}' },
      { a: 1 },
    ],
    [
      "a record that recurs in a map stands for any JSON and is unwrapped",
      holding(["long", "string", { type: "array", items: "Value" }, { type: "map", values: "Value" }]),
      { value: { a: { value: [{ value: 1 }, { value: "b" }] } } },
      { a: [1, "b"] },
    ],
    [
      "two records that contain each other stand for any JSON and are unwrapped",
      holding(["string", inner]),
      { value: [{ value: 1 }, { value: { a: { value: "b" } } }] },
      [1, { a: "b" }],
    ],
  ])("%s", (_name, schema, value, read) => {
    expect(traitOf(schema, value)).toStrictEqual(read);
  });

  it("is data inside an event, even if the same record wraps the event", () => {
    const traits = { name: "traits", type: { type: "map", values: "Any" } };
    const schema = holding(["long", { type: "record", name: "Event", fields: [traits] }], "Any");
    const event = { traits: { seats: { value: 3 } } };
    expect(roundTrip(schema, { value: event })).toStrictEqual(event);
  });

  it("is no wrapper around an event if it is empty", () => {
    const schema = holding(["null", { type: "map", values: "string" }]);
    expect(() => roundTrip(schema, { value: null })).toThrow("got null, want an object");
  });
});
