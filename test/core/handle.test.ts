import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { RawEvent } from "../../src/core/event.ts";
import { createHandler } from "../../src/core/handle.ts";
import { parseEvent } from "../../src/core/validate.ts";
import { noRules } from "./no-rules.ts";

const recordTime = Date.parse("2024-05-01T10:20:30.400Z");
const recordIso = "2024-05-01T10:20:30.400Z";
const handle = createHandler({ ...noRules, events: ["Allowed"] });

const understand = (raw: RawEvent, at = recordTime) => {
  const event = parseEvent(raw);
  if ("kind" in event) throw new Error(`The test's own event is invalid: ${event.error}`);
  return handle(event, at);
};
const bodyOf = (raw: RawEvent, at = recordTime): RawEvent => {
  const meaning = understand(raw, at);
  if (meaning.kind !== "call") throw new Error(`Want a call, got ${meaning.reason}`);
  return JSON.parse(String(meaning.body)) as RawEvent;
};

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;

afterEach(() => void vi.unstubAllEnvs());

describe("createHandler()", () => {
  test.each<[RawEvent, object]>([
    [identify, { kind: "call", call: "identify" }],
    [
      { ...identify, type: "group", groupId: "g1" },
      { kind: "call", call: "group" },
    ],
    [
      { ...identify, type: "track", event: "Allowed" },
      { kind: "call", call: "track" },
    ],
    [
      { ...identify, type: "track", event: "Other" },
      { kind: "skipped", reason: "filtered_by_allow_list" },
    ],
    [
      { ...identify, type: "identify", event: "Other" },
      { kind: "call", call: "identify" },
    ],
    [
      { ...identify, type: "page" },
      { kind: "skipped", reason: "unsupported_event_type" },
    ],
  ])("takes %j for %j", (raw, expected) => {
    expect(understand(raw)).toMatchObject(expected);
  });

  test("says what Engage computed, also of an event that is filtered", () => {
    const context = { personas: { computation_class: "audience", computation_key: "vip" } };
    expect(understand({ ...identify, context })).toMatchObject({ kind: "call", computationClass: "audience" });
    expect(understand({ ...identify, type: "track", event: "Audience Entered", context })).toEqual({
      kind: "skipped",
      reason: "filtered_by_allow_list",
      computationClass: "audience",
    });
  });

  test.each([
    ["2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z"],
    ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000Z"],
    ["2024-01-02T03:04:05.6789Z", "2024-01-02T03:04:05.678Z"],
    ["2024-01-02T05:04:05.678+02:00", "2024-01-02T03:04:05.678Z"],
    ["2024-01-02", "2024-01-02T00:00:00.000Z"],
    ["Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05.000Z"],
  ])("writes all four envelope times %j as %j", (given, iso) => {
    const times = { timestamp: given, originalTimestamp: given, sentAt: given, receivedAt: given };
    expect(bodyOf({ ...identify, ...times })).toEqual({
      ...identify,
      timestamp: iso,
      originalTimestamp: iso,
      sentAt: iso,
      receivedAt: iso,
    });
  });

  test.each([
    ["2024-01-02T03:04:05", "2024-01-02T03:04:05.000Z"],
    ["2024-01-02T03:04", "2024-01-02T03:04:00.000Z"],
    ["2024-01-02 03:04:05.678", "2024-01-02T03:04:05.678Z"],
    ["2024-01-02", "2024-01-02T00:00:00.000Z"],
    ["2024/01/02", "2024-01-02T00:00:00.000Z"],
    ["Tue Jan  2 03:04:05 2024", "2024-01-02T03:04:05.000Z"],
    ["2024-01-02 03:04:05 -0800", "2024-01-02T11:04:05.000Z"],
    ["2024-01-02T03:04:05z", "2024-01-02T03:04:05.000Z"],
    ["2024-01-02 UTC", "2024-01-02T00:00:00.000Z"],
    ["Tue Jan 02 03:04:05 EST 2024", "2024-01-02T08:04:05.000Z"],
    ["Tue Jan 02 2024 03:04:05 GMT+0200 (Central European Time)", "2024-01-02T01:04:05.000Z"],
  ])("takes %j for %j wherever the machine stands", (timestamp, iso) => {
    for (const zone of ["America/New_York", "Asia/Kolkata"]) {
      vi.stubEnv("TZ", zone);
      expect(new Date(0).getTimezoneOffset()).not.toBe(0);
      expect(bodyOf({ ...identify, timestamp })["timestamp"]).toBe(iso);
    }
  });

  test("looks through a long text that is no time in no time", () => {
    const timestamp = ":1".repeat(500_000);
    expect(bodyOf({ ...identify, timestamp })["timestamp"]).toBe(recordIso);
  });

  test.each<[string, RawEvent["timestamp"]]>([
    ["is absent", undefined],
    ["is null", null],
    ["is empty", ""],
    ["is no time", "yesterday"],
    ["only looks like a time", "2024-13-45T99:99:99.999Z"],
    ["is a number", 1_714_558_830_400],
    ["is text of digits only", "2024"],
    ["is a number as text", "-12.5"],
    ["is in no zone and by the clock of twelve hours", "01/02/2024 3:04 PM"],
  ])("takes the record's time where the timestamp %s", (_, timestamp) => {
    expect(bodyOf({ type: "identify", userId: "u1", timestamp })["timestamp"]).toBe(recordIso);
  });

  test.each([1.7e18, -1.7e18, Number.NaN, Number.POSITIVE_INFINITY])(
    "does not throw where the record's own time is %d, which no date can say",
    (at) => {
      const { timestamp } = bodyOf({ type: "identify", userId: "u1" }, at);
      expect(typeof timestamp === "string" && !Number.isNaN(Date.parse(timestamp))).toBe(true);
    },
  );

  test("leaves the other times as they are where they are no times", () => {
    const odd = { ...identify, sentAt: "yesterday", receivedAt: null, originalTimestamp: "12" };
    expect(bodyOf(odd)).toEqual(odd);
  });

  test("adds no time but the timestamp", () => {
    expect(Object.keys(bodyOf({ type: "identify", userId: "u1" }))).toEqual(["type", "userId", "timestamp"]);
  });

  test("touches nothing nested, not even times or numbers beyond 2^53 as text", () => {
    const nested = {
      traits: { timestamp: "2024-01-02", sentAt: "yesterday", "a b": [null, { "": "9007199254740993" }], gone: null },
      context: { timestamp: 7, ip: "::1" },
      integrations: { All: true },
      version: 2,
      unknownField: { type: "track" },
    };
    expect(bodyOf({ ...identify, ...nested })).toEqual({ ...identify, ...nested });
  });

  test("drops nothing, whatever the event carries", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (free) => {
        const raw = { ...(free as RawEvent), ...identify, traits: free as RawEvent };
        const times = new Set(["originalTimestamp", "sentAt", "receivedAt"]);
        const sameBut = (body: RawEvent) => Object.entries(body).filter(([name]) => !times.has(name));
        expect(sameBut(bodyOf(raw))).toEqual(sameBut(JSON.parse(JSON.stringify(raw)) as RawEvent));
      }),
    );
  });

  test("changes nothing of the event it was given", () => {
    const raw = Object.freeze({ type: "identify", userId: "u1", sentAt: "2024-01-02" });
    bodyOf(raw);
    expect(raw).toEqual({ type: "identify", userId: "u1", sentAt: "2024-01-02" });
  });
});
