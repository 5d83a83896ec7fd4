import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  minimalHeaders,
  deadLetterHeaders,
  nullHeader,
  retryHeaders,
} from "../../../src/core/outcome/failure-headers.ts";
import {
  type FailureDetails,
  type HeaderValue,
  type Headers,
  headerNames,
  sourcePositionOf,
  readRetryState,
} from "../../../src/core/outcome/headers.ts";

const at = Date.parse("2024-05-01T10:20:30.400Z");
const source = sourcePositionOf({ topic: "segment-events", partition: 3, offset: "42", timestamp: at });
const here = sourcePositionOf({ topic: "gainstream-retry-30s", partition: 3, offset: "7", timestamp: at + 60_000 });
const failure: FailureDetails = {
  source,
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
/** The headers of a record as kafkajs reads it: every value is bytes. */
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
const anyFailure: fc.Arbitrary<FailureDetails> = fc.record({
  source: fc
    .record({
      topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
      partition: fc.nat(100_000),
      offset: fc.nat(Number.MAX_SAFE_INTEGER).map((offset) => String(offset % 1e15)),
      timestamp: time,
    })
    .map(sourcePositionOf),
  reason: fc.constantFrom("server_error", "parked", "undecodable", "retries_exhausted"),
  error: fc.string({ unit: "binary", maxLength: 5_000, size: "max" }),
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
  attempts: fc.nat(1_000_000),
  firstFailedAt: fc.option(time, { nil: undefined }),
});

describe("retryHeaders()", () => {
  test("writes numbers in decimal, times in ISO 8601 in UTC, and the id of the source position", () => {
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

  test("replaces gainstream's headers, also repeated ones, and drops those that no longer apply", () => {
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

  test("keeps the number of redrives", () => {
    expect(retryHeaders({ "gainstream-redrives": bytes("2") }, failure)["gainstream-redrives"]).toEqual(bytes("2"));
  });

  test("keeps the original headers byte for byte, also those with hostile names", () => {
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

  test("writes a null value as null and an empty value as empty", () => {
    const written = retryHeaders({ trace: null, list: [null, bytes("b")], empty: "" }, failure);
    expect(written["trace"]).toBe(nullHeader);
    expect(written["list"]).toEqual([nullHeader, bytes("b")]);
    expect(written["empty"]).toBe("");
  });

  test("removes the inherited function that kafkajs adds to a header of such a name", () => {
    const read = Object.fromEntries(["constructor", "__proto__"].map((name) => [name, [Object, bytes("v")] as never]));
    const written = retryHeaders(read, failure);
    for (const name of ["constructor", "__proto__"])
      expect(Object.getOwnPropertyDescriptor(written, name)?.value).toEqual([bytes("v")]);
  });

  test.each([1.7e18, -1.7e18, Number.NaN])("does not throw if the record's time is %d", (timestamp) => {
    const odd = { ...failure, source: { ...source, timestamp }, firstFailedAt: timestamp };
    expect(readRetryState(retryHeaders({}, odd), here).source.id).toBe(source.id);
  });
});

describe("readRetryState()", () => {
  test("reads the headers that were written", () => {
    fc.assert(
      fc.property(anyHeaders, anyFailure, (headers, why) => {
        const { attempts, firstFailedAt, reason, status } = why;
        const firstRead = { ...why.source, offset: String(Number(why.source.offset)) };
        const state = { source: firstRead, attempts, firstFailedAt, reason, status };
        expect(readRetryState(travelled(retryHeaders(headers, why)), here)).toEqual(state);
        expect(readRetryState(deadLetterHeaders(headers, why), here)).toEqual(state);
        expect(readRetryState(minimalHeaders(why), here)).toEqual(state);
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
        const state = readRetryState(Object.fromEntries(entries), here);
        expect(state.attempts).toBeGreaterThanOrEqual(0);
        expect(state.source.id).toBe(`${state.source.topic}-${state.source.partition}-${state.source.offset}`);
      }),
    );
  });

  test("uses the record's own position if there are no headers", () => {
    expect(readRetryState({}, here)).toEqual({ source: here, attempts: 0, firstFailedAt: undefined });
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
  ])("uses the record's own position %s", (_, odd) => {
    expect(readRetryState({ ...retryHeaders({}, failure), ...odd }, here).source).toBe(here);
  });

  test("uses the last value of a repeated header, and none of an empty list", () => {
    expect(readRetryState({ "gainstream-attempts": ["1", bytes("5")] }, here).attempts).toBe(5);
    expect(readRetryState({ "gainstream-attempts": [] }, here).attempts).toBe(0);
  });

  test("counts malformed attempts and times as absent", () => {
    const state = readRetryState({ "gainstream-attempts": "many", "gainstream-first-failed-at": "then" }, here);
    expect(state).toEqual({ source: here, attempts: 0, firstFailedAt: undefined });
  });
});

describe("deadLetterHeaders()", () => {
  test.each([
    ["undecodable", "VALUE_CONVERTER"],
    ["unknown_schema", "VALUE_CONVERTER"],
    ["rejected", "TASK_PUT"],
  ])("names for viewers of Kafka Connect's dead letters the reason %s and the stage %s", (reason, stage) => {
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

  test("cuts the error to 1,024 characters and keeps a shorter one", () => {
    expect(deadLetterHeaders({}, { ...failure, error: "e".repeat(1_024) })["gainstream-error"]).toBe("e".repeat(1_024));
    expect(deadLetterHeaders({}, { ...failure, error: "e".repeat(1_025) })["gainstream-error"]).toBe(
      `${"e".repeat(1_023)}…`,
    );
  });

  test("adds at most 8 KB, also with the widest characters and the longest topic", () => {
    const widest = {
      ...failure,
      source: sourcePositionOf({ ...source, topic: "t".repeat(249) }),
      error: "漢".repeat(5_000),
    };
    expect(sizeOfOurs(deadLetterHeaders({}, widest))).toBeLessThanOrEqual(8_192);
    fc.assert(
      fc.property(anyHeaders, anyFailure, (headers, why) => {
        expect(sizeOfOurs(deadLetterHeaders(headers, why))).toBeLessThanOrEqual(8_192);
      }),
    );
  });

  test("adds at most 8 KB, also after reading a hostile source position", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (length) => {
        const state = readRetryState({ ...retryHeaders({}, failure), "gainstream-topic": "t".repeat(length) }, here);
        expect(sizeOfOurs(deadLetterHeaders({}, { ...failure, ...state, reason: failure.reason }))).toBeLessThanOrEqual(
          8_192,
        );
      }),
    );
  });
});

describe("minimalHeaders()", () => {
  test("has only gainstream's and Kafka Connect's headers", () => {
    expect(Object.keys(minimalHeaders(failure)).every(isOurs)).toBe(true);
  });
});
