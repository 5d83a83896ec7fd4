import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { assert, bigInt, maxSafeInteger, oneof, property } from "fast-check";
import { describe, expect, it } from "vitest";

import type { Json } from "../../../src/core/json/json.ts";
import { compileAvroSchema } from "../../../src/decoding/avro/avro.ts";
import type { EventOrEvents } from "../../../src/decoding/wrappers/wrappers.ts";
import { normalOf } from "../normal.ts";

const record = (traits: unknown, more: object[] = []) => ({
  type: "record",
  name: "Event",
  fields: [
    { name: "type", type: "string" },
    { name: "userId", type: ["null", "string"], default: null },
    { name: "anonymousId", type: ["null", "string"], default: null },
    { name: "traits", type: traits },
    ...more,
  ],
});

const write = (schema: unknown, value: object): Buffer => avro.Type.forSchema(schema as Schema).toBuffer(value);
const roundTrip = (schema: unknown, value: object): EventOrEvents =>
  normalOf(compileAvroSchema(schema)(write(schema, value)));
const traitOf = (type: unknown, value: unknown): unknown => {
  const schema = record({ type: "record", name: "Traits", fields: [{ name: "x", type }] });
  const { traits } = roundTrip(schema, { type: "identify", userId: null, anonymousId: null, traits: { x: value } }) as {
    traits: { x?: unknown };
  };
  return traits.x;
};

/** Zigzag encoding, seven bits per byte: avsc itself cannot write longs beyond 2^53. */
const varint = (value: bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};

const plan = { name: "Ada", seats: 3, score: 1.5, admin: true, tags: ["a", "b"], address: { city: "Rome" } };
const expected = { type: "identify", userId: "u1", traits: plan };
const event = (traits: unknown) => ({ type: "identify", userId: "u1", anonymousId: null, traits });

const recursiveValue = {
  type: "record",
  name: "Value",
  fields: [
    {
      name: "value",
      type: [
        "null",
        "boolean",
        "long",
        "double",
        "string",
        { type: "array", items: "Value" },
        { type: "map", values: "Value" },
      ],
    },
  ],
};
const wrapRecursive = (value: Json): object => ({ value: value === null ? null : branchOf(value) });
const branchOf = (value: Exclude<Json, null>): object => {
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { boolean: value };
  if (typeof value === "number") return Number.isInteger(value) ? { long: value } : { double: value };
  if (Array.isArray(value)) return { array: value.map((item: Json) => wrapRecursive(item)) };
  return { map: Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wrapRecursive(inner ?? null)])) };
};

const ambiguous = ["null", "boolean", "long", "double", "string"];
const fixedTraits = {
  type: "record",
  name: "Traits",
  fields: [
    { name: "name", type: ["null", "string"] },
    { name: "seats", type: ["null", "long", "double"] },
    { name: "score", type: ["null", "double"] },
    { name: "admin", type: "boolean" },
    { name: "nickname", type: ["null", "string"] },
    { name: "tags", type: { type: "array", items: "string" } },
    {
      name: "address",
      type: ["null", { type: "record", name: "Address", fields: [{ name: "city", type: "string" }] }],
    },
  ],
};
const nested = [...ambiguous, { type: "array", items: "string" }, { type: "map", values: "string" }];
const wrappedPlan = {
  name: { string: "Ada" },
  seats: { long: 3 },
  score: { double: 1.5 },
  admin: { boolean: true },
  tags: { array: ["a", "b"] },
  address: { map: { city: "Rome" } },
};
const fixedPlan = { ...plan, seats: { long: 3 }, nickname: null };

