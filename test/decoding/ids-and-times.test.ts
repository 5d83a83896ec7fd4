import { describe, expect, it } from "vitest";

import { createDecide } from "../../src/core/decide.ts";
import { retryHeaders } from "../../src/core/outcome/failure-headers.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { createDecoder } from "../../src/decoding/decoder.ts";
import { createRecordReader } from "../../src/intake/record-reader.ts";
import { noRules } from "../core/no-rules.ts";
import { messageOf } from "../intake/batches.ts";
import { type AvroSchema, type Value, writeAvro } from "./avro-writer.ts";

// From the bytes of a record to the body of the call: no step rounds an id or changes a time.
const now = Date.UTC(2026, 5, 1);
const recordTime = Date.UTC(2026, 4, 1);
const decide = createDecide(noRules);
const sourcePartition = { topic: "source", partition: 0, tier: undefined };

type Message = Partial<Parameters<typeof messageOf>[1]>;

const readWith = (decoder: ReturnType<typeof createDecoder>, message: Message, tier?: number): ParsedRecord => {
  const read = createRecordReader({ decoder, decide, wallNow: () => now });
  const reading = read(
    { ...messageOf(1, message), timestamp: String(recordTime), ...message },
    { ...sourcePartition, tier },
  );
  const [parsed] = reading.kind === "parsed" ? reading.parsedRecords : [];
  if (!parsed) throw new Error("Nothing became of it");
  return parsed;
};
const bodyOf = ({ decision }: ParsedRecord): unknown => {
  if (decision.kind !== "call") throw new Error(`Want a call, got ${JSON.stringify(decision)}`);
  return JSON.parse(Buffer.from(decision.body).toString());
};
const json = createDecoder({ format: "json" });
const fromJson = (text: string): ParsedRecord => readWith(json, { value: Buffer.from(text) });

const eventSchema = (fields: Readonly<Record<string, AvroSchema>>): AvroSchema => ({
  type: "record",
  name: "Event",
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});
const fromAvro = (fields: Readonly<Record<string, AvroSchema>>, event: Value): ParsedRecord => {
  const schema = eventSchema(fields);
  const decoder = createDecoder({ format: "avro", bareSchemas: [{ name: "file", decode: compileAvroSchema(schema) }] });
  return readWith(decoder, { value: writeAvro(schema, event) });
};

const timestamp = "2026-02-25T06:13:20.123Z";
const kind: AvroSchema = { type: "enum", name: "Kind", symbols: ["IDENTIFY", "TRACK", "PAGE", "BATCH"] };
const strings = { type: "string", timestamp: "string" };

describe("an id that is a number", () => {
  it.each(["97980", "9007199254740993", "-9223372036854775808", "123456789012345678901"])(
    "%s in JSON is sent exactly",
    (id) => {
      const parsed = fromJson(`{"type":"identify","userId":${id},"messageId":${id},"timestamp":"${timestamp}"}`);
      expect(parsed).toMatchObject({ user: id, messageId: id });
      expect(bodyOf(parsed)).toMatchObject({ userId: id, messageId: id });
    },
  );

  it.each<[bigint, AvroSchema]>([
    [97_980n, "long"],
    [97_980n, "double"],
    [9_007_199_254_740_993n, ["null", "string", "long"]],
    [-9_223_372_036_854_775_808n, "long"],
    [9_223_372_036_854_775_807n, ["null", "long"]],
  ])("%s in Avro's %j is sent exactly", (id, type) => {
    const given = type === "double" ? Number(id) : id;
    const parsed = fromAvro({ ...strings, user_id: type }, { type: "identify", timestamp, user_id: given });
    expect(parsed.user).toBe(String(id));
    expect(bodyOf(parsed)).toMatchObject({ userId: String(id) });
  });

  it("is counted as a repair", () => {
    expect(fromJson(`{"type":"Identify","userId":7,"timestamp":"${timestamp}"}`).repairs).toEqual([
      "type_case",
      "id_number",
    ]);
  });
});

describe("the type as an enum of Avro", () => {
  const fields = { type: kind, userId: "string", timestamp: "string" };
  it.each([
    ["IDENTIFY", "identify", { kind: "call", type: "identify" }],
    ["PAGE", "other", { kind: "skipped", reason: "unsupported_event_type" }],
    ["BATCH", "unknown", { kind: "dead", reason: "invalid_event", error: expect.stringMatching(/^type_unknown: /) }],
  ])("%s is %s", (type, name, decision) => {
    expect(fromAvro(fields, { type, userId: "u", timestamp })).toMatchObject({ type: name, decision });
  });
});

