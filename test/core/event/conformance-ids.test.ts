import { describe, expect, test } from "vitest";

import { createDecide } from "../../../src/core/decide.ts";
import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import type { Repair } from "../../../src/core/event/repairs.ts";
import { parseJsonText } from "../../../src/core/json/json-text.ts";
import { noRules } from "../no-rules.ts";

const timestamp = "2024-01-02T03:04:05.678Z";
const identify = { type: "identify", userId: "u1", timestamp } as const;
const track = { ...identify, type: "track", event: "Order Completed" } as const;
const group = { ...identify, type: "group", groupId: "g1" } as const;

const normal = (event: NormalisedEvent) =>
  normaliseEvent(event, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) });
const decide = createDecide(noRules);
/** The name of the rule that the normal form of an event breaks; undefined if it breaks none. */
const brokenBy = (event: NormalisedEvent): string | undefined => {
  const { decision } = decide(normal(event).event);
  return decision.kind === "dead" ? decision.error.split(":", 1)[0] : undefined;
};
const fromJson = (text: string): NormalisedEvent => parseJsonText(text) as NormalisedEvent;

type Rule = [what: string, given: NormalisedEvent, changed: NormalisedEvent, repairs: readonly Repair[]];

describe("ids", () => {
  test.each<[written: string, text: string]>([
    ["97980", "97980"],
    ["0", "0"],
    ["-0", "0"],
    ["-7", "-7"],
    ["1e3", "1000"],
    ["9.798E7", "97980000"],
    ["97980.0", "97980"],
    ["1.5", "1.5"],
    ["9007199254740991", "9007199254740991"],
    ["9007199254740993", "9007199254740993"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["123456789012345678901234567890", "123456789012345678901234567890"],
    ["12345678901234567891.0", "12345678901234567891"],
  ])("%s becomes its exact text", (written, text) => {
    const { event } = normal(fromJson(`{"type":"identify","userId":${written},"timestamp":"${timestamp}"}`));
    expect(event).toEqual({ ...identify, userId: text });
  });

  test.each<Rule>([
    [
      "all of them, in whatever case their names are, counted once",
      { ...group, userId: 1, anonymous_id: 2, message_id: 3, groupId: 4, previousId: 5 },
      { ...group, userId: "1", anonymousId: "2", messageId: "3", groupId: "4", previousId: "5" },
      ["id_number"],
    ],
    ["text as it is", { ...identify, userId: "007" }, { ...identify, userId: "007" }, []],
    ["nothing nested", { ...identify, traits: { id: 7 } }, { ...identify, traits: { id: 7 } }, []],
    [
      "a blank id as an absent one, if snake_case has one",
      { ...identify, userId: " ", user_id: "u7" },
      { ...identify, userId: "u7" },
      [],
    ],
    [
      "an empty id as an absent one",
      { ...identify, userId: "", user_id: 7, anonymousId: null, anonymous_id: "a" },
      { ...identify, userId: "7", anonymousId: "a" },
      ["id_number"],
    ],
  ])("take %s", (_, given, event, repairs) => {
    expect(normal(given)).toEqual({ event, repairs });
    expect(brokenBy(given)).toBeUndefined();
  });

  test.each<[what: string, given: NormalisedEvent, rule: string]>([
    ["a boolean", { ...identify, userId: true }, "id_not_string"],
    ["an object", { ...identify, anonymousId: { id: 1 } }, "id_not_string"],
    ["a list", { ...track, groupId: ["g"] }, "id_not_string"],
    ["a float whose last digits are lost", { ...identify, userId: 2 ** 60 }, "id_not_string"],
    ["an exponent beyond 2^53, for the same reason", fromJson('{"type":"identify","userId":1e20}'), "id_not_string"],
    ["an empty userId and no anonymousId", { ...identify, userId: "" }, "no_user_anon_id"],
    ["an empty groupId", { ...group, groupId: "" }, "group_id_not_defined"],
  ])("%s is refused", (_, given, rule) => {
    expect(brokenBy(given)).toBe(rule);
    expect(normal(given).repairs).not.toContain("id_number");
  });
});

describe("parts", () => {
  test.each<Rule>([
    [
      "empty lists of PHP",
      { ...track, traits: [], properties: [], context: [], integrations: [] },
      { ...track, traits: {}, properties: {}, context: {}, integrations: {} },
      ["empty_list"],
    ],
    [
      "an empty list in JSON text",
      { ...identify, traits: " [] " },
      { ...identify, traits: {} },
      ["json_text", "empty_list"],
    ],
    [
      "JSON text in each",
      { ...track, traits: '{"a":1}', properties: '{"b":[]}', context: '{"ip":"::1"}', integrations: '{"All":true}' },
      { ...track, traits: { a: 1 }, properties: { b: [] }, context: { ip: "::1" }, integrations: { All: true } },
      ["json_text"],
    ],
    [
      "JSON text in JSON text",
      { ...identify, traits: '"{\\"a\\":1}"' },
      { ...identify, traits: { a: 1 } },
      ["json_text"],
    ],
    ["null in JSON text as absent", { ...identify, traits: "null", context: "" }, identify, ["json_text"]],
    ["an empty list elsewhere as it is", { ...identify, traits: { a: [] } }, { ...identify, traits: { a: [] } }, []],
  ])("take %s", (_, given, event, repairs) => {
    expect(normal(given)).toEqual({ event, repairs });
    expect(brokenBy(given)).toBeUndefined();
  });

  test.each<[what: string, given: NormalisedEvent, rule: string]>([
    ["a list with something in it", { ...identify, traits: [1] }, "traits_not_object"],
    ["such a list in JSON text", { ...track, properties: "[{}]" }, "properties_not_object"],
    ["text that is no JSON", { ...identify, traits: "plan: pro" }, "traits_not_object"],
    ["JSON text of a number", { ...track, properties: "7" }, "properties_not_object"],
  ])("%s is refused", (_, given, rule) => {
    expect(brokenBy(given)).toBe(rule);
  });

  test("text that is not JSON is not counted as a repair", () => {
    expect(normal({ ...identify, traits: "plan: pro" }).repairs).toEqual([]);
  });
});

describe("type", () => {
  test.each(["Track", "TRACK", " track ", "tRaCk\n"])("%j is the type track", (type) => {
    expect(normal({ ...track, type })).toEqual({ event: track, repairs: ["type_case"] });
  });

  test.each(["page", "SCREEN", "Alias", "delete", "merge", "audienceList", "record", "extract", "reset"])(
    "%s is skipped",
    (type) => {
      expect(decide(normal({ ...identify, type }).event)).toMatchObject({
        type: "other",
        decision: { kind: "skipped", reason: "unsupported_event_type" },
      });
    },
  );

  test.each<[string, NormalisedEvent["type"], string]>([
    ["that is unknown", "Order Completed", "type_unknown"],
    ["of spaces", "  ", "type_unknown"],
    ["that only looks like one", "ıdentify", "type_unknown"],
    ["named as a property of every object", "__proto__", "type_unknown"],
    ["that is a number", 7, "type_missing"],
    ["that is empty", "", "type_missing"],
    ["that is missing", undefined, "type_missing"],
  ])("a type %s is refused", (_, type, rule) => {
    expect(brokenBy({ ...identify, type })).toBe(rule);
    expect(normal({ ...identify, type }).repairs).toEqual([]);
  });

  test("a type in the setting skippedTypes is skipped in any case", () => {
    const { decision } = createDecide({ ...noRules, skippedTypes: ["Heartbeat"] })({ ...identify, type: "HEARTBEAT" });
    expect(decision).toEqual({ kind: "skipped", reason: "unsupported_event_type" });
  });
});
