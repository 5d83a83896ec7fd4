import { afterEach, describe, expect, test, vi } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import type { Repair } from "../../../src/core/event/repairs.ts";
import type { Json } from "../../../src/core/json/json.ts";

const iso = "2024-03-05T10:15:30.123Z";
const whole = "2024-03-05T10:15:30.000Z";
const recordIso = "2024-03-06T00:00:00.000Z";
const nowIso = "2026-01-01T00:00:00.000Z";
const fallbacks = { recordTime: Date.parse(recordIso), wallNow: () => Date.parse(nowIso) };
const identify = { type: "identify", userId: "u1" } as const;
const names = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"] as const;

const normal = (times: NormalisedEvent, more: Partial<Parameters<typeof normaliseEvent>[1]> = {}) =>
  normaliseEvent({ ...identify, ...times }, { ...fallbacks, ...more });
const inAll = (time: Json): NormalisedEvent => Object.fromEntries(names.map((name) => [name, time]));

afterEach(() => void vi.unstubAllEnvs());

/** Texts of full ISO 8601: normalising them is no repair. */
const fullIso: [given: Json, want: string][] = [
  [iso, iso],
  ["2024-03-05T10:15:30Z", whole],
  ["2024-03-05T10:15Z", "2024-03-05T10:15:00.000Z"],
  ["2024-03-05T10:15:30.1Z", "2024-03-05T10:15:30.100Z"],
  ["2024-03-05T10:15:30.1234567Z", iso],
  ["2024-03-05T10:15:30.123999999Z", iso],
  ["2024-03-05T11:15:30.1234567+01:00", iso],
  ["2024-03-05T11:15:30,123+0100", iso],
  ["2024-03-05T02:15:30.123-08", iso],
  ["2024-03-05T15:45:30.123+05:30", iso],
  ["2024-03-05t10:15:30.123z", iso],
  ["2024-03-05 10:15:30.123Z", iso],
  ["2024-03-05 11:15:30.123 +0100", iso],
  ["2024-03-05 10:15:30.123 UTC", iso],
  ["2024-03-05 11:15:30 +0100", whole],
  ["2024-03-05T11:15:30.123+01:00[Europe/Paris]", iso],
  ["2024-03-05T10:15:30.123Z[Etc/GMT-2]", iso],
  ["20240305T101530.123Z", iso],
  ["2024-03-05T24:00:00Z", "2024-03-06T00:00:00.000Z"],
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
  ["2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.500Z"],
  ["2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"],
  ["1980-01-01T00:00:00.000Z", "1980-01-01T00:00:00.000Z"],
  ["2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"],
];