describe("schemas of different producers for the same event", () => {
  const snake = JSON.parse(
    JSON.stringify(record("string")).replace('"userId"', '"user_id"').replace('"anonymousId"', '"anonymous_id"'),
  ) as object;
  const text = JSON.stringify(plan);
  it.each<[name: string, schema: unknown, value: object]>([
    ["a map of unions", record({ type: "map", values: nested }), event(wrappedPlan)],
    ["a nullable map of unions", record(["null", { type: "map", values: nested }]), event(wrappedPlan)],
    ["a fixed record", record(fixedTraits), event(fixedPlan)],
    ["a nullable fixed record", record(["null", fixedTraits]), event(fixedPlan)],
    ["a recursive JSON value", record(recursiveValue), event(wrapRecursive(plan))],
    [
      "a map of recursive JSON values",
      record({ type: "map", values: recursiveValue }),
      event(Object.fromEntries(Object.entries(plan).map(([k, v]) => [k, wrapRecursive(v)]))),
    ],
    ["JSON text", record("string"), event(text)],
    ["nullable JSON text", record(["null", "string"]), event(text)],
    ["JSON text marked as such", record({ type: "string", logicalType: "json" }), event(text)],
    [
      "JSON text as Debezium marks it",
      record({ type: "string", "connect.name": "io.debezium.data.Json" }),
      event(text),
    ],
    ["snake_case names in the envelope", snake, { type: "identify", user_id: "u1", anonymous_id: null, traits: text }],
    [
      "one of several records",
      [{ type: "record", name: "Other", fields: [] }, record("string")],
      { Event: event(text) },
    ],
  ])("%s", (_name, schema, value) => {
    expect(roundTrip(schema, value)).toEqual(expected);
  });

  it("a map of strings keeps every value as a string, also one that looks like JSON", () => {
    const traits = { plan: "pro", note: '{"a":1}', seats: "3" };
    expect(roundTrip(record({ type: "map", values: "string" }), event(traits))).toEqual({ ...expected, traits });
  });

  it("a map of strings at the root keeps every text except those of object fields", () => {
    const texts = { type: "identify", userId: "1", note: '{"a":1}', traits: '{"seats":"3"}', context: "" };
    const { context: _, ...rest } = texts;
    expect(roundTrip({ type: "map", values: "string" }, texts)).toStrictEqual({ ...rest, traits: { seats: "3" } });
  });

  it("a text that is not JSON stays a text, which validateEvent refuses", () => {
    const named = { type: "identify", traits: "Ada" };
    for (const schema of [{ type: "map", values: "string" }, record("string")])
      expect(roundTrip(schema, named)).toEqual(named);
  });

  const texts = record("string", [{ name: "integrations", type: "string" }]);
  const blocked = { ...event(text), integrations: '{"All":false}' };
  const ours = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8")) as object;
  const wrapped = (value: unknown) => ({ type: "record", name: "Wrapper", fields: [{ name: "value", type: value }] });
  it.each<[name: string, schema: unknown, value: object, events: unknown]>([
    [
      "JSON text in a wrapper's list",
      wrapped({ type: "array", items: texts }),
      { value: [blocked] },
      [{ ...expected, integrations: { All: false } }],
    ],
    [
      "JSON text in a list of wrappers",
      { type: "array", items: wrapped(["null", texts]) },
      [{ value: blocked }],
      [{ ...expected, integrations: { All: false } }],
    ],
    [
      "the `extra` of gainstream's own schema in a wrapper",
      wrapped(ours),
      { value: { type: "page", extra: { url: { string: "/" } } } },
      { type: "page", url: "/" },
    ],
  ])("%s", (_name, schema, value, events) => {
    expect(roundTrip(schema, value)).toEqual(events);
  });

  it("a field named extra is ordinary data in other schemas", () => {
    const schema = record("string", [{ name: "extra", type: { type: "map", values: "string" } }]);
    expect(roundTrip(schema, { ...event(text), extra: { a: "b" } })).toEqual({ ...expected, extra: { a: "b" } });
  });
});

describe("null", () => {
  it("is null in a map, absent in a record's field, and stays in its place in an array", () => {
    const schema = record({ type: "map", values: ["null", "string", { type: "array", items: ["null", "string"] }] });
    const value = { type: "identify", userId: null, anonymousId: null, traits: { phone: null, tags: [null, "a"] } };
    expect(roundTrip(schema, value)).toEqual({ type: "identify", traits: { phone: null, tags: [null, "a"] } });
  });

  it("inside a recursive JSON value clears a trait", () => {
    expect(roundTrip(record(recursiveValue), event(wrapRecursive({ phone: null })))).toEqual({
      ...expected,
      traits: { phone: null },
    });
  });

  it.each(["", "  ", "null"])("the text %j in an object field counts as absent", (text) => {
    expect(roundTrip(record("string"), event(text))).toStrictEqual({ type: "identify", userId: "u1" });
  });
});