describe("parts in Avro", () => {
  it("are parsed from JSON text, also an empty list of PHP", () => {
    const fields = {
      ...strings,
      userId: "string",
      traits: "string",
      context: ["null", "string"],
      integrations: "string",
    };
    const event = {
      type: "identify",
      userId: "u",
      timestamp,
      traits: "[]",
      context: '{"ip":"::1"}',
      integrations: '{"All":true}',
    };
    const parsed = fromAvro(fields, event);
    expect(bodyOf(parsed)).toMatchObject({ traits: {}, context: { ip: "::1" }, integrations: { All: true } });
    expect(parsed.repairs).toEqual(["json_text", "empty_list"]);
  });
});

describe("a time that is a number", () => {
  it.each<[string, AvroSchema, bigint]>([
    ["seconds", "long", 1_772_000_000n],
    ["milliseconds", "long", 1_772_000_000_123n],
    ["microseconds", "long", 1_772_000_000_123_456n],
    ["nanoseconds, beyond 2^53", ["null", "long"], 1_772_000_000_123_456_789n],
  ])("of %s in a plain Avro %j is parsed", (_, type, value) => {
    const parsed = fromAvro(
      { type: "string", userId: "string", timestamp: type },
      { type: "identify", userId: "u", timestamp: value },
    );
    const millis = value === 1_772_000_000n ? "000" : "123";
    expect(bodyOf(parsed)).toMatchObject({ timestamp: `2026-02-25T06:13:20.${millis}Z` });
    expect(parsed.repairs).toEqual(["time_format"]);
  });

  it("of nanoseconds in JSON is parsed", () => {
    const parsed = fromJson('{"type":"identify","userId":"u","timestamp":1772000000123456789}');
    expect(bodyOf(parsed)).toMatchObject({ timestamp });
  });

  it("of a timestamp in microseconds needs no repair", () => {
    const micros = { type: "long", logicalType: "timestamp-micros" };
    const parsed = fromAvro(
      { type: "string", userId: "string", timestamp: micros },
      { type: "identify", userId: "u", timestamp },
    );
    expect(bodyOf(parsed)).toMatchObject({ timestamp });
    expect(parsed.repairs).toEqual([]);
  });
});

describe("a timestamp that is missing", () => {
  const value = Buffer.from('{"type":"identify","userId":"u"}');
  const event = (fields: object) => Buffer.from(JSON.stringify({ type: "identify", userId: "u", ...fields }));
  const timeOf = (parsed: ParsedRecord): unknown => (bodyOf(parsed) as { timestamp: unknown }).timestamp;
  const iso = (time: number): string => new Date(time).toISOString();
  const originalTimestamp = "2025-01-01T00:00:00.000Z";

  /** The same record as read from a retry topic. */
  const again = (first: ParsedRecord, firstFailedAt: number): ParsedRecord => {
    const { source } = first.retryState;
    const headers = retryHeaders({}, { source, reason: "timeout", error: "e", attempts: 1, firstFailedAt });
    const text = Object.fromEntries(Object.entries(headers).map(([name, given]) => [name, Buffer.from(String(given))]));
    return readWith(
      json,
      { value: Buffer.from(first.record.value ?? []), headers: text, timestamp: String(now + 99) },
      0,
    );
  };

  it.each([
    ["the record's", {}, recordTime, iso(recordTime), "timestamp_from_record"],
    ["the original one", { originalTimestamp }, -1, originalTimestamp, "timestamp_from_original"],
    [
      "receivedAt, for a record without time",
      { receivedAt: originalTimestamp },
      -1,
      originalTimestamp,
      "timestamp_from_received",
    ],
    [
      "receivedAt, for a record in nanoseconds",
      { receivedAt: originalTimestamp },
      1.7e18,
      originalTimestamp,
      "timestamp_from_received",
    ],
  ])("is %s, at the first attempt and at every retry", (_, fields, time, want, repair) => {
    const first = readWith(json, { value: event(fields), timestamp: String(time) });
    const second = again(first, now + 1);
    for (const parsed of [first, second, again(second, now + 1)]) {
      expect(timeOf(parsed)).toBe(want);
      expect(parsed.repairs).toEqual([repair]);
    }
  });

  it("is the wall clock's for a record without a time, and stays the same from the first failure on", () => {
    const first = readWith(json, { value, timestamp: "-1" });
    expect([timeOf(first), timeOf(again(first, now + 1))]).toEqual([iso(now), iso(now + 1)]);
    expect(first.repairs).toEqual(["timestamp_from_clock"]);
  });

  it("does not change the record's source position", () => {
    expect(readWith(json, { value, timestamp: "-1" }).retryState.source.timestamp).toBe(-1);
  });
});
