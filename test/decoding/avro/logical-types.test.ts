import { readFileSync } from "node:fs";

import { assert, bigInt, constantFrom, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import type { Json, JsonObject } from "../../../src/core/json/json.ts";
import { compileAvroSchema } from "../../../src/decoding/avro/avro.ts";
import { long } from "../avro-writer.ts";

const recordOf = (type: unknown) => ({ type: "record", name: "Event", fields: [{ name: "x", type }] });
const read = (type: unknown, bytes: Buffer): unknown =>
  (compileAvroSchema(recordOf(type))(bytes) as { readonly x: Json }).x;

const hex = (digits: string): Buffer => Buffer.from(digits, "hex");
const bytes = (digits: string): Buffer => Buffer.concat([long(digits.length / 2), hex(digits)]);
const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

interface JavaRow {
  readonly type: unknown;
  readonly hex: string;
  readonly json: unknown;
}
const javaRows = JSON.parse(readFileSync(new URL("java-logical-types.json", import.meta.url), "utf8")) as JavaRow[];

describe("a value that Apache Avro's Java library wrote", () => {
  it.each(javaRows.map((row) => [JSON.stringify(row.json), JSON.stringify(row.type), row] as const))(
    "is %s as %s",
    (_json, _type, row) => {
      expect(read(row.type, hex(row.hex))).toStrictEqual(row.json);
    },
  );
});

const decimal = (more: object = { precision: 38, scale: 2 }) => ({ type: "bytes", logicalType: "decimal", ...more });
const fixedDecimal = (size: number, more: object) => ({ ...decimal(more), type: "fixed", name: "Amount", size });
const connectType = (type: string, name: string, more: object = {}) => ({
  type,
  "connect.version": 1,
  "connect.name": `org.apache.kafka.connect.data.${name}`,
  ...more,
});
const connectDecimal = (scale: string, more: object = {}) =>
  connectType("bytes", "Decimal", { "connect.parameters": { scale, "connect.decimal.precision": "10" }, ...more });
const debezium = (type: string, name: string) => ({
  type,
  "connect.version": 1,
  "connect.name": `io.debezium.${name}`,
});
const variableScale = {
  type: "record",
  name: "VariableScaleDecimal",
  namespace: "io.debezium.data",
  fields: [
    { name: "scale", type: "int" },
    { name: "value", type: "bytes" },
  ],
};
const bigDecimal = { type: "bytes", logicalType: "big-decimal" };
const innerDecimal = (digits: string, scale: number): Buffer => {
  const inner = all(bytes(digits), long(scale));
  return all(long(inner.length), inner);
};
const base64 = (digits: string): string => hex(digits).toString("base64");

type Row = [name: string, type: unknown, written: Buffer, json: unknown];

describe("a decimal", () => {
  const most = "7f".repeat(128);
  it.each<Row>([
    ["of no bytes is zero", decimal(), bytes(""), "0.00"],
    ["of fewer digits than its scale gets zeros", decimal({ precision: 9, scale: 9 }), bytes("fb"), "-0.000000005"],
    ["with needless bytes in front is the same", decimal(), bytes("ff".repeat(40)), "-0.01"],
    ["of more digits than its precision is kept", decimal({ precision: 2, scale: 2 }), bytes("0abe"), "27.50"],
    ["as Kafka Connect writes it", connectDecimal("2", decimal({ precision: 64, scale: 2 })), bytes("0abe"), "27.50"],
    ["that only Kafka Connect names", connectDecimal("2"), bytes("0abe"), "27.50"],
    [
      "of Oracle, whose scale is too large for Avro",
      connectDecimal("127", decimal({ precision: 64, scale: 127 })),
      bytes("01"),
      `0.${"1".padStart(127, "0")}`,
    ],
    ["with a negative scale gets zeros", connectDecimal("-3"), bytes("fe"), "-2000"],
    ["of zero with a negative scale is zero", connectDecimal("-3"), bytes("00"), "0"],
    ["of 128 bytes is spelled out", decimal({ precision: 400 }), bytes(most), String(BigInt(`0x${most}`))],
    ["of Debezium's with its own scale", variableScale, all(long(2), bytes("fb")), "-0.05"],
    [
      "of Debezium that only Kafka Connect's name marks",
      { ...variableScale, namespace: "mine", name: "V", "connect.name": "io.debezium.data.VariableScaleDecimal" },
      all(long(-2), bytes("05")),
      "500",
    ],
    ["with its scale in the bytes", bigDecimal, innerDecimal("0abe", 2), "27.50"],
  ])("%s", (_name, type, written, json) => {
    expect(read(type, written)).toStrictEqual(json);
  });

  it("is exact for any size and scale, and never has an exponent", () => {
    const twosComplement = (value: bigint, size: number): string =>
      BigInt.asUintN(size * 8, value)
        .toString(16)
        .padStart(size * 2, "0");
    const value = bigInt({ min: -(2n ** 263n), max: 2n ** 263n - 1n });
    assert(
      property(value, integer({ min: 0, max: 255 }), integer({ min: 0, max: 40 }), (wide, shift, scale) => {
        const unscaled = wide >> BigInt(shift);
        const text = read(decimal({ precision: 80, scale }), bytes(twosComplement(unscaled, 33)));
        expect(text).toMatch(scale === 0 ? /^-?\d+$/ : new RegExp(String.raw`^-?\d+\.\d{${scale}}$`));
        expect(BigInt(String(text).replace(".", ""))).toBe(unscaled);
        expect(text).not.toMatch(/^-?0\d/);
      }),
    );
  });
});

describe("an invalid logical type is decoded as its underlying type", () => {
  const half = (more: object): Row => [JSON.stringify(more), decimal(more), bytes("0abe"), "Cr4="];
  it.each<Row>([
    half({}),
    half({ scale: 2 }),
    half({ precision: 0 }),
    half({ precision: -1, scale: 0 }),
    half({ precision: 2.5 }),
    half({ precision: "38", scale: 2 }),
    half({ precision: 38, scale: -2 }),
    half({ precision: 38, scale: "2" }),
    half({ precision: 38, scale: 39 }),
    half({ precision: null, scale: null }),
    half({ precision: 500, scale: 129 }),
    ["a decimal with more digits than its bytes hold", fixedDecimal(2, { precision: 5 }), hex("0abe"), "Cr4="],
    ["Kafka Connect's decimal without a scale", connectType("bytes", "Decimal"), bytes("0abe"), "Cr4="],
    ["Kafka Connect's decimal with a scale that is none", connectDecimal("two"), bytes("0abe"), "Cr4="],
    ["a decimal of text", { ...decimal(), type: "string" }, bytes(Buffer.from("1.5").toString("hex")), "1.5"],
    ["a decimal of 129 bytes", decimal(), bytes("7f".repeat(129)), base64("7f".repeat(129))],
    ["a decimal whose scale does not fit in the bytes", bigDecimal, bytes("0abe"), "Cr4="],
    ["a decimal with bytes after its scale", bigDecimal, bytes("020a0400"), base64("020a0400")],
    ["a decimal of no bytes and no scale", bigDecimal, bytes(""), ""],
    ["a decimal with a scale of its own beyond 128", bigDecimal, innerDecimal("05", 129), base64("02058202")],
    [
      "Debezium's decimal with a scale beyond 128",
      variableScale,
      all(long(-129), bytes("05")),
      { scale: -129, value: "BQ==" },
    ],
    [
      "a record with the name of Debezium's decimal",
      { ...variableScale, fields: variableScale.fields.toReversed() },
      all(bytes("05"), long(2)),
      { value: "BQ==", scale: 2 },
    ],
    ["a date of 64 bits", { type: "long", logicalType: "date" }, long(20_509), 20_509],
    ["a timestamp of 32 bits", { type: "int", logicalType: "timestamp-millis" }, long(20_509), 20_509],
    ["a uuid of 4 bytes", { type: "fixed", name: "Id", size: 4, logicalType: "uuid" }, hex("0abe0abe"), "Cr4Kvg=="],
    ["a logical type that nobody knows", { type: "long", logicalType: "furlongs" }, long(8), 8],
    ["a name of Kafka Connect's that nobody knows", connectType("int", "Year"), long(2_026), 2_026],
  ])("%s", (_name, type, written, json) => {
    expect(read(type, written)).toStrictEqual(json);
  });

  it("a logical type beside a field's type, which Avro ignores", () => {
    const schema = { type: "record", name: "Event", fields: [{ name: "x", ...decimal() }] };
    expect(compileAvroSchema(schema)(bytes("0abe"))).toStrictEqual({ x: "Cr4=" });
  });
});

const date = { type: "int", logicalType: "date" };
const timeMillis = { type: "int", logicalType: "time-millis" };
const timeMicros = { type: "long", logicalType: "time-micros" };
const micros = { type: "long", logicalType: "timestamp-micros" };
const day = 86_400_000;

describe("a date or a time", () => {
  it.each<Row>([
    ["a date of Kafka Connect's", connectType("int", "Date"), long(20_509), "2026-02-25"],
    ["a date of Debezium's", debezium("int", "time.Date"), long(-1), "1969-12-31"],
    ["a date beyond the year 9999", date, long(2_932_897), "+010000-01-01"],
    ["a date before the year 0", date, long(-719_529), "-000001-12-31"],
    ["the last date", date, long(1e8), "+275760-09-13"],
    ["a date that no Date holds", date, long(1e8 + 1), 1e8 + 1],
    ["the last number of days", date, long(2 ** 31 - 1), 2 ** 31 - 1],
    ["a time of Kafka Connect's", connectType("int", "Time"), long(22_400_123), "06:13:20.123"],
    ["a time of Debezium's", debezium("int", "time.Time"), long(22_400_123), "06:13:20.123"],
    ["a time in microseconds", debezium("long", "time.MicroTime"), long(22_400_123_456), "06:13:20.123456"],
    ["a time in nanoseconds", debezium("long", "time.NanoTime"), long(22_400_123_456_789), "06:13:20.123456789"],
    ["whole microseconds in nanoseconds", debezium("long", "time.NanoTime"), long(1_000), "00:00:00.000001"],
    ["a time that no day has", timeMillis, long(day), day],
    ["a time before midnight", timeMillis, long(-1), -1],
    ["microseconds that no day has", timeMicros, long(day * 1_000), day * 1_000],
    ["microseconds before midnight", timeMicros, long(-1), -1],
    ["nanoseconds beyond 2^53", debezium("long", "time.NanoTime"), long(2n ** 62n), String(2n ** 62n)],
    [
      "a timestamp of Kafka Connect's",
      connectType("long", "Timestamp"),
      long(1_772_000_000_123),
      "2026-02-25T06:13:20.123Z",
    ],
    [
      "a timestamp of Debezium's in nanoseconds",
      debezium("long", "time.NanoTimestamp"),
      long(1_772_000_000_123_456_789n),
      "2026-02-25T06:13:20.123456789Z",
    ],
    [
      "a timestamp of Debezium's as text",
      debezium("string", "time.ZonedTimestamp"),
      bytes(Buffer.from("2026-02-25T06:13:20+02:00").toString("hex")),
      "2026-02-25T06:13:20+02:00",
    ],
    ["microseconds that no Date holds", micros, long(2n ** 63n - 1n), String(2n ** 63n - 1n)],
    [
      "an invalid Avro name beside a valid one of Kafka Connect",
      { ...connectType("int", "Date"), logicalType: "day" },
      long(0),
      "1970-01-01",
    ],
  ])("%s", (_name, type, written, json) => {
    expect(read(type, written)).toStrictEqual(json);
  });

  it("in nanoseconds is exact", () => {
    const nanos = { type: "long", logicalType: "timestamp-nanos" };
    assert(
      property(bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const ofSecond = BigInt.asUintN(64, ((value % 10n ** 9n) + 10n ** 9n) % 10n ** 9n);
        const seconds = Number((value - ofSecond) / 10n ** 9n);
        const fraction = String(ofSecond).padStart(9, "0");
        const iso = `${new Date(seconds * 1_000).toISOString().slice(0, 20)}${fraction.replace(/(000){1,2}$/, "")}Z`;
        expect(read(nanos, long(value))).toBe(iso);
      }),
    );
  });

  it("is decoded for any number", () => {
    const types = [date, timeMillis, timeMicros, micros, debezium("long", "time.NanoTime")];
    assert(
      property(constantFrom(...types), bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (type, value) => {
        expect(["string", "number"]).toContain(typeof read(type, long(value)));
      }),
    );
  });

  it.each([
    ["in UTC", { type: "long", logicalType: "timestamp-micros" }],
    ["without a zone", { type: "long", logicalType: "local-timestamp-micros" }],
  ])("%s is parsed as a time of the envelope, in UTC", (_name, type) => {
    const schema = { type: "record", name: "Event", fields: [{ name: "timestamp", type }] };
    const decoded = compileAvroSchema(schema)(long(1_772_000_000_123_456)) as JsonObject;
    const { event } = normaliseEvent(decoded, { recordTime: -1, wallNow: () => 0 });
    expect(event["timestamp"]).toBe("2026-02-25T06:13:20.123Z");
  });
});