describe("values", () => {
  it.each<[name: string, type: unknown, value: unknown, json: unknown]>([
    [
      "a timestamp in milliseconds",
      { type: "long", logicalType: "timestamp-millis" },
      1_772_000_000_123,
      "2026-02-25T06:13:20.123Z",
    ],
    [
      "a timestamp in microseconds",
      { type: "long", logicalType: "timestamp-micros" },
      1_772_000_000_123_000,
      "2026-02-25T06:13:20.123Z",
    ],
    [
      "a timestamp between milliseconds",
      { type: "long", logicalType: "timestamp-micros" },
      1_772_000_000_123_456,
      "2026-02-25T06:13:20.123456Z",
    ],
    ["a timestamp before 1970", { type: "long", logicalType: "timestamp-micros" }, -1, "1969-12-31T23:59:59.999999Z"],
    ["a timestamp no Date can hold", { type: "long", logicalType: "timestamp-millis" }, 9e15, 9e15],
    ["bytes", "bytes", Buffer.from("hi!"), "aGkh"],
    ["fixed", { type: "fixed", name: "F", size: 2 }, Buffer.from("hi"), "aGk="],
    ["an enum", { type: "enum", name: "E", symbols: ["A", "B"] }, "B", "B"],
    ["a double that is not a number", "double", Number.NaN, "NaN"],
    ["an infinite float", "float", -Infinity, "-Infinity"],
    ["an int", "int", -7, -7],
    ["a string beside an enum", ["string", { type: "enum", name: "E", symbols: ["A"] }], { E: "A" }, "A"],
    ["bytes beside a string", ["bytes", "string"], Buffer.from("hi!"), "aGkh"],
    [
      "two records",
      [
        { type: "record", name: "R1", fields: [] },
        { type: "record", name: "R2", fields: [{ name: "a", type: "int" }] },
      ],
      { R2: { a: 1 } },
      { a: 1 },
    ],
  ])("%s", (_name, type, value, json) => {
    expect(traitOf(type, value)).toEqual(json);
  });

  it("keeps every long exact: as a number up to 2^53, as digits beyond", () => {
    const decode = compileAvroSchema({ type: "record", name: "E", fields: [{ name: "n", type: "long" }] });
    assert(
      property(oneof(bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), maxSafeInteger().map(BigInt)), (n) => {
        const exact = n >= -(2n ** 53n - 1n) && n <= 2n ** 53n - 1n ? Number(n) : String(n);
        expect(decode(varint(n))).toEqual({ n: exact });
      }),
    );
  });

  it("decodes a timestamp of the year 1 in microseconds", () => {
    const n = { type: "long", logicalType: "timestamp-micros" };
    const decode = compileAvroSchema({ type: "record", name: "E", fields: [{ name: "n", type: n }] });
    expect(decode(varint(-62_135_596_800_000_000n))).toEqual({ n: "0001-01-01T00:00:00.000Z" });
  });

  it("keeps a map's key __proto__ as data", () => {
    const schema = record({ type: "map", values: "string" });
    const traits: object = JSON.parse('{"__proto__":"mine","a":"b"}');
    const decoded = roundTrip(schema, event(traits));
    expect(JSON.stringify(decoded)).toBe('{"type":"identify","userId":"u1","traits":{"__proto__":"mine","a":"b"}}');
    const inner = Object.values(decoded as object).at(-1) as object;
    expect(Object.getPrototypeOf(inner)).toBe(Object.prototype);
  });

  it("decodes maps and arrays in blocks with sizes", () => {
    const schema = { type: "record", name: "E", fields: [{ name: "a", type: { type: "array", items: "int" } }] };
    const twoBlocks = Buffer.from([0x01, 0x02, 0x02, 0x03, 0x04, 0x04, 0x06, 0x00]);
    expect(compileAvroSchema(schema)(twoBlocks)).toEqual({ a: [1, 2, 3] });
  });

  it("accepts defaults that avsc would refuse", () => {
    const schema = record("string", [{ name: "n", type: "int", default: "none" }]);
    expect(() => compileAvroSchema(schema)).not.toThrow();
  });
});

it("decodes the JSON text of a single large number exactly", () => {
  const type = { type: "string", logicalType: "json" };
  expect(traitOf(type, "9007199254740993")).toBe("9007199254740993");
  expect(traitOf(type, " -1e999")).toBe("-1e999");
});

it("decodes invalid UTF-8 in an Avro string with the replacement character, as avsc does", () => {
  const schema = { type: "record", name: "E", fields: [{ name: "a", type: "string" }] };
  expect(compileAvroSchema(schema)(Buffer.from([4, 0x61, 0xff]))).toEqual({ a: "a\uFFFD" });
});

