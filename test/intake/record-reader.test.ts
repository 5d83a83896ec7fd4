import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createDecide } from "../../src/core/decide.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import { createDecoder } from "../../src/decoding/decoder.ts";
import { type ReadResult, createRecordReader } from "../../src/intake/record-reader.ts";
import { noRules } from "../core/no-rules.ts";
import { baseTime, messageOf } from "./batches.ts";

const decide = createDecide({ ...noRules, events: ["Opened"], eventMatching: "exact" });
const topicPartition = { topic: "source", partition: 4 };
const readJson = createRecordReader({ decoder: createDecoder({ format: "json" }), decide });
const json = (event: object): Buffer => Buffer.from(JSON.stringify(event));

const onlyOne = (reading: ReadResult): ParsedRecord => {
  const [parsed, ...more] = reading.kind === "parsed" ? reading.parsedRecords : [];
  if (!parsed || more.length > 0) throw new Error("Not one parsed record");
  return parsed;
};

const parse = (event: object, isFromRetryTopic = false, headers = {}) => {
  const tier = isFromRetryTopic ? 0 : undefined;
  const reading = readJson(messageOf(42, { value: json(event), headers }), { ...topicPartition, tier });
  return onlyOne(reading);
};

const readDecoded = (decoded: Decoded) =>
  createRecordReader({ decoder: { decode: () => decoded }, decide })(messageOf(42), {
    ...topicPartition,
    tier: undefined,
  });

