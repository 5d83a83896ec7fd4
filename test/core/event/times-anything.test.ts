import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import type { Json } from "../../../src/core/json/json.ts";

const earliest = Date.UTC(1980, 0, 1);
const latest = Date.UTC(2100, 0, 1) - 1;
const nowIso = "2026-01-01T00:00:00.000Z";
const fallbacks = { recordTime: -1, wallNow: () => Date.parse(nowIso) };
const normal = (event: NormalisedEvent) => normaliseEvent(event, fallbacks);

const times = fc.integer({ min: earliest, max: latest }).map((time) => new Date(time));
const offsets = fc.integer({ min: -18 * 60, max: 18 * 60 });

const two = (value: number): string => String(value).padStart(2, "0");
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const weekdays = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** The time that a clock shows which is ahead of UTC by `offset` minutes. */
const shown = (time: Date, offset: number) => {
  const local = new Date(time.getTime() + offset * 60_000);
  const size = Math.abs(offset);
  return {
    date: local.toISOString().slice(0, 10),
    year: local.getUTCFullYear(),
    month: months[local.getUTCMonth()] ?? "",
    day: two(local.getUTCDate()),
    weekday: weekdays[local.getUTCDay()] ?? "",
    clock: local.toISOString().slice(11, 23),
    zone: (colon: string) => `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`,
  };
};

type Form = (time: Date, offset: number) => Json;

/** Forms with milliseconds. */
const forms: Readonly<Record<string, Form>> = {
  "ISO in UTC": (time) => time.toISOString(),
  "ISO with a zone": (time, offset) => {
    const { date, clock, zone } = shown(time, offset);
    return `${date}T${clock}${zone(":")}`;
  },
  "ISO with a space and a zone without colon": (time, offset) => {
    const { date, clock, zone } = shown(time, offset);
    return `${date} ${clock} ${zone("")}`;
  },
  "ISO without a zone": (time) => time.toISOString().slice(0, -1),
  ".NET's seven digits": (time) => `${time.toISOString().slice(0, -1)}4567Z`,
  "Java's nanoseconds": (time) => `${time.toISOString().slice(0, -1)}999999Z`,
  "ISO without separators": (time) => time.toISOString().replaceAll(/[-:]/g, ""),
  ".NET's older form": (time, offset) => `/Date(${time.getTime()}${shown(time, offset).zone("")})/`,
  milliseconds: (time) => time.getTime(),
  "milliseconds as text": (time) => String(time.getTime()),
  "seconds with a fraction": (time) => time.getTime() / 1_000,
  "seconds with a fraction as text": (time) => (time.getTime() / 1_000).toFixed(3),
  "microseconds as text": (time) => `${time.getTime()}999`,
  "nanoseconds as text": (time) => `${time.getTime()}123456`,
  "RFC 2822 with a fraction": (time, offset) => {
    const { weekday, day, month, year, clock, zone } = shown(time, offset);
    return `${weekday}, ${day} ${month} ${year} ${clock} ${zone("")}`;
  },
};

/** Forms with seconds only. */
const coarseForms: Readonly<Record<string, Form>> = {
  seconds: (time) => Math.floor(time.getTime() / 1_000),
  "RFC 1123": (time) => time.toUTCString(),
  "JavaScript's own": (time) => time.toString(),
  "Java's Date": (time, offset) => {
    const { weekday, month, day, clock, zone, year } = shown(time, offset);
    return `${weekday} ${month} ${day} ${clock.slice(0, 8)} GMT${zone(":")} ${year}`;
  },
  "Gson's": (time) => {
    const { month, day, year, clock } = shown(time, 0);
    const hour = time.getUTCHours();
    return `${month} ${Number(day)}, ${year} ${hour % 12 || 12}${clock.slice(2, 8)} ${hour < 12 ? "AM" : "PM"}`;
  },
};

describe.each(Object.entries(forms))("%s", (_, write) => {
  test("of any time between 1980 and 2100 is parsed to the millisecond", () => {
    fc.assert(
      fc.property(times, offsets, (time, offset) => {
        expect(normal({ timestamp: write(time, offset) }).event["timestamp"]).toBe(time.toISOString());
      }),
    );
  });
});

describe.each(Object.entries(coarseForms))("%s", (_, write) => {
  test("of any time between 1980 and 2100 is parsed to the second", () => {
    fc.assert(
      fc.property(times, offsets, (time, offset) => {
        const second = `${time.toISOString().slice(0, 19)}.000Z`;
        expect(normal({ timestamp: write(time, offset) }).event["timestamp"]).toBe(second);
      }),
    );
  });
});

const piece = fc.constantFrom(
  ..."0 1 7 12 31 60 99 1970 1971 2024 9999 1700000000 T Z z t : - / . , + ( ) [ ] UTC GMT CET Mar Tue May AM PM e E Date".split(
    " ",
  ),
  " ",
);
const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.string(),
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.tuple(times, fc.nat(30), fc.string({ maxLength: 3 })).map(([time, at, put]) => {
    const text = time.toISOString();
    return text.slice(0, at) + put + text.slice(at + put.length);
  }),
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: 0n, max: 10n ** 22n }).map(String),
  fc.jsonValue() as fc.Arbitrary<Json>,
);
const known = fc
  .tuple(times, offsets, fc.constantFrom(...Object.values(forms)))
  .map(([time, offset, write]) => write(time, offset));
const time = fc.oneof({ weight: 3, arbitrary: odd }, { weight: 1, arbitrary: known });
const anyEvent = fc.record(
  {
    type: fc.oneof(odd, fc.constantFrom("Track", "page", "identify")),
    userId: odd,
    user_id: odd,
    messageId: odd,
    groupId: odd,
    traits: fc.oneof(odd, fc.json()),
    properties: fc.oneof(
      odd,
      fc.json().map((text) => JSON.stringify(text)),
    ),
    context: fc.oneof(odd, fc.constant([])),
    timestamp: time,
    originalTimestamp: time,
    sent_at: time,
    receivedAt: time,
    __proto__: odd,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<NormalisedEvent>;

describe("any value as a time", () => {
  test("gives a timestamp between 1980 and 2100, in ISO 8601 in UTC with milliseconds", () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(odd, (timestamp) => {
        const { event } = normal({ timestamp });
        const iso = event["timestamp"] as string;
        expect(new Date(iso).toISOString()).toBe(iso);
        expect(Date.parse(iso)).toBeGreaterThanOrEqual(earliest);
        expect(Date.parse(iso)).toBeLessThanOrEqual(latest);
        seen.add(iso === nowIso);
      }),
      { numRuns: 3_000 },
    );
    expect(seen.size).toBe(2);
  });

  test("has a normal form that needs no further repair", () => {
    fc.assert(
      fc.property(anyEvent, (given) => {
        const before = JSON.stringify(given);
        const once = normal(given);
        const again = normal(once.event);
        expect(again.event).toEqual(once.event);
        // A time that cannot be parsed stays, so its repair is found each time.
        expect(again.repairs.filter((repair) => repair !== "time_unreadable")).toEqual([]);
        expect(JSON.stringify(given)).toBe(before);
        expect(new Set(once.repairs).size).toBe(once.repairs.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