const otherForms: [what: string, given: Json, want: string][] = [
  ["ISO without a zone", "2024-03-05T10:15:30.123", iso],
  ["ISO with a space", "2024-03-05 10:15:30.123", iso],
  ["Java's LocalDateTime", "2024-03-05T10:15", "2024-03-05T10:15:00.000Z"],
  ["a date", "2024-03-05", "2024-03-05T00:00:00.000Z"],
  ["a date with slashes, the year first", "2024/03/05", "2024-03-05T00:00:00.000Z"],
  ["a date in UTC", "2024-03-05 UTC", "2024-03-05T00:00:00.000Z"],
  ["seconds", 1_709_633_730, whole],
  ["seconds with a fraction", 1_709_633_730.123, iso],
  ["milliseconds", 1_709_633_730_123, iso],
  ["milliseconds with a fraction", 1_709_633_730_123.9, iso],
  ["microseconds", 1_709_633_730_123_999, iso],
  ["nanoseconds", 1_709_633_730_123_400_000, iso],
  ["seconds as text", "1709633730", whole],
  ["seconds with a fraction as text", "1709633730.1239", iso],
  ["seconds with a decimal comma as text", "1709633730,123", iso],
  ["milliseconds as text", " 1709633730123 ", iso],
  ["microseconds as text", "1709633730123999", iso],
  ["nanoseconds as text, as decoders give them", "1709633730123999999", iso],
  ["a double of Java as text", "1.709633730123E12", iso],
  ["few seconds, of 1980", 315_532_800, "1980-01-01T00:00:00.000Z"],
  ["a date of .NET", "/Date(1709633730123)/", iso],
  ["a date of .NET with an offset, which is only for display", "/Date(1709633730123+0100)/", iso],
  ["RFC 2822", "Tue, 05 Mar 2024 11:15:30 +0100", whole],
  ["RFC 2822 without weekday and seconds", "5 Mar 2024 10:15 GMT", "2024-03-05T10:15:00.000Z"],
  ["RFC 2822 with a comment", "Tue,  5 Mar 2024 11:15:30 +0100 (CET)", whole],
  ["RFC 1123", "Tue, 05 Mar 2024 10:15:30 GMT", whole],
  ["a cookie's date", "Tue, 05-Mar-2024 10:15:30 GMT", whole],
  ["RFC 850 with a year of four digits", "Tuesday, 05-Mar-2024 10:15:30 GMT", whole],
  ["a date of Java", "Tue Mar 05 11:15:30 CET 2024", whole],
  ["a date of Java with an offset", "Tue Mar 05 11:15:30 GMT+01:00 2024", whole],
  ["a date of Java in America", "Tue Mar 05 05:15:30 EST 2024", whole],
  ["a date of C", "Tue Mar  5 10:15:30 2024", whole],
  ["a date of JavaScript", "Tue Mar 05 2024 11:15:30 GMT+0100 (Central European Standard Time)", whole],
  ["a date of Gson", "Mar 5, 2024 10:15:30 AM", whole],
  ["a date of Gson on a newer Java", "Mar 5, 2024, 10:15:30\u202FPM", "2024-03-05T22:15:30.000Z"],
  ["noon", "Mar 5, 2024, 12:00:00 PM", "2024-03-05T12:00:00.000Z"],
  ["midnight", "Mar 5, 2024, 12:00:00 AM", "2024-03-05T00:00:00.000Z"],
  ["a month's whole name", "5 March 2024", "2024-03-05T00:00:00.000Z"],
];

const unreadable: [what: string, given: Json][] = [
  ["a day and a month in an order that is not known", "05/03/2024"],
  ["the same with dots", "05.03.2024 10:15"],
  ["the same with dashes", "05-03-2024"],
  ["a year of two digits", "05-Mar-24"],
  ["a word", "yesterday"],
  ["a word and a digit, which Date.parse reads as a year", "foo 1"],
  ["now", "now"],
  ["a version", "1.2.3"],
  ["a year", "2024"],
  ["a year and a month", "2024-03"],
  ["a week", "2024-W10-2"],
  ["a date without separators, which may be a number", "20240305"],
  ["the same with the time", "20240305101530"],
  ["the same without seconds, which would be milliseconds of 1976", "202403051015"],
  ["the same as a number", 202_403_051_015],
  ["the same with milliseconds", "20240305101530123"],
  ["a time of day", "10:15:30"],
  ["February 30", "2024-02-30T00:00:00.000Z"],
  ["February 29 of 2023", "2023-02-29T00:00:00.000Z"],
  ["April 31", "2024-04-31T00:00:00.000Z"],
  ["a month 13", "2024-13-05T00:00:00.000Z"],
  ["what only looks like a time", "2024-13-45T99:99:99.999Z"],
  ["25 o'clock", "2024-03-05T25:00:00Z"],
  ["a second after 24:00", "2024-03-05T24:00:01Z"],
  ["a leap second in mid-day", "2024-03-05T10:15:60Z"],
  ["13 PM", "Mar 5, 2024 13:15:30 PM"],
  ["an offset of a day", "2024-03-05T10:15:30+24:00"],
  ["an offset of 75 minutes written wrongly", "2024-03-05T10:15:30+00:75"],
  ["CST, America's or China's", "Tue Mar 05 10:15:30 CST 2024"],
  ["PST, America's or the Philippines'", "Tue, 05 Mar 2024 10:15:30 PST"],
  ["IST, India's, Israel's or Ireland's", "Tue Mar 05 10:15:30 IST 2024"],
  ["BST, Britain's or Bangladesh's", "Tue Mar 05 10:15:30 BST 2024"],
  ["an unknown zone", "2024-03-05T10:15:30 XYZ"],
  ["a place without its offset", "2024-03-05T10:15:30[Europe/Paris]"],
  ["a zone whose plus has become a space", "2024-03-05T10:15:30 01:00"],
  ["a date with what may be an hour", "2024-03-05-08"],
  ["a month that is none", "Tue Foo 05 10:15:30 UTC 2024"],
  ["0", 0],
  ["-1", -1],
  ["0 as text", "0"],
  ["seconds of 1970", 1_709_633],
  ["too large a number", 1.7e21],
  ["Java's largest long", "9223372036854775807"],
  ["epoch zero", "1970-01-01T00:00:00Z"],
  ["seconds taken for milliseconds", "1970-01-20T18:53:53.730Z"],
  ["a year before", "1969-12-31T23:59:59.999Z"],
  ["the default of .NET", "0001-01-01T00:00:00Z"],
  ["a year that JavaScript reads as 1999", "0099-01-01T00:00:00.000Z"],
  ["the zero of MySQL", "0000-00-00 00:00:00"],
  ["the default of SQL Server", "1900-01-01T00:00:00.000Z"],
  ["the last moment of .NET", "9999-12-31T23:59:59.9999999Z"],
  ["2100", "2100-01-01T00:00:00.000Z"],
  ["true", true],
  ["an object", { $date: iso }],
  ["a list", [2024, 3, 5]],
  ["a million characters", ":1".repeat(500_000)],
];