describe("record reader", () => {
  it("turns a record into a call of its user, and keeps its bytes", () => {
    const message = messageOf(42, { headers: { trace: Buffer.from("t") } });
    const reading = readJson(message, { ...topicPartition, tier: undefined });
    expect(reading).toMatchObject({
      kind: "parsed",
      parsedRecords: [
        {
          user: "u42",
          type: "track",
          decision: { kind: "call", type: "track" },
          retryState: {
            source: { id: "source-4-42", ...topicPartition, offset: "42", timestamp: baseTime },
            attempts: 0,
            firstFailedAt: undefined,
          },
        },
      ],
    });
    const { record } = onlyOne(reading);
    expect([record.key, record.value, record.headers]).toEqual([message.key, message.value, message.headers]);
    expect(record.timestamp).toBe(baseTime);
  });

  it.each([
    [{ type: "track", event: "Opened", userId: "u", anonymousId: "a" }, "u"],
    [{ type: "track", event: "Opened", anonymousId: "a" }, "a"],
    [{ type: "page", groupId: "g", anonymousId: "" }, "g"],
    [{ type: "track", event: "Opened" }, "source-4-42"],
    [{}, "source-4-42"],
  ])("puts %j into the queue of %s", (event, user) => {
    expect(parse(event).user).toBe(user);
  });

  it.each([
    { type: "track", userId: "u" },
    { type: "group", userId: "u", traits: {} },
    { type: "identify", userId: "u", traits: "no" },
  ])(
    "puts %j, which will never be delivered, into a queue of its assignAndOpen, so that its user never waits for it",
    (event) => {
      expect(parse(event)).toMatchObject({ user: "source-4-42", decision: { kind: "dead" } });
    },
  );

  it.each([
    ["is not on the allow-list", { type: "track", event: "Closed", userId: "u" }, "track", "filtered_by_allow_list"],
    ["Gainsight has no use for", { type: "page", userId: "u" }, "other", "unsupported_event_type"],
    ["breaks a rule", { type: "track", userId: "u" }, "unknown", "invalid_event"],
  ])("decides an event that %s", (_, event, type, reason) => {
    expect(parse(event)).toMatchObject({ type, decision: { reason } });
  });

  it("falls back to the record's time if the event has none", () => {
    const { decision } = parse({ type: "identify", userId: "u" });
    const body: unknown = decision.kind === "call" ? JSON.parse(String(decision.body)) : undefined;
    expect(body).toMatchObject({ timestamp: new Date(baseTime).toISOString() });
  });

  it.each<[Decoded, object]>([
    [{ kind: "tombstone" }, { kind: "skipped", reason: "tombstone" }],
    [
      { kind: "undecodable", error: "Cannot read" },
      { kind: "dead", reason: "undecodable", error: "Cannot read" },
    ],
  ])("gives %j an outcome, in a queue of its own", (decoded, decision) => {
    const parsed = { user: "source-4-42", type: "unknown", decision };
    expect(readDecoded(decoded)).toMatchObject({ kind: "parsed", parsedRecords: [parsed] });
  });

  it("uses the key as the user of a record whose schema may come late, so that later records wait behind it", () => {
    const parseWithKey = (key: Buffer | null): ParsedRecord => {
      const read = createRecordReader({ decoder: { decode: () => ({ kind: "unknown_schema", schemaId: 9 }) }, decide });
      return onlyOne(read({ ...messageOf(42), key }, { ...topicPartition, tier: undefined }));
    };
    expect(parseWithKey(Buffer.from("ä"))).toMatchObject({
      user: "ä",
      decision: { kind: "retry", reason: "unknown_schema" },
    });
    expect([parseWithKey(Buffer.alloc(0)).user, parseWithKey(null).user]).toEqual(["source-4-42", "source-4-42"]);
  });

  describe("of a list", () => {
    const events = ["a", "b"].map((userId) => ({ type: "track", event: "Opened", userId }));
    const index = (text: string) => ({
      "gainstream-topic": "source",
      "gainstream-partition": "4",
      "gainstream-offset": "7",
      "gainstream-timestamp": "2026-01-31T12:00:00.000Z",
      "gainstream-index": text,
    });

    it("makes a parsed record of each event, in order, each with an id and a queue of its own", () => {
      const reading = readJson(messageOf(42, { value: json([...events, { type: "track" }]) }), {
        ...topicPartition,
        tier: undefined,
      });
      expect(reading).toMatchObject({
        parsedRecords: [
          {
            user: "a",
            decision: { kind: "call" },
            retryState: { source: { id: "source-4-42#0", offset: "42", index: 0 } },
          },
          {
            user: "b",
            decision: { kind: "call" },
            retryState: { source: { id: "source-4-42#1", offset: "42", index: 1 } },
          },
          { user: "source-4-42#2", decision: { kind: "dead", reason: "invalid_event" } },
        ],
      });
    });

    it("reads only the event that the headers name from a record of a retry topic", () => {
      const parsed = parse(events, true, index("1"));
      expect(parsed).toMatchObject({ user: "b", retryState: { source: { id: "source-4-7#1", index: 1 } } });
    });

    it.each(["2", "999999999999999"])(
      "dead-letters a record of a retry topic whose headers name event %s of two",
      (text) => {
        expect(parse(events, true, index(text)).decision).toMatchObject({
          kind: "dead",
          reason: "undecodable",
          error: `Cannot find the event in its list: got gainstream-index ${text}, want 0 to 1`,
        });
      },
    );

    it("counts an empty list as a record without a value", () => {
      expect(parse([]).decision).toEqual({ kind: "skipped", reason: "tombstone" });
    });
  });

  it("knows the messageId of an event that has one", () => {
    const idOf = (messageId: unknown) => parse({ type: "identify", userId: "u", messageId }).messageId;
    expect([idOf("m1"), idOf(""), idOf(null)]).toEqual(["m1", undefined, undefined]);
  });

  it("asks for the schema of a record before it reads it", () => {
    expect(readDecoded({ kind: "needs_schema", schemaId: 9 })).toEqual({ kind: "needs_schema", schemaId: 9 });
  });

  describe("of a retry topic", () => {
    const headers = {
      "gainstream-topic": Buffer.from("source"),
      "gainstream-partition": Buffer.from("4"),
      "gainstream-offset": Buffer.from("7"),
      "gainstream-timestamp": Buffer.from("2026-01-31T12:00:00.000Z"),
      "gainstream-attempts": Buffer.from("3"),
      "gainstream-first-failed-at": Buffer.from("2026-01-31T12:00:05.000Z"),
    };
    const event = { type: "track", event: "Opened", userId: "u" };

    it("reads the retry state from the headers, and takes the event's time from its source record", () => {
      const { retryState, decision } = parse(event, true, headers);
      expect(retryState).toMatchObject({
        source: { id: "source-4-7", timestamp: Date.parse("2026-01-31T12:00:00.000Z") },
        attempts: 3,
        firstFailedAt: Date.parse("2026-01-31T12:00:05.000Z"),
      });
      expect(decision.kind === "call" && String(decision.body)).toContain("2026-01-31T12:00:00.000Z");
    });

    it("ignores such headers in a source topic: a producer may have copied them", () => {
      expect(parse(event, false, headers).retryState).toMatchObject({ source: { id: "source-4-42" }, attempts: 0 });
    });

    it("treats a record without them as its own source record", () => {
      expect(parse(event, true).retryState).toMatchObject({ source: { id: "source-4-42" }, attempts: 0 });
    });

    it("never throws, whatever the bytes and headers", () => {
      const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
      const names = fc.constantFrom(...Object.keys(headers), "__proto__", "x");
      const values = fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }), fc.constant(undefined));
      const readAny = createRecordReader({ decoder: createDecoder({ format: "auto" }), decide });
      fc.assert(
        fc.property(fc.option(bytes), fc.dictionary(names, values), fc.boolean(), (value, any, isFromRetryTopic) => {
          const reading = readAny(messageOf(1, { value, headers: any }), {
            ...topicPartition,
            tier: isFromRetryTopic ? 0 : undefined,
          });
          expect(["parsed", "needs_schema"]).toContain(reading.kind);
        }),
      );
    });
  });
});
