import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createHandler } from "../../src/core/decide.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { type Decoded, createDecoder } from "../../src/decoding/decoder.ts";
import { type Reading, createReader } from "../../src/intake/record-reader.ts";
import { noRules } from "../core/no-rules.ts";
import { baseTime, messageOf } from "./batches.ts";

const handle = createHandler({ ...noRules, events: ["Opened"], eventMatching: "exact" });
const place = { topic: "source", partition: 4 };
const readJson = createReader({ decoder: createDecoder({ format: "json" }), handle });
const json = (event: object): Buffer => Buffer.from(JSON.stringify(event));

const onlyOne = (reading: Reading): Arrival => {
  const [arrival, ...more] = reading.kind === "arrivals" ? reading.arrivals : [];
  if (!arrival || more.length > 0) throw new Error("Not one arrival");
  return arrival;
};

const arrivalOf = (event: object, isTier = false, headers = {}) => {
  const tier = isTier ? 0 : undefined;
  const reading = readJson(messageOf(42, { value: json(event), headers }), { ...place, tier });
  return onlyOne(reading);
};

const readDecoded = (decoded: Decoded) =>
  createReader({ decoder: { decode: () => decoded }, handle })(messageOf(42), { ...place, tier: undefined });

describe("reader", () => {
  it("turns a record into a call of its user, and keeps its bytes", () => {
    const message = messageOf(42, { headers: { trace: Buffer.from("t") } });
    const reading = readJson(message, { ...place, tier: undefined });
    expect(reading).toMatchObject({
      kind: "arrivals",
      arrivals: [
        {
          user: "u42",
          type: "track",
          meaning: { kind: "call", call: "track" },
          past: {
            origin: { id: "source-4-42", ...place, offset: "42", timestamp: baseTime },
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
  ])("puts %j into the lane of %s", (event, user) => {
    expect(arrivalOf(event).user).toBe(user);
  });

  it.each([
    { type: "track", userId: "u" },
    { type: "group", userId: "u", traits: {} },
    { type: "identify", userId: "u", traits: "no" },
  ])("puts %j, which will never be delivered, into a lane of its own, so that its user never waits for it", (event) => {
    expect(arrivalOf(event)).toMatchObject({ user: "source-4-42", meaning: { kind: "dead" } });
  });

  it.each([
    ["is not on the allow-list", { type: "track", event: "Closed", userId: "u" }, "track", "filtered_by_allow_list"],
    ["Gainsight has no use for", { type: "page", userId: "u" }, "other", "unsupported_event_type"],
    ["breaks a rule", { type: "track", userId: "u" }, "unknown", "invalid_event"],
  ])("knows what to do with an event that %s", (_, event, type, reason) => {
    expect(arrivalOf(event)).toMatchObject({ type, meaning: { reason } });
  });

  it("lets the time of the record stand in for an event's own", () => {
    const { meaning } = arrivalOf({ type: "identify", userId: "u" });
    const body: unknown = meaning.kind === "call" ? JSON.parse(String(meaning.body)) : undefined;
    expect(body).toMatchObject({ timestamp: new Date(baseTime).toISOString() });
  });

  it.each<[Decoded, object]>([
    [{ kind: "tombstone" }, { kind: "skipped", reason: "tombstone" }],
    [
      { kind: "undecodable", error: "Cannot read" },
      { kind: "dead", reason: "undecodable", error: "Cannot read" },
    ],
  ])("gives %j an outcome, in a lane of its own", (decoded, meaning) => {
    const arrival = { user: "source-4-42", type: "unknown", meaning };
    expect(readDecoded(decoded)).toMatchObject({ kind: "arrivals", arrivals: [arrival] });
  });

  it("takes the key for the user of a record whose schema may come late, so that what follows waits behind it", () => {
    const arrivalWith = (key: Buffer | null): Arrival => {
      const read = createReader({ decoder: { decode: () => ({ kind: "unknown_schema", schemaId: 9 }) }, handle });
      return onlyOne(read({ ...messageOf(42), key }, { ...place, tier: undefined }));
    };
    expect(arrivalWith(Buffer.from("ä"))).toMatchObject({
      user: "ä",
      meaning: { kind: "retry", reason: "unknown_schema" },
    });
    expect([arrivalWith(Buffer.alloc(0)).user, arrivalWith(null).user]).toEqual(["source-4-42", "source-4-42"]);
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

    it("makes an arrival of each event, in order, each with an id and a lane of its own", () => {
      const reading = readJson(messageOf(42, { value: json([...events, { type: "track" }]) }), {
        ...place,
        tier: undefined,
      });
      expect(reading).toMatchObject({
        arrivals: [
          { user: "a", meaning: { kind: "call" }, past: { origin: { id: "source-4-42#0", offset: "42", index: 0 } } },
          { user: "b", meaning: { kind: "call" }, past: { origin: { id: "source-4-42#1", offset: "42", index: 1 } } },
          { user: "source-4-42#2", meaning: { kind: "dead", reason: "invalid_event" } },
        ],
      });
    });

    it("takes from a tier only the event that the record is there for", () => {
      const arrival = arrivalOf(events, true, index("1"));
      expect(arrival).toMatchObject({ user: "b", past: { origin: { id: "source-4-7#1", index: 1 } } });
    });

    it.each(["2", "999999999999999"])("buries a record of a tier that is there for event %s of two", (text) => {
      expect(arrivalOf(events, true, index(text)).meaning).toMatchObject({
        kind: "dead",
        reason: "undecodable",
        error: `Cannot find the event in its list: got gainstream-index ${text}, want 0 to 1`,
      });
    });

    it("counts an empty list as a record without a value", () => {
      expect(arrivalOf([]).meaning).toEqual({ kind: "skipped", reason: "tombstone" });
    });
  });

  it("knows the messageId of an event that has one", () => {
    const idOf = (messageId: unknown) => arrivalOf({ type: "identify", userId: "u", messageId }).messageId;
    expect([idOf("m1"), idOf(""), idOf(null)]).toEqual(["m1", undefined, undefined]);
  });

  it("asks for a schema before it can say anything", () => {
    expect(readDecoded({ kind: "needs_schema", schemaId: 9 })).toEqual({ kind: "needs_schema", schemaId: 9 });
  });

  describe("of a tier", () => {
    const headers = {
      "gainstream-topic": Buffer.from("source"),
      "gainstream-partition": Buffer.from("4"),
      "gainstream-offset": Buffer.from("7"),
      "gainstream-timestamp": Buffer.from("2026-01-31T12:00:00.000Z"),
      "gainstream-attempts": Buffer.from("3"),
      "gainstream-first-failed-at": Buffer.from("2026-01-31T12:00:05.000Z"),
    };
    const event = { type: "track", event: "Opened", userId: "u" };

    it("reads a record's past from its headers, and tells its event's time by its origin", () => {
      const { past, meaning } = arrivalOf(event, true, headers);
      expect(past).toMatchObject({
        origin: { id: "source-4-7", timestamp: Date.parse("2026-01-31T12:00:00.000Z") },
        attempts: 3,
        firstFailedAt: Date.parse("2026-01-31T12:00:05.000Z"),
      });
      expect(meaning.kind === "call" && String(meaning.body)).toContain("2026-01-31T12:00:00.000Z");
    });

    it("does not believe such headers in a source: a producer may have copied them", () => {
      expect(arrivalOf(event, false, headers).past).toMatchObject({ origin: { id: "source-4-42" }, attempts: 0 });
    });

    it("takes a record without them for one of its own", () => {
      expect(arrivalOf(event, true).past).toMatchObject({ origin: { id: "source-4-42" }, attempts: 0 });
    });

    it("never throws, whatever the bytes and headers", () => {
      const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
      const names = fc.constantFrom(...Object.keys(headers), "__proto__", "x");
      const values = fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }), fc.constant(undefined));
      const readAny = createReader({ decoder: createDecoder({ format: "auto" }), handle });
      fc.assert(
        fc.property(fc.option(bytes), fc.dictionary(names, values), fc.boolean(), (value, any, isTier) => {
          const reading = readAny(messageOf(1, { value, headers: any }), { ...place, tier: isTier ? 0 : undefined });
          expect(["arrivals", "needs_schema"]).toContain(reading.kind);
        }),
      );
    });
  });
});
