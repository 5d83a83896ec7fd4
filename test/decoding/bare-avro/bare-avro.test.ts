import { assert, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";

import { compileSchemas } from "../../../src/decoding/bare-avro/compile-schemas.ts";
import type { Decoded } from "../../../src/decoding/decoded.ts";
import { createDecoder } from "../../../src/decoding/decoder.ts";
import { type AvroSchema, type Value, writeAvro } from "../avro-writer.ts";

type Fields = Readonly<Record<string, AvroSchema>>;

const record = (name: string, fields: Fields): AvroSchema => ({
  type: "record",
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
});
const text = ["null", "string"] as const;

const item = record("Item", { type: "string", anonymousId: "string", event: text });

/** The schemas of several producers that write bare Avro to one topic. */
const schemas: Readonly<Record<string, AvroSchema>> = {
  "orders.avsc": record("Order", { type: "string", userId: "string", event: "string", total: "double" }),
  "orders-v2.avsc": record("Order", { type: "string", userId: "string", event: "string", total: "double", plan: text }),
  "people.avsc": record("Person", {
    user_id: "string",
    type: { type: "enum", name: "T", symbols: ["identify", "group"] },
  }),
  "lists.avsc": { type: "array", items: item },
};
const order = { type: "track", userId: "u1", event: "Paid", total: 1.5 };

const read = (given: Readonly<Record<string, AvroSchema>>, value: Buffer): Decoded => {
  const files = Object.entries(given).map(([name, schema]) => ({ name, path: name, schema }));
  return createDecoder({ format: "avro", bareSchemas: compileSchemas(files) }).decode(value);
};
const undecodable = (error: string) => ({ kind: "undecodable", error: expect.stringContaining(error) as string });

describe("several schemas of bare Avro", () => {
  it.each<[file: string, event: Value, decoded: object]>([
    ["orders.avsc", order, { kind: "event", event: order }],
    ["orders-v2.avsc", { ...order, plan: "pro" }, { kind: "event", event: { ...order, plan: "pro" } }],
    ["orders-v2.avsc", order, { kind: "event", event: order }],
    ["people.avsc", { user_id: "u2", type: "group" }, { kind: "event", event: { user_id: "u2", type: "group" } }],
    [
      "lists.avsc",
      [{ type: "track", anonymousId: "a", event: "Paid" }],
      { kind: "events", events: [{ type: "track", anonymousId: "a", event: "Paid" }] },
    ],
    ["lists.avsc", [], { kind: "events", events: [] }],
  ])("only %s decodes its record", (file, event, decoded) => {
    const value = writeAvro(schemas[file] ?? "null", event);
    expect(read(schemas, value)).toEqual(decoded);
    const turned = Object.fromEntries(Object.entries(schemas).toReversed());
    expect(read(turned, value)).toEqual(decoded);
  });

  it.each([
    [
      "two copies of one schema",
      { "a.avsc": schemas["orders.avsc"] ?? "null", "b.avsc": schemas["orders.avsc"] ?? "null" },
    ],
    [
      "schemas with different names for the envelope's fields",
      {
        "a.avsc": record("A", { type: "string", userId: "string", event: "string", total: "double" }),
        "b.avsc": record("B", { type: "string", user_id: "string", event: "string", total: "double" }),
      },
    ],
  ])("%s that read the same event: the record is that event", (_, given) => {
    expect(read(given, writeAvro(schemas["orders.avsc"] ?? "null", order))).toEqual({ kind: "event", event: order });
  });

  it("bytes that two schemas read as different events are undecodable, with both names", () => {
    const given = {
      "a.avsc": record("A", { type: "string", userId: "string", event: "string" }),
      "b.avsc": record("B", { type: "string", event: "string", userId: "string" }),
      "c.avsc": record("C", { type: "long" }),
    };
    const value = writeAvro(given["a.avsc"], { type: "track", userId: "secret", event: "Paid" });
    const decoded = read(given, value);
    expect(decoded).toEqual(undecodable("a.avsc and b.avsc read its bytes as different events"));
    expect(JSON.stringify(decoded)).not.toContain("secret");
  });

  it("a type of Segment's specification counts more than another word", () => {
    const given = {
      "a.avsc": record("A", { userId: "string", type: "string" }),
      "b.avsc": record("B", { type: "string", userId: "string" }),
    };
    const value = writeAvro(given["b.avsc"], { type: "page", userId: "anna" });
    expect(read(given, value)).toEqual({ kind: "event", event: { type: "page", userId: "anna" } });
  });

  it.each<[what: string, given: Readonly<Record<string, AvroSchema>>, value: Buffer]>([
    ["two bytes that are a text", { "a.avsc": "string", "b.avsc": "int" }, Buffer.from([2, 0x61])],
    [
      "a record without a type",
      { "a.avsc": record("A", { userId: "string" }), "b.avsc": "int" },
      Buffer.from([2, 0x61]),
    ],
    [
      "a type that is no word",
      { "a.avsc": record("A", { type: "string" }), "b.avsc": "int" },
      Buffer.from([4, 0x37, 0x37]),
    ],
    [
      "bytes that continue after the event",
      schemas,
      Buffer.concat([writeAvro(schemas["orders.avsc"] ?? "null", order), Buffer.from([9, 9])]),
    ],
    [
      "an empty wrapper",
      {
        "a.avsc": record("A", { writeKey: "string", userId: "string", batch: { type: "array", items: "int" } }),
        "b.avsc": "int",
      },
      writeAvro(item, { type: "track", anonymousId: "a1", event: null }),
    ],
    ["a truncated event", schemas, writeAvro(schemas["orders.avsc"] ?? "null", order).subarray(0, -1)],
  ])("%s: undecodable, with the names of all schemas", (_, given, value) => {
    const names = Object.keys(given).join(", ");
    expect(read(given, value)).toEqual(
      undecodable(`got ${value.length} bytes that none of these schemas reads as an event: ${names}`),
    );
  });

  it("names only ten schemas", () => {
    const given = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`s${n}.avsc`, "int"]));
    expect(read(given, Buffer.from("x"))).toEqual(undecodable("s8.avsc, s9.avsc and 2 more"));
  });

  it("an item of a list that does not look like an event is kept for validation", () => {
    const given = { "a.avsc": { type: "array", items: record("A", { type: text }) }, "b.avsc": "int" } as const;
    const value = writeAvro(given["a.avsc"], [{ type: "track" }, { type: null }]);
    expect(read(given, value)).toEqual({ kind: "events", events: [{ type: "track" }, {}] });
  });

  it("never throws, whatever the bytes, and errors never quote them", () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = read(schemas, Buffer.from(bytes));
        expect(decoded.kind === "undecodable" ? decoded.error : "Cannot be: nothing was wrong").toMatch(
          /^Cannot [\w\s:.,-]*$/,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("restores stack traces", () => {
    const before = Error.stackTraceLimit;
    read(schemas, Buffer.from("x"));
    expect(Error.stackTraceLimit).toBe(before);
  });
});
