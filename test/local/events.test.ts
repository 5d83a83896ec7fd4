import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { describe, expect, it } from "vitest";

import { createEvents, encodeEvent, poisonRecords } from "../../local/events.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";

const options = { users: 1_000, count: 3_000, seed: 42, startAt: Date.UTC(2026, 0, 1) };
const events = [...createEvents(options)];
const schema: unknown = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8"));
const type = avro.Type.forSchema(schema as Schema);

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

const countBy = (key: string): Map<unknown, number> => {
  const counts = new Map<unknown, number>();
  for (const event of events) counts.set(event[key], (counts.get(event[key]) ?? 0) + 1);
  return counts;
};

describe("createEvents()", () => {
  it("gives the same events for the same seed, and other events for another seed", () => {
    expect([...createEvents(options)]).toEqual(events);
    expect([...createEvents({ ...options, seed: 43 })]).not.toEqual(events);
  });

  it("gives every event a unique id and a later time than the event before", () => {
    expect(countBy("messageId").size).toBe(events.length);
    const times = events.map((event) => event["timestamp"] as string);
    expect(times).toEqual([...new Set(times)].sort(byText));
  });

  it("creates every type, and track events with twelve names", () => {
    expect([...countBy("type").keys()].map(String).sort(byText)).toEqual([
      "alias",
      "group",
      "identify",
      "page",
      "screen",
      "track",
    ]);
    expect([...countBy("event").keys()].filter((name) => name !== undefined)).toHaveLength(12);
    expect(events.some(({ context }) => JSON.stringify(context).includes('"computation_class":"audience"'))).toBe(true);
  });

  it("has a few busy and many quiet users", () => {
    const counts = [...countBy("userId").values()].toSorted((a, b) => b - a);
    expect(counts[0]).toBeGreaterThan(50);
    expect(counts.length).toBeGreaterThan(600);
  });

  it("survives Avro unchanged, at about 700 bytes per event", () => {
    const decode = compileAvroSchema(schema);
    const values = events.map((event) => encodeEvent(event, type));
    expect(values.map((value) => decode(value))).toEqual(events);
    const bytes = values.reduce((sum, value) => sum + value.length, 0) / values.length;
    expect(bytes).toBeGreaterThan(600);
    expect(bytes).toBeLessThan(900);
  });
});

describe("poisonRecords()", () => {
  it("gives the requested number of records, of every kind", () => {
    const records = poisonRecords(13);
    expect(records).toHaveLength(13);
    expect(new Set(records.map(({ reason }) => reason))).toEqual(
      new Set(["undecodable", "unknown_schema", "invalid_event"]),
    );
  });
});
