import { describe, expect, it } from "vitest";

import { createHandler } from "../../src/core/decide.ts";
import { retryHeaders } from "../../src/core/outcome/headers.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { compileAvro } from "../../src/decoding/avro/avro.ts";
import { createDecoder } from "../../src/decoding/decoder.ts";
import { createReader } from "../../src/intake/record-reader.ts";
import { noRules } from "../core/no-rules.ts";
import { messageOf } from "../intake/batches.ts";
import { type AvroSchema, type Value, writeAvro } from "./avro-writer.ts";

// From the bytes of a record to the body of the call: nothing on the way rounds an id or moves a time.
const now = Date.UTC(2026, 5, 1);
const recordTime = Date.UTC(2026, 4, 1);
const handle = createHandler(noRules);
const source = { topic: "source", partition: 0, tier: undefined };

type Message = Partial<Parameters<typeof messageOf>[1]>;

const readWith = (decoder: ReturnType<typeof createDecoder>, message: Message, tier?: number): Arrival => {
  const read = createReader({ decoder, handle, now: () => now });
  const reading = read({ ...messageOf(1, message), timestamp: String(recordTime), ...message }, { ...source, tier });
  const [arrival] = reading.kind === "arrivals" ? reading.arrivals : [];
  if (!arrival) throw new Error("Nothing became of it");
  return arrival;
};
const bodyOf = ({ meaning }: Arrival): unknown => {
  if (meaning.kind !== "call") throw new Error(`Want a call, got ${JSON.stringify(meaning)}`);
  return JSON.parse(Buffer.from(meaning.body).toString());
};
const json = createDecoder({ format: "json" });
const fromJson = (text: string): Arrival => readWith(json, { value: Buffer.from(text) });

const eventSchema = (fields: Readonly<Record<string, AvroSchema>>): AvroSchema => ({
  type: "record",
  name: "Event",
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
});
const fromAvro = (fields: Readonly<Record<string, AvroSchema>>, event: Value): Arrival => {
  const schema = eventSchema(fields);
  const decoder = createDecoder({ format: "avro", bare: [{ name: "file", decode: compileAvro(schema) }] });
  return readWith(decoder, { value: writeAvro(schema, event) });
};

const timestamp = "2026-02-25T06:13:20.123Z";
const kind: AvroSchema = { type: "enum", name: "Kind", symbols: ["IDENTIFY", "TRACK", "PAGE", "BATCH"] };
const strings = { type: "string", timestamp: "string" };

describe("an id that is a number", () => {
  it.each(["97980", "9007199254740993", "-9223372036854775808", "123456789012345678901"])(
    "%s in JSON is sent exactly",
    (id) => {
      const arrival = fromJson(`{"type":"identify","userId":${id},"messageId":${id},"timestamp":"${timestamp}"}`);
      expect(arrival).toMatchObject({ user: id, messageId: id });
      expect(bodyOf(arrival)).toMatchObject({ userId: id, messageId: id });
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
    const arrival = fromAvro({ ...strings, user_id: type }, { type: "identify", timestamp, user_id: given });
    expect(arrival.user).toBe(String(id));
    expect(bodyOf(arrival)).toMatchObject({ userId: String(id) });
  });

  it("is named as a repair", () => {
    expect(fromJson(`{"type":"Identify","userId":7,"timestamp":"${timestamp}"}`).repairs).toEqual([
      "type_case",
      "id_number",
    ]);
  });
});

describe("the type as an enum of Avro", () => {
  const fields = { type: kind, userId: "string", timestamp: "string" };
  it.each([
    ["IDENTIFY", "identify", { kind: "call", call: "identify" }],
    ["PAGE", "other", { kind: "skipped", reason: "unsupported_event_type" }],
    ["BATCH", "unknown", { kind: "dead", reason: "invalid_event", error: expect.stringMatching(/^type_unknown: /) }],
  ])("%s is %s", (type, name, meaning) => {
    expect(fromAvro(fields, { type, userId: "u", timestamp })).toMatchObject({ type: name, meaning });
  });
});

describe("parts in Avro", () => {
  it("are parsed from JSON text, a list of PHP too", () => {
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
    const arrival = fromAvro(fields, event);
    expect(bodyOf(arrival)).toMatchObject({ traits: {}, context: { ip: "::1" }, integrations: { All: true } });
    expect(arrival.repairs).toEqual(["json_text", "empty_list"]);
  });
});

describe("a time that is a number", () => {
  it.each<[string, AvroSchema, bigint]>([
    ["seconds", "long", 1_772_000_000n],
    ["milliseconds", "long", 1_772_000_000_123n],
    ["microseconds", "long", 1_772_000_000_123_456n],
    ["nanoseconds, beyond 2^53", ["null", "long"], 1_772_000_000_123_456_789n],
  ])("of %s in a plain Avro %j is understood", (_, type, value) => {
    const arrival = fromAvro(
      { type: "string", userId: "string", timestamp: type },
      { type: "identify", userId: "u", timestamp: value },
    );
    const millis = value === 1_772_000_000n ? "000" : "123";
    expect(bodyOf(arrival)).toMatchObject({ timestamp: `2026-02-25T06:13:20.${millis}Z` });
    expect(arrival.repairs).toEqual(["time_format"]);
  });

  it("of nanoseconds in JSON is understood", () => {
    const arrival = fromJson('{"type":"identify","userId":"u","timestamp":1772000000123456789}');
    expect(bodyOf(arrival)).toMatchObject({ timestamp });
  });

  it("of a timestamp in microseconds needs no repair", () => {
    const micros = { type: "long", logicalType: "timestamp-micros" };
    const arrival = fromAvro(
      { type: "string", userId: "string", timestamp: micros },
      { type: "identify", userId: "u", timestamp },
    );
    expect(bodyOf(arrival)).toMatchObject({ timestamp });
    expect(arrival.repairs).toEqual([]);
  });
});

describe("a timestamp that is missing", () => {
  const value = Buffer.from('{"type":"identify","userId":"u"}');
  const event = (fields: object) => Buffer.from(JSON.stringify({ type: "identify", userId: "u", ...fields }));
  const timeOf = (arrival: Arrival): unknown => (bodyOf(arrival) as { timestamp: unknown }).timestamp;
  const iso = (time: number): string => new Date(time).toISOString();
  const originalTimestamp = "2025-01-01T00:00:00.000Z";

  /** The same record as it comes back from a retry topic. */
  const again = (first: Arrival, firstFailedAt: number): Arrival => {
    const { origin } = first.past;
    const headers = retryHeaders({}, { origin, reason: "timeout", error: "e", attempts: 1, firstFailedAt });
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
    for (const arrival of [first, second, again(second, now + 1)]) {
      expect(timeOf(arrival)).toBe(want);
      expect(arrival.repairs).toEqual([repair]);
    }
  });

  it("is never that of a record without time: by our own clock, from the first failure on the same", () => {
    const first = readWith(json, { value, timestamp: "-1" });
    expect([timeOf(first), timeOf(again(first, now + 1))]).toEqual([iso(now), iso(now + 1)]);
    expect(first.repairs).toEqual(["timestamp_from_clock"]);
  });

  it("leaves what is known of the record as it is", () => {
    expect(readWith(json, { value, timestamp: "-1" }).past.origin.timestamp).toBe(-1);
  });
});
