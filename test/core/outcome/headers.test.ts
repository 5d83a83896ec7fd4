import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  type Failure,
  type HeaderValue,
  type Headers,
  bareHeaders,
  deadLetterHeaders,
  headerNames,
  nullHeader,
  originOf,
  readPast,
  retryHeaders,
} from "../../../src/core/outcome/headers.ts";

const at = Date.parse("2024-05-01T10:20:30.400Z");
const origin = originOf({ topic: "segment-events", partition: 3, offset: "42", timestamp: at });
const here = originOf({ topic: "gainstream-retry-30s", partition: 3, offset: "7", timestamp: at + 60_000 });
const failure: Failure = {
  origin,
  reason: "server_error",
  error: "Gainsight failed with status 503",
  status: 503,
  attempts: 2,
  firstFailedAt: at + 1_000,
};
const bytes = (text: string) => new TextEncoder().encode(text);
const ourNames = Object.values<string>(headerNames);
const isOurs = (name: string) => ourNames.includes(name) || name.startsWith("__connect.errors.");
const valuesOf = (value: HeaderValue) => (Array.isArray(value) ? value : [value]) as (Uint8Array | string)[];
/** As a record comes back from the broker: every value is bytes. */
const travelled = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(valuesOf(value)[0] ?? "")]));
const sizeOfOurs = (headers: Headers) =>
  Object.entries(headers)
    .filter(([name]) => isOurs(name))
    .reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(valuesOf(value)[0] ?? ""), 0);

const anyBytes = fc.uint8Array({ maxLength: 20 });
const hostileName = fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "", "ключ", "a b");
const anyName = fc.oneof(fc.string(), hostileName, fc.constantFrom(...ourNames), fc.constant("__connect.errors.topic"));
const anyValue = fc.oneof(anyBytes, fc.string(), fc.array(fc.oneof(anyBytes, fc.string()), { maxLength: 3 }));
const anyHeaders = fc
  .array(fc.tuple(anyName, anyValue), { maxLength: 12 })
  .map((entries): Headers => Object.fromEntries(entries));
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const anyFailure: fc.Arbitrary<Failure> = fc.record({
  origin: fc
    .record({
      topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
      partition: fc.nat(100_000),
      offset: fc.nat(Number.MAX_SAFE_INTEGER).map((offset) => String(offset % 1e15)),
      timestamp: time,
    })
    .map(originOf),
  reason: fc.constantFrom("server_error", "parked", "undecodable", "retries_exhausted"),
  error: fc.string({ unit: "binary", maxLength: 5_000, size: "max" }),
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
  attempts: fc.nat(1_000_000),
  firstFailedAt: fc.option(time, { nil: undefined }),
});

describe("retryHeaders()", () => {
  test("writes numbers decimal, times in ISO 8601 UTC and the id of the first time", () => {
    expect(retryHeaders({}, failure)).toEqual({
      "gainstream-reason": "server_error",
      "gainstream-error": "Gainsight failed with status 503",
      "gainstream-status": "503",
      "gainstream-attempts": "2",
      "gainstream-first-failed-at": "2024-05-01T10:20:31.400Z",
      "gainstream-topic": "segment-events",
      "gainstream-partition": "3",
      "gainstream-offset": "42",
      "gainstream-timestamp": "2024-05-01T10:20:30.400Z",
      "gainstream-id": "segment-events-3-42",
    });
  });

  test("replaces ours, also where they came twice, and drops what no longer holds", () => {
    const old = {
      "gainstream-reason": [bytes("a"), bytes("b")],
      "gainstream-status": "500",
      "__connect.errors.topic": "x",
    };
    const headers = retryHeaders(old, { ...failure, status: undefined, firstFailedAt: undefined });
    expect(headers["gainstream-reason"]).toBe("server_error");
    expect(headers).not.toHaveProperty("gainstream-status");
    expect(headers).not.toHaveProperty("gainstream-first-failed-at");
    expect(Object.keys(headers).filter((name) => name.startsWith("__connect"))).toEqual([]);
  });

  test("keeps how often an operator has redriven the record", () => {
    expect(retryHeaders({ "gainstream-redrives": bytes("2") }, failure)["gainstream-redrives"]).toEqual(bytes("2"));
  });

  test("leaves the original headers byte for byte as they were, hostile names included", () => {
    fc.assert(
      fc.property(anyHeaders, anyFailure, (headers, why) => {
        for (const written of [retryHeaders(headers, why), deadLetterHeaders(headers, why)]) {
          const originals = Object.entries(headers).filter(([name]) => !isOurs(name));
          for (const [name, value] of originals)
            expect(Object.getOwnPropertyDescriptor(written, name)?.value).toEqual(value);
          const added = Object.keys(written).filter((name) => !Object.hasOwn(headers, name));
          expect(added.every(isOurs)).toBe(true);
        }
      }),
    );
  });

  test("lets a value that is null be written as null, and an empty one as empty", () => {
    const written = retryHeaders({ trace: null, list: [null, bytes("b")], empty: "" }, failure);
    expect(written["trace"]).toBe(nullHeader);
    expect(written["list"]).toEqual([nullHeader, bytes("b")]);
    expect(written["empty"]).toBe("");
  });

  test("takes out what kafkajs found on every object when it read a header of such a name", () => {
    const read = Object.fromEntries(["constructor", "__proto__"].map((name) => [name, [Object, bytes("v")] as never]));
    const written = retryHeaders(read, failure);
    for (const name of ["constructor", "__proto__"])
      expect(Object.getOwnPropertyDescriptor(written, name)?.value).toEqual([bytes("v")]);
  });

  test.each([1.7e18, -1.7e18, Number.NaN])("does not throw where the record's time is %d", (timestamp) => {
    const odd = { ...failure, origin: { ...origin, timestamp }, firstFailedAt: timestamp };
    expect(readPast(retryHeaders({}, odd), here).origin.id).toBe(origin.id);
  });
});