describe("the four times of the envelope", () => {
  test.each(fullIso)("%j becomes %s without a repair", (given, want) => {
    expect(normal(inAll(given))).toEqual({ event: { ...identify, ...inAll(want) }, repairs: [] });
  });

  test.each(otherForms)("%s is parsed: %j", (_, given, want) => {
    expect(normal(inAll(given))).toEqual({ event: { ...identify, ...inAll(want) }, repairs: ["time_format"] });
  });

  test.each(otherForms)("%s is parsed the same in every time zone: %j", (_, given, want) => {
    for (const zone of ["America/New_York", "Asia/Kolkata"]) {
      vi.stubEnv("TZ", zone);
      expect(new Date(0).getTimezoneOffset()).not.toBe(0);
      expect(normal({ timestamp: given }).event["timestamp"]).toBe(want);
    }
  });

  test.each(unreadable)("%s is not parsed: it stays, and the record's time becomes the timestamp", (_, given) => {
    const { event, repairs } = normal(inAll(given));
    expect(event).toEqual({ ...identify, ...inAll(given), timestamp: recordIso });
    expect(repairs).toEqual(["time_unreadable", "timestamp_from_record"]);
  });

  test.each([undefined, null, "", " "])("%j counts as absent and stays unchanged", (nothing) => {
    const times = { originalTimestamp: nothing, sentAt: nothing, receivedAt: nothing };
    expect(normal({ ...times, timestamp: iso })).toEqual({
      event: { ...identify, ...times, timestamp: iso },
      repairs: [],
    });
  });

  test("nested times stay unchanged", () => {
    const nested = { traits: { timestamp: 7, sentAt: "2024-03-05" }, context: { timestamp: "yesterday" } };
    expect(normal({ ...nested, timestamp: iso })).toEqual({
      event: { ...identify, ...nested, timestamp: iso },
      repairs: [],
    });
  });
});