describe("a reference to a named type", () => {
  const amount = fixedDecimal(4, { precision: 9, scale: 2 });
  it.each<[name: string, reference: unknown]>([
    ["by its name", "Amount"],
    ["by an object with its name", { type: "Amount" }],
    ["in a union", ["null", "Amount"]],
    ["in an object in an object", { type: { type: "Amount" } }],
  ])("%s is read the same way", (_name, reference) => {
    const fields = [
      { name: "x", type: amount },
      { name: "y", type: reference },
    ];
    const branch = Array.isArray(reference) ? long(1) : hex("");
    const written = all(hex("00000abe"), branch, hex("00000abe"));
    expect(compileAvroSchema({ type: "record", name: "Event", fields })(written)).toStrictEqual({
      x: "27.50",
      y: "27.50",
    });
  });

  it.each<Row>([
    [
      "in a map",
      { type: "map", values: connectDecimal("2") },
      all(long(1), bytes("61"), bytes("05"), long(0)),
      { a: "0.05" },
    ],
    ["in an array", { type: "array", items: variableScale }, all(long(1), long(1), bytes("05"), long(0)), ["0.5"]],
    ["in a union", ["null", connectType("int", "Date")], all(long(1), long(0)), "1970-01-01"],
    ["in an object of its own", { type: decimal() }, bytes("05"), "0.05"],
  ])("%s is read the same way", (_name, type, written, json) => {
    expect(read(type, written)).toStrictEqual(json);
  });
});

it.each<[name: string, type: unknown, written: Buffer, length: number]>([
  ["a decimal of 10 MB", decimal(), all(long(1e7), Buffer.alloc(1e7, 0x7f)), 13_333_336],
  [
    "20,000 decimals of one byte with 128 zeros each",
    { type: "array", items: decimal({ precision: 128, scale: 128 }) },
    all(long(2e4), Buffer.alloc(2e4), long(0)),
    2e4,
  ],
])("decodes %s in linear time", (_name, type, written, length) => {
  const started = performance.now();
  expect(read(type, written)).toHaveLength(length);
  expect(performance.now() - started).toBeLessThan(1_000);
});
