import { describe, expect, test } from "vitest";

import type { RawEvent } from "../../../src/core/event/event.ts";
import { normalEvent } from "../../../src/core/event/normal-form.ts";
import { type Repair, repairTexts } from "../../../src/core/event/repairs.ts";

const event = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const standIns = { recordTime: -1, now: () => Date.UTC(2026, 0, 1) };

describe("normalEvent()", () => {
  test.each<[string, RawEvent, RawEvent, readonly Repair[]]>([
    ["an event that needs no repair", event, event, []],
    ["traits as JSON text", { ...event, traits: '{"a":1}' }, { ...event, traits: { a: 1 } }, ["json_text"]],
    [
      "two parts as JSON text, counted once",
      { ...event, traits: "{}", context: "{}" },
      { ...event, traits: {}, context: {} },
      ["json_text"],
    ],
    [
      "traits as JSON text, written twice",
      { ...event, traits: JSON.stringify('{"a":1}') },
      { ...event, traits: { a: 1 } },
      ["json_text"],
    ],
    [
      "traits that are the text of a large integer",
      { ...event, traits: "12345678901234567890" },
      { ...event, traits: "12345678901234567890" },
      [],
    ],
  ])("takes %s", (_, given, raw, repairs) => {
    expect(normalEvent(given, standIns)).toEqual({ raw, repairs });
  });

  test.each<[string, RawEvent["x"], RawEvent["x"]]>([
    ["app", '{"name":"A"}', { name: "A" }],
    ["campaign", '{"name":"A"}', { name: "A" }],
    ["consent", '{"categoryPreferences":{"A":true}}', { categoryPreferences: { A: true } }],
    ["consent", '{"categoryPreferences":"{\\"A\\":true}"}', { categoryPreferences: { A: true } }],
    ["consent", { categoryPreferences: '{"A":true}' }, { categoryPreferences: { A: true } }],
    ["device", ' {"advertisingId":"7A"}\n', { advertisingId: "7A" }],
    ["externalIds", '[{"id":"1"}]', [{ id: "1" }]],
    ["library", '{"name":"A"}', { name: "A" }],
    ["location", '{"city":"A"}', { city: "A" }],
    ["network", '{"wifi":true}', { wifi: true }],
    ["os", "{}", {}],
    ["page", '{"path":"/"}', { path: "/" }],
    ["personas", '{"computation_key":"vip"}', { computation_key: "vip" }],
    ["personas", "null", null],
    ["referrer", '{"id":9007199254740993}', { id: "9007199254740993" }],
    ["screen", '{"__proto__":1}', JSON.parse('{"__proto__":1}') as RawEvent],
    ["traits", '{"email":"a@b.c"}', { email: "a@b.c" }],
    ["userAgentData", '{"mobile":false}', { mobile: false }],
  ])("parses context.%s, if it is JSON text: %j", (name, given, expected) => {
    expect(normalEvent({ ...event, type: "track", context: { ip: "::1", [name]: given } }, standIns)).toEqual({
      raw: { ...event, type: "track", context: { ip: "::1", [name]: expected } },
      repairs: ["context_json_text"],
    });
  });

  test.each<[string, RawEvent["x"]]>([
    ["location", "Berlin"],
    ["location", "[Berlin]"],
    ["location", ""],
    ["device", '{"id":'],
    ["device", "12"],
    ["device", "true"],
    ["device", '"{}"'],
    ["device", `${"[".repeat(1_001)}${"]".repeat(1_001)}`],
    ["consent", { categoryPreferences: "no" }],
    ["ip", "[::1]"],
    ["custom", '{"a":1}'],
    ["toString", '{"a":1}'],
    ["categoryPreferences", '{"a":1}'],
  ])("leaves context.%s as it is: %j", (name, given) => {
    const raw = { ...event, context: { [name]: given } };
    expect(normalEvent(raw, standIns)).toEqual({ raw, repairs: [] });
    expect(normalEvent(raw, standIns).raw).toBe(raw);
  });

  test.each<[RawEvent["x"], RawEvent["x"]]>([
    ["false", false],
    ["False", false],
    [" FALSE ", false],
    ["0", false],
    ["0.0", false],
    ["-0", false],
    [0, false],
    [-0, false],
    ["true", true],
    ["TRUE\n", true],
    ["1", true],
    ["1.0", true],
    [1, true],
  ])("reads %j at the top of integrations as %j", (given, expected) => {
    expect(normalEvent({ ...event, integrations: { All: given, "Gainsight PX": { x: given } } }, standIns)).toEqual({
      raw: { ...event, integrations: { All: expected, "Gainsight PX": { x: given } } },
      repairs: ["integrations_boolean"],
    });
  });

  test.each<[RawEvent["x"]]>([
    [true],
    [false],
    [null],
    [""],
    [" "],
    ["no"],
    ["off"],
    ["00"],
    ["10"],
    ["truee"],
    [2],
    [-1],
    [0.5],
    [{}],
    [[]],
  ])("leaves %j at the top of integrations", (given) => {
    const raw = { ...event, integrations: { All: given } };
    expect(normalEvent(raw, standIns)).toEqual({ raw, repairs: [] });
  });

  test("finds what is JSON text in a part that is JSON text, and names each repair once", () => {
    const context = JSON.stringify({ traits: JSON.stringify({ email: "a@b.c" }), device: "{}" });
    expect(normalEvent({ ...event, context, integrations: '{"All":"1","Kafka":0}' }, standIns)).toEqual({
      raw: {
        ...event,
        traits: { email: "a@b.c" },
        context: { traits: { email: "a@b.c" }, device: {} },
        integrations: { All: true, Kafka: false },
      },
      repairs: ["json_text", "context_json_text", "integrations_boolean", "traits_from_context"],
    });
  });

  test("keeps an event that needs no repair as the object it is", () => {
    expect(normalEvent(event, standIns).raw).toBe(event);
  });

  test("names the wrappers that a decoder took off, too", () => {
    expect(normalEvent(event, standIns, ["json_text"]).repairs).toEqual(["json_text"]);
  });

  test("has a sentence for every repair", () => {
    for (const text of Object.values(repairTexts)) expect(text).toMatch(/^.{20,}[^.]$/);
  });
});
