import { describe, expect, it } from "vitest";

import { type EventItem, type Item, eventsOf, problemOf } from "../../src/cli/send-events.ts";
import { type Source, textInput } from "../../src/cli/send-input.ts";
import type { JsonObject } from "../../src/core/json/json.ts";

const sourceOf = (text: string, name = "events.jsonl"): Source => ({ name, input: textInput(text) });

const readAll = async (...texts: readonly string[]): Promise<Item[]> => {
  const items: Item[] = [];
  const sources = texts.map((text, index) => sourceOf(text, `${index}.jsonl`));
  for await (const item of eventsOf(sources)) items.push(item);
  return items;
};

const readOne = async (text: string): Promise<Item> => {
  for await (const item of eventsOf([sourceOf(text)])) return item;
  throw new Error("There is no event");
};

const readEvent = async (event: JsonObject): Promise<JsonObject> => {
  const item = await readOne(JSON.stringify(event));
  return "event" in item ? item.event : {};
};

const complete = { type: "track", event: "A", userId: "u1", messageId: "m1", timestamp: "2026-01-31T12:00:00Z" };
const json = { wire: "json", invalid: false, skippedTypes: [] } as const;
const avro = { ...json, wire: "avro" } as const;

describe("eventsOf()", () => {
  it("leaves a complete event as it is", async () => {
    expect(await readEvent(complete)).toEqual({ ...complete, timestamp: "2026-01-31T12:00:00.000Z" });
  });

  it.each([undefined, null, ""])("fills in a messageId and a timestamp that are %j", async (nothing) => {
    const before = Date.now();
    const event = await readEvent({ ...complete, messageId: nothing, timestamp: nothing });
    expect(event["messageId"]).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    expect(Date.parse(event["timestamp"] as string)).toBeGreaterThanOrEqual(before);
    expect(event).toMatchObject({ type: "track", event: "A", userId: "u1" });
  });

  it("mends what is wrong rather than missing as the service does, and says so", async () => {
    const item = await readOne(JSON.stringify({ ...complete, messageId: 5, timestamp: "now" }));
    expect(item).toMatchObject({
      event: { messageId: "5", originalTimestamp: "now" },
      repairs: ["id_number", "time_unreadable", "timestamp_from_record"],
    });
  });

  it("takes the timestamp from the event's other times where it has some", async () => {
    const originalTimestamp = "2024-01-02T03:04:05.678Z";
    const item = await readOne(JSON.stringify({ ...complete, timestamp: undefined, originalTimestamp }));
    expect(item).toMatchObject({ event: { timestamp: originalTimestamp }, repairs: ["timestamp_from_original"] });
  });

  it("fills in a timestamp without calling it a repair", async () => {
    expect(await readOne(JSON.stringify({ ...complete, timestamp: undefined }))).toMatchObject({ repairs: [] });
  });

  it("takes the envelope's snake_case names", async () => {
    expect(await readEvent({ type: "identify", user_id: "u1", message_id: "m1" })).toMatchObject({
      userId: "u1",
      messageId: "m1",
    });
  });

  it.each([
    ["no JSON", "nonsense", "Cannot read JSON"],
    ["no object", "4", "Cannot read an event"],
    ["a change event", '{"op":"c","before":null,"source":{"connector":"mysql"}}', "got a Debezium change event"],
  ])("judges %s as the service does", async (_, text, error) => {
    const meaning = { kind: "dead", reason: "undecodable", error: expect.stringContaining(error) };
    expect(await readOne(text)).toEqual({ place: "line 1", meaning });
  });

  it.each([
    ["an empty list within a line", '{"a":1}\n[]'],
    ["an empty envelope", '{"schema":null,"payload":null}'],
  ])("judges %s as the service does", async (_, text) => {
    const items = await readAll(text);
    const meaning = { kind: "skipped", reason: "tombstone" };
    expect(items.at(-1)).toEqual({ place: `line ${items.length}`, meaning });
  });

  it.each([
    ["a list", '[{"type":"page"},{"user_id":"u2"}]', []],
    ["a batch", '{"batch":[{"type":"page"},{"user_id":"u2"}]}', ["batch"]],
  ])("takes each event of %s in a line on its own", async (_, text, repairs) => {
    const items = await readAll(`{"type":"page"}\n${text}`);
    expect(items).toMatchObject([
      { place: "line 1", event: { type: "page" }, repairs: [] },
      { place: "line 2, event 1", event: { type: "page" }, repairs },
      { place: "line 2, event 2", event: { userId: "u2" }, repairs },
    ]);
  });

  it("reads files in their order, and names them if there are several", async () => {
    const items = await readAll('{"type":"page"}\n{"type":"page"}', '{"type":"page"}');
    expect(items.map(({ place }) => place)).toEqual(["0.jsonl, line 1", "0.jsonl, line 2", "1.jsonl, line 1"]);
  });

  it("keeps an event as it was given, but for what is missing", async () => {
    const given = { type: "Track", event: "A", user_id: 5, timestamp: "2026-01-31T12:00:00Z", traits: [] };
    expect(await readOne(JSON.stringify(given))).toMatchObject({
      given: { ...given, messageId: expect.any(String) },
      event: { type: "track", userId: "5", traits: {} },
      repairs: ["type_case", "empty_list", "id_number"],
    });
  });

  it("leaves the traits of an identify in its context, from where the service takes them", async () => {
    const event = { ...complete, type: "identify", context: { traits: { email: "a@b.example" } } };
    const item = await readOne(JSON.stringify(event));
    expect(item).toMatchObject({ given: event, repairs: ["traits_from_context"] });
    expect("event" in item && item.event).toEqual({ ...event, timestamp: "2026-01-31T12:00:00.000Z" });
    for (const rules of [json, avro]) expect(problemOf(item, rules)).toBeUndefined();
  });

  it("says so where there is no event at all", async () => {
    await expect(readOne("\n\n")).rejects.toThrow("Cannot find an event in events.jsonl: got nothing");
  });
});

const itemOf = (event: JsonObject): EventItem => ({ place: "line 1", given: event, event, repairs: [] });

describe("problemOf()", () => {
  it.each([
    ["a good event", complete, json],
    ["a broken rule where that is wished", { ...complete, userId: "" }, { ...json, invalid: true }],
    ["a page, which is only skipped", { type: "page" }, json],
    ["an odd context in JSON", { ...complete, context: "web" }, json],
  ] as const)("has nothing against %s", (_, event, rules) => {
    expect(problemOf(itemOf(event), rules)).toBeUndefined();
  });

  it.each([
    ["the broken rule by its name", { ...complete, userId: "" }, json, /^no_user_anon_id: /],
    ["what Avro has no room for", { ...complete, context: "web" }, avro, /`context`, want an object$/],
    ["the same of an invalid event", { type: 4 }, { ...avro, invalid: true }, /`type`, want text$/],
  ] as const)("tells %s", (_, event, rules, expected) => {
    expect(problemOf(itemOf(event), rules)).toMatch(expected);
  });

  it("tells why an item is no event", () => {
    const dead = { kind: "dead", reason: "undecodable", error: "Cannot read JSON" } as const;
    expect(problemOf({ place: "line 1", meaning: dead }, json)).toBe("Cannot read JSON");
    const empty = { kind: "skipped", reason: "tombstone" } as const;
    expect(problemOf({ place: "line 1", meaning: empty }, json)).toContain("Cannot find an event: got an empty list");
  });
});