describe("readPast()", () => {
  test("reads back what was written", () => {
    fc.assert(
      fc.property(anyHeaders, anyFailure, (headers, why) => {
        const { attempts, firstFailedAt, reason, status } = why;
        const firstRead = { ...why.origin, offset: String(Number(why.origin.offset)) };
        const past = { origin: firstRead, attempts, firstFailedAt, reason, status };
        expect(readPast(travelled(retryHeaders(headers, why)), here)).toEqual(past);
        expect(readPast(deadLetterHeaders(headers, why), here)).toEqual(past);
        expect(readPast(bareHeaders(why), here)).toEqual(past);
      }),
    );
  });

  test("never throws, whatever the headers are", () => {
    const broken = fc.oneof(
      anyValue,
      fc.constantFrom("", "-1", "1.5", "NaN", "99999999999999999999"),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, broken), { maxLength: 12 }), (entries) => {
        const past = readPast(Object.fromEntries(entries), here);
        expect(past.attempts).toBeGreaterThanOrEqual(0);
        expect(past.origin.id).toBe(`${past.origin.topic}-${past.origin.partition}-${past.origin.offset}`);
      }),
    );
  });

  test("takes the place where it was read for the origin where there are no headers", () => {
    expect(readPast({}, here)).toEqual({ origin: here, attempts: 0, firstFailedAt: undefined });
  });

  test.each<[string, Headers]>([
    ["without topic", { "gainstream-topic": undefined }],
    ["with an empty topic", { "gainstream-topic": "" }],
    ["with a null topic", { "gainstream-topic": null }],
    ["with a topic that Kafka would not allow", { "gainstream-topic": "a topic" }],
    ["with a topic longer than Kafka allows", { "gainstream-topic": "t".repeat(250) }],
    ["with a partition that is no number", { "gainstream-partition": "three" }],
    ["with a negative offset", { "gainstream-offset": "-1" }],
    ["with an offset beyond what a number can hold", { "gainstream-offset": "9".repeat(16) }],
    ["with a time that is none", { "gainstream-timestamp": "yesterday" }],
  ])("takes the place where it was read for the origin %s", (_, odd) => {
    expect(readPast({ ...retryHeaders({}, failure), ...odd }, here).origin).toBe(here);
  });

  test("takes the last of a repeated header, and nothing of an empty list", () => {
    expect(readPast({ "gainstream-attempts": ["1", bytes("5")] }, here).attempts).toBe(5);
    expect(readPast({ "gainstream-attempts": [] }, here).attempts).toBe(0);
  });

  test("counts broken attempts and times as absent", () => {
    const past = readPast({ "gainstream-attempts": "many", "gainstream-first-failed-at": "then" }, here);
    expect(past).toEqual({ origin: here, attempts: 0, firstFailedAt: undefined });
  });
});

describe("deadLetterHeaders()", () => {
  test.each([
    ["undecodable", "VALUE_CONVERTER"],
    ["unknown_schema", "VALUE_CONVERTER"],
    ["rejected", "TASK_PUT"],
  ])("tells viewers of Kafka Connect's dead letters of %s at the stage %s", (reason, stage) => {
    expect(deadLetterHeaders({}, { ...failure, reason })).toMatchObject({
      "gainstream-reason": reason,
      "__connect.errors.topic": "segment-events",
      "__connect.errors.partition": "3",
      "__connect.errors.offset": "42",
      "__connect.errors.connector.name": "gainstream",
      "__connect.errors.stage": stage,
      "__connect.errors.exception.class.name": reason,
      "__connect.errors.exception.message": "Gainsight failed with status 503",
    });
  });

  test("cuts the error to 1,024 characters and leaves a shorter one alone", () => {
    expect(deadLetterHeaders({}, { ...failure, error: "e".repeat(1_024) })["gainstream-error"]).toBe("e".repeat(1_024));
    expect(deadLetterHeaders({}, { ...failure, error: "e".repeat(1_025) })["gainstream-error"]).toBe(
      `${"e".repeat(1_023)}…`,
    );
  });

  test("takes at most 8 KB for ours, also in the widest characters and the longest topic", () => {
    const widest = { ...failure, origin: originOf({ ...origin, topic: "t".repeat(249) }), error: "漢".repeat(5_000) };
    expect(sizeOfOurs(deadLetterHeaders({}, widest))).toBeLessThanOrEqual(8_192);
    fc.assert(
      fc.property(anyHeaders, anyFailure, (headers, why) => {
        expect(sizeOfOurs(deadLetterHeaders(headers, why))).toBeLessThanOrEqual(8_192);
      }),
    );
  });

  test("takes at most 8 KB for ours, even after reading a hostile origin", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (length) => {
        const past = readPast({ ...retryHeaders({}, failure), "gainstream-topic": "t".repeat(length) }, here);
        expect(sizeOfOurs(deadLetterHeaders({}, { ...failure, ...past, reason: failure.reason }))).toBeLessThanOrEqual(
          8_192,
        );
      }),
    );
  });
});

describe("bareHeaders()", () => {
  test("has only ours", () => {
    expect(Object.keys(bareHeaders(failure)).every(isOurs)).toBe(true);
  });
});