describe("a missing or unreadable timestamp", () => {
  const [original, sent, received] = [
    "2001-01-01T00:00:10.000Z",
    "2001-01-01T00:00:40.000Z",
    "2024-03-05T12:00:00.000Z",
  ];
  const all = { originalTimestamp: original, sentAt: sent, receivedAt: received };
  const corrected = "2024-03-05T11:59:30.000Z";
  const noRecord = { recordTime: -1 };

  test.each<[what: string, times: NormalisedEvent, given: object, want: string, repair: Repair]>([
    ["is computed by Segment's rule, however wrong the device's clock", all, {}, corrected, "timestamp_computed"],
    ["is the original one without sentAt", { ...all, sentAt: "?" }, {}, original, "timestamp_from_original"],
    ["is the original one without receivedAt", { ...all, receivedAt: null }, {}, original, "timestamp_from_original"],
    [
      "is the original one if the computed one is well after receivedAt",
      { ...all, originalTimestamp: "2001-01-01T00:10:00.000Z" },
      {},
      "2001-01-01T00:10:00.000Z",
      "timestamp_from_original",
    ],
    [
      "is computed if the clocks of servers differ a little",
      { ...all, originalTimestamp: "2001-01-01T00:00:41.000Z" },
      {},
      "2024-03-05T12:00:01.000Z",
      "timestamp_computed",
    ],
    [
      "is never computed before 1980",
      { ...all, originalTimestamp: "1980-01-01T00:00:00.000Z", sentAt: "2099-01-01T00:00:00.000Z" },
      {},
      "1980-01-01T00:00:00.000Z",
      "timestamp_from_original",
    ],
    [
      "is the record's if the original one is later than receivedAt",
      { originalTimestamp: "2030-01-01T00:00:00.000Z", receivedAt: received },
      {},
      recordIso,
      "timestamp_from_record",
    ],
    ["is the record's without any of them", {}, {}, recordIso, "timestamp_from_record"],
    [
      "is the record's before receivedAt",
      { sentAt: sent, receivedAt: received },
      {},
      recordIso,
      "timestamp_from_record",
    ],
    [
      "is receivedAt if the record has no time",
      { sentAt: sent, receivedAt: received },
      noRecord,
      received,
      "timestamp_from_received",
    ],
    ["is sentAt after that", { sentAt: sent }, noRecord, sent, "timestamp_from_sent"],
    [
      "is when the event failed first after that",
      {},
      { ...noRecord, firstFailedAt: Date.parse(iso) },
      iso,
      "timestamp_from_clock",
    ],
    ["is now at last", {}, noRecord, nowIso, "timestamp_from_clock"],
    ["is now if the record's time is in nanoseconds", {}, { recordTime: 1.7e18 }, nowIso, "timestamp_from_clock"],
    ["is now if the record's time is no number", {}, { recordTime: Number.NaN }, nowIso, "timestamp_from_clock"],
    ["is now if neither time is plausible", {}, { recordTime: 0, firstFailedAt: -1 }, nowIso, "timestamp_from_clock"],
  ])("%s", (_, times, given, want, repair) => {
    for (const timestamp of [undefined, null, ""]) {
      const { event, repairs } = normal({ timestamp, ...times }, given);
      expect(event["timestamp"]).toBe(want);
      expect(repairs.filter((name) => name !== "time_unreadable")).toEqual([repair]);
    }
  });

  test.each([undefined, null, ""])("moves to originalTimestamp if that is %j", (originalTimestamp) => {
    expect(normal({ timestamp: "05/03/2024", originalTimestamp })).toEqual({
      event: { ...identify, timestamp: recordIso, originalTimestamp: "05/03/2024" },
      repairs: ["time_unreadable", "timestamp_from_record"],
    });
  });

  test("is lost if originalTimestamp has a value", () => {
    expect(normal({ timestamp: "05/03/2024", originalTimestamp: "?" }).event).toMatchObject({ originalTimestamp: "?" });
    expect(normal({ ...all, timestamp: "05/03/2024" })).toEqual({
      event: { ...identify, ...all, timestamp: corrected },
      repairs: ["time_unreadable", "timestamp_computed"],
    });
  });

  test("names each repair once", () => {
    expect(normal({ originalTimestamp: 1_709_633_730, sentAt: "?", receivedAt: "!" }).repairs).toEqual([
      "time_format",
      "time_unreadable",
      "timestamp_from_original",
    ]);
  });
});
