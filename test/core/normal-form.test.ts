import { describe, expect, test } from "vitest";

import type { RawEvent } from "../../src/core/event.ts";
import { normalEvent } from "../../src/core/normal-form.ts";
import { type Repair, repairTexts } from "../../src/core/repairs.ts";

const event = { type: "identify", userId: "u1" } as const;

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
  ])("takes %s", (_, given, raw, repairs) => {
    expect(normalEvent(given)).toEqual({ raw, repairs });
  });

  test("keeps an event that needs no repair as the object it is", () => {
    expect(normalEvent(event).raw).toBe(event);
  });

  test("names the wrappers that a decoder took off, too", () => {
    expect(normalEvent(event, ["json_text"]).repairs).toEqual(["json_text"]);
  });

  test("has a sentence for every repair", () => {
    for (const text of Object.values(repairTexts)) expect(text).toMatch(/^.{20,}[^.]$/);
  });
});
