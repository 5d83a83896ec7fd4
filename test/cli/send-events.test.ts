import { describe, expect, it } from "vitest";

import { type Item, eventsOf, problemOf } from "../../src/cli/send-events.ts";
import { textInput } from "../../src/cli/send-input.ts";
import type { JsonObject } from "../../src/core/event.ts";

const readOne = async (text: string): Promise<Item> => {
  for await (const item of eventsOf(textInput(text))) return item;
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
    ["an empty list within a line", '{"a":1}\n[]', "got an empty list, want one event"],
    ["an empty envelope", '{"schema":null,"payload":null}', "got an empty list, want one event"],
  ])("says of %s why it is no event", async (_, text, problem) => {
    const items: Item[] = [];
    for await (const item of eventsOf(textInput(text))) items.push(item);
    expect(items.at(-1)).toEqual({ place: `line ${items.length}`, problem: expect.stringContaining(problem) });
  });

  it.each([
    ["a list", '[{"type":"page"},{"user_id":"u2"}]', []],
    ["a batch", '{"batch":[{"type":"page"},{"user_id":"u2"}]}', ["batch"]],
  ])("takes each event of %s in a line on its own", async (_, text, repairs) => {
    const items: Item[] = [];
    for await (const item of eventsOf(textInput(`{"type":"page"}\n${text}`))) items.push(item);
    expect(items).toMatchObject([
      { place: "line 1", event: { type: "page" }, repairs: [] },
      { place: "line 2, event 1", event: { type: "page" }, repairs },
      { place: "line 2, event 2", event: { userId: "u2" }, repairs },
    ]);
  });

  it("leaves the traits of an identify in its context, from where the service takes them", async () => {
    const event = { ...complete, type: "identify", context: { traits: { email: "a@b.c" } } };
    const item = await readOne(JSON.stringify(event));
    expect(item).toMatchObject({ repairs: ["traits_from_context"] });
    expect("event" in item && item.event).toEqual({ ...event, timestamp: "2026-01-31T12:00:00.000Z" });
    for (const wire of [json, avro]) expect(problemOf(item, wire)).toBeUndefined();
  });

  it("says so where there is no event at all", async () => {
    await expect(readOne("\n\n")).rejects.toThrow("Cannot find an event: got nothing");
  });
});

describe("problemOf()", () => {
  it.each([
    ["a good event", complete, json],
    ["a broken rule where that is wished", { ...complete, userId: "" }, { ...json, invalid: true }],
    ["a page, which is only skipped", { type: "page" }, json],
    ["an odd context in JSON", { ...complete, context: "web" }, json],
  ] as const)("has nothing against %s", (_, event, rules) => {
    expect(problemOf({ place: "line 1", event, repairs: [] }, rules)).toBeUndefined();
  });

  it.each([
    ["the broken rule by its name", { ...complete, userId: "" }, json, /^no_user_anon_id: /],
    ["what Avro has no room for", { ...complete, context: "web" }, avro, /`context`, want an object$/],
    ["the same of an invalid event", { type: 4 }, { ...avro, invalid: true }, /`type`, want text$/],
  ] as const)("tells %s", (_, event, rules, expected) => {
    expect(problemOf({ place: "line 1", event, repairs: [] }, rules)).toMatch(expected);
  });

  it("tells why an item is no event", () => {
    expect(problemOf({ place: "line 1", problem: "Cannot read JSON" }, json)).toBe("Cannot read JSON");
  });
});
