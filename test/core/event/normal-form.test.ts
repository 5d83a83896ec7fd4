import { describe, expect, test } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import { type Repair, repairTexts } from "../../../src/core/event/repairs.ts";

const event = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const fallbacks = { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) };

describe("normaliseEvent()", () => {
  test.each<[string, NormalisedEvent, NormalisedEvent, readonly Repair[]]>([
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
  ])("normalises %s", (_, given, expected, repairs) => {
    expect(normaliseEvent(given, fallbacks)).toEqual({ event: expected, repairs });
  });

  test.each<[string, NormalisedEvent["x"], NormalisedEvent["x"]]>([
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
    ["screen", '{"__proto__":1}', JSON.parse('{"__proto__":1}') as NormalisedEvent],
    ["traits", '{"email":"a@b.c"}', { email: "a@b.c" }],
    ["userAgentData", '{"mobile":false}', { mobile: false }],
  ])("parses context.%s, if it is JSON text: %j", (name, given, expected) => {
    expect(normaliseEvent({ ...event, type: "track", context: { ip: "::1", [name]: given } }, fallbacks)).toEqual({
      event: { ...event, type: "track", context: { ip: "::1", [name]: expected } },
      repairs: ["context_json_text"],
    });
  });

  test.each<[string, NormalisedEvent["x"]]>([
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
  ])("leaves context.%s unchanged: %j", (name, given) => {
    const decoded = { ...event, context: { [name]: given } };
    expect(normaliseEvent(decoded, fallbacks)).toEqual({ event: decoded, repairs: [] });
    expect(normaliseEvent(decoded, fallbacks).event).toBe(decoded);
  });

  test.each<[NormalisedEvent["x"], NormalisedEvent["x"]]>([
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
  ])("converts %j at the top of integrations to %j", (given, expected) => {
    expect(normaliseEvent({ ...event, integrations: { All: given, "Gainsight PX": { x: given } } }, fallbacks)).toEqual(
      {
        event: { ...event, integrations: { All: expected, "Gainsight PX": { x: given } } },
        repairs: ["integrations_boolean"],
      },
    );
  });

  test.each<[NormalisedEvent["x"]]>([
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
    const decoded = { ...event, integrations: { All: given } };
    expect(normaliseEvent(decoded, fallbacks)).toEqual({ event: decoded, repairs: [] });
  });

  test("parses JSON text inside JSON text, and names each repair once", () => {
    const context = JSON.stringify({ traits: JSON.stringify({ email: "a@b.c" }), device: "{}" });
    expect(normaliseEvent({ ...event, context, integrations: '{"All":"1","Kafka":0}' }, fallbacks)).toEqual({
      event: {
        ...event,
        traits: { email: "a@b.c" },
        context: { traits: { email: "a@b.c" }, device: {} },
        integrations: { All: true, Kafka: false },
      },
      repairs: ["json_text", "context_json_text", "integrations_boolean", "traits_from_context"],
    });
  });

  test("returns an event that needs no repair as the same object", () => {
    expect(normaliseEvent(event, fallbacks).event).toBe(event);
  });

  test("also names the wrappers that a decoder took off", () => {
    expect(normaliseEvent(event, fallbacks, ["json_text"]).repairs).toEqual(["json_text"]);
  });

  test("has a sentence for every repair", () => {
    for (const text of Object.values(repairTexts)) expect(text).toMatch(/^.{20,}[^.]$/);
  });
});
