import { describe, expect, it } from "vitest";

import { type EventItem, type SendItem, eventsOf, problemOf } from "../../src/cli/send-events.ts";
import { type Source, inputOf } from "../../src/cli/send-input.ts";
import type { JsonObject } from "../../src/core/json/json.ts";

const sourceOf = (text: string, name = "events.jsonl"): Source => ({ name, input: inputOf(text) });

const readAll = async (...texts: readonly string[]): Promise<SendItem[]> => {
  const items: SendItem[] = [];
  const sources = texts.map((text, index) => sourceOf(text, `${index}.jsonl`));
  for await (const item of eventsOf(sources)) items.push(item);
  return items;
};

const readOne = async (text: string): Promise<SendItem> => {
  for await (const item of eventsOf([sourceOf(text)])) return item;
  throw new Error("There is no event");
};

const readEvent = async (event: JsonObject): Promise<JsonObject> => {
  const item = await readOne(JSON.stringify(event));
  return "event" in item ? item.event : {};
};

const complete = { type: "track", event: "A", userId: "u1", messageId: "m1", timestamp: "2026-01-31T12:00:00Z" };
const json = { wireFormat: "json", invalid: false, skippedTypes: [] } as const;
const avro = { ...json, wireFormat: "avro" } as const;

describe("eventsOf()", () => {
  it("does not change a complete event", async () => {
    expect(await readEvent(complete)).toEqual({ ...complete, timestamp: "2026-01-31T12:00:00.000Z" });
  });

  it.each([undefined, null, ""])("adds a messageId and a timestamp instead of %j", async (nothing) => {
    const before = Date.now();
    const event = await readEvent({ ...complete, messageId: nothing, timestamp: nothing });
    expect(event["messageId"]).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    expect(Date.parse(event["timestamp"] as string)).toBeGreaterThanOrEqual(before);
    expect(event).toMatchObject({ type: "track", event: "A", userId: "u1" });
  });

  it("repairs wrong values as the service does, and names the repairs", async () => {
    const item = await readOne(JSON.stringify({ ...complete, messageId: 5, timestamp: "now" }));
    expect(item).toMatchObject({
      event: { messageId: "5", originalTimestamp: "now" },
      repairs: ["id_number", "time_unreadable", "timestamp_from_record"],
    });
  });

  it("takes the timestamp from another time of the event if it has one", async () => {
    const originalTimestamp = "2024-01-02T03:04:05.678Z";
    const item = await readOne(JSON.stringify({ ...complete, timestamp: undefined, originalTimestamp }));
    expect(item).toMatchObject({ event: { timestamp: originalTimestamp }, repairs: ["timestamp_from_original"] });
  });

  it("adds a timestamp without counting a repair", async () => {
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
  ])("decides on %s as the service does", async (_, text, error) => {
    const decision = { kind: "dead", reason: "undecodable", error: expect.stringContaining(error) };
    expect(await readOne(text)).toEqual({ location: "line 1", decision });
  });

  it.each([
    ["an empty list within a line", '{"a":1}\n[]'],
    ["an empty envelope", '{"schema":null,"payload":null}'],
  ])("decides on %s as the service does", async (_, text) => {
    const items = await readAll(text);
    const decision = { kind: "skipped", reason: "tombstone" };
    expect(items.at(-1)).toEqual({ location: `line ${items.length}`, decision });
  });

  it.each([
    ["a list", '[{"type":"page"},{"user_id":"u2"}]', []],
    ["a batch", '{"batch":[{"type":"page"},{"user_id":"u2"}]}', ["batch"]],
  ])("splits %s in a line into its events", async (_, text, repairs) => {
    const items = await readAll(`{"type":"page"}\n${text}`);
    expect(items).toMatchObject([
      { location: "line 1", event: { type: "page" }, repairs: [] },
      { location: "line 2, event 1", event: { type: "page" }, repairs },
      { location: "line 2, event 2", event: { userId: "u2" }, repairs },
    ]);
  });

  it("reads files in their order, and names them if there are several", async () => {
    const items = await readAll('{"type":"page"}\n{"type":"page"}', '{"type":"page"}');
    expect(items.map(({ location }) => location)).toEqual(["0.jsonl, line 1", "0.jsonl, line 2", "1.jsonl, line 1"]);
  });

  it("keeps the event of the file, with only a messageId added", async () => {
    const given = { type: "Track", event: "A", user_id: 5, timestamp: "2026-01-31T12:00:00Z", traits: [] };
    expect(await readOne(JSON.stringify(given))).toMatchObject({
      input: { ...given, messageId: expect.any(String) },
      event: { type: "track", userId: "5", traits: {} },
      repairs: ["type_case", "empty_list", "id_number"],
    });
  });

  it("leaves the traits of an identify in its context, because the service copies them from there", async () => {
    const event = { ...complete, type: "identify", context: { traits: { email: "a@b.example" } } };
    const item = await readOne(JSON.stringify(event));
    expect(item).toMatchObject({ input: event, repairs: ["traits_from_context"] });
    expect("event" in item && item.event).toEqual({ ...event, timestamp: "2026-01-31T12:00:00.000Z" });
    for (const rules of [json, avro]) expect(problemOf(item, rules)).toBeUndefined();
  });

  it("rejects input without any event", async () => {
    await expect(readOne("\n\n")).rejects.toThrow("Cannot find an event in events.jsonl: got nothing");
  });
});

const itemOf = (event: JsonObject): EventItem => ({ location: "line 1", input: event, event, repairs: [] });

describe("problemOf()", () => {
  it.each([
    ["a valid event", complete, json],
    ["a broken rule with `invalid`", { ...complete, userId: "" }, { ...json, invalid: true }],
    ["a page, which is only skipped", { type: "page" }, json],
    ["a wrong context in JSON", { ...complete, context: "web" }, json],
  ] as const)("accepts %s", (_, event, rules) => {
    expect(problemOf(itemOf(event), rules)).toBeUndefined();
  });

  it.each([
    ["the broken rule by its name", { ...complete, userId: "" }, json, /^no_user_anon_id: /],
    ["a value that Avro cannot hold", { ...complete, context: "web" }, avro, /`context`, want an object$/],
    ["such a value in an invalid event", { type: 4 }, { ...avro, invalid: true }, /`type`, want text$/],
  ] as const)("names %s", (_, event, rules, expected) => {
    expect(problemOf(itemOf(event), rules)).toMatch(expected);
  });

  it("says why an item has no event", () => {
    const dead = { kind: "dead", reason: "undecodable", error: "Cannot read JSON" } as const;
    expect(problemOf({ location: "line 1", decision: dead }, json)).toBe("Cannot read JSON");
    const empty = { kind: "skipped", reason: "tombstone" } as const;
    expect(problemOf({ location: "line 1", decision: empty }, json)).toContain(
      "Cannot find an event: got an empty list",
    );
  });
});