it.each([
  ["nulls", "null", null],
  ["empty records", { type: "record", name: "Empty", fields: [] }, {}],
])("decodes a list of %s, which take no bytes", (_name, items, item) => {
  const list = [item, item, item, item, item];
  expect(traitOf({ type: "array", items }, list)).toEqual(list);
});

it.each(["", " \n"])("decodes the blank JSON text %j as null", (text) => {
  const type = { type: "string", logicalType: "json" };
  expect(traitOf(type, text)).toBeUndefined();
  expect(traitOf({ type: "array", items: type }, [text, "1"])).toEqual([null, 1]);
});

describe("broken bytes", () => {
  const schema = record({ type: "map", values: nested });
  const decode = compileAvroSchema(schema);
  const good = write(schema, event(wrappedPlan));

  it("are refused if they end too early, at any byte", () => {
    for (let length = 0; length < good.length; length++)
      expect(() => decode(good.subarray(0, length))).toThrow(/^truncated|^Cannot read Avro/);
  });

  it("are refused if more bytes follow", () => {
    expect(() => decode(Buffer.concat([good, Buffer.from([0])]))).toThrow("trailing data");
  });

  const containers = [
    { type: "array", items: "null" },
    { type: "array", items: "string" },
    { type: "array", items: { type: "record", name: "Empty", fields: [] } },
    { type: "map", values: "null" },
  ];
  it.each(containers)("cannot claim more items than there are bytes: %j", (type) => {
    const decodeHuge = compileAvroSchema({ type: "record", name: "E", fields: [{ name: "a", type }] });
    for (const count of [2n ** 24n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)]) {
      const huge = Buffer.concat([varint(count), Buffer.from([0])]);
      expect(() => decodeHuge(huge)).toThrow("bytes cannot hold");
    }
  });

  it.each(["string", "double", { type: "array", items: "null" }])("end a list of %j", (items) => {
    const bytes = Buffer.concat([varint(9_000n), Buffer.alloc(8)]);
    const decodeList = compileAvroSchema({ type: "array", items });
    expect(() => decodeList(bytes)).toThrow("truncated buffer");
  });

  it("cannot claim more nulls than there are bytes, also in many blocks", () => {
    const nulls = { type: "record", name: "E", fields: [{ name: "a", type: { type: "array", items: "null" } }] };
    const blockOf106784 = Buffer.from([0xc0, 0x84, 0x0d]);
    const bytes = Buffer.alloc(300_000, blockOf106784);
    expect(() => compileAvroSchema(nulls)(bytes)).toThrow("bytes cannot hold");
  });

  it("cannot claim endless records if the schema has records of no bytes", () => {
    const levels = Array.from({ length: 40 }, (_, level) => level);
    const bomb = levels.reduce<object>(
      (inner, level) => ({
        type: "record",
        name: `R${level}`,
        fields: [
          { name: "a", type: inner },
          { name: "b", type: level === 0 ? "null" : `R${level - 1}` },
        ],
      }),
      { type: "record", name: "Empty", fields: [] },
    );
    expect(() => compileAvroSchema(bomb)(Buffer.alloc(0))).toThrow("bytes cannot hold");
  });

  it("may nest up to 1,000 and not deeper", () => {
    const deep = (levels: number): Json => (levels === 0 ? "end" : { a: deep(levels - 1) });
    const decodeDeep = compileAvroSchema(recursiveValue);
    const bytes = (levels: number): Buffer => write(recursiveValue, wrapRecursive(deep(levels)));
    expect(decodeDeep(bytes(1_000))).toEqual(deep(1_000));
    expect(() => decodeDeep(bytes(1_001))).toThrow("nesting deeper than 1000");
    expect(decodeDeep(bytes(3))).toEqual(deep(3));
  });

  it("cannot make a schema of wrappers only recurse without end", () => {
    const endless = { type: "record", name: "R", fields: [{ name: "value", type: ["R", "null"] }] };
    expect(() => compileAvroSchema(endless)(Buffer.alloc(1_000_000))).toThrow("nesting deeper");
  });

  it("are refused if they hold no object", () => {
    expect(() => compileAvroSchema("string")(Buffer.from([2, 0x61]))).toThrow(
      "got string, want an object or a list of objects",
    );
  });
});
