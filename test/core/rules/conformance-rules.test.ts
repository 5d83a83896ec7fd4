import { describe, expect, test } from "vitest";

import type { DecisionRules } from "../../../src/core/decide.ts";
import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import type { Condition } from "../../../src/core/rules/conditions.ts";
import type { Filter } from "../../../src/core/rules/filters.ts";
import { decideValid, sentAs } from "../no-rules.ts";

const timestamp = "2024-01-02T03:04:05.678Z";
const identify = { type: "identify", userId: "u1", timestamp } as const;
const track = { ...identify, type: "track", event: "Order Completed" } as const;
const group = { ...identify, type: "group", groupId: "g1" } as const;

describe("allow-list", () => {
  const rules = { events: ["Order Completed"] };

  test.each<[string, NormalisedEvent, Partial<DecisionRules>]>([
    ["a listed track event", track, rules],
    ["a listed one in other words' case and separators", { ...track, event: "order_completed" }, rules],
    ["an identify, which it never concerns", identify, rules],
    ["a group, which it never concerns", group, rules],
    ["an identify with an event's name", { ...identify, event: "Other" }, rules],
    ["every track event if the list is empty", { ...track, event: "Other" }, {}],
  ])("passes %s", (_, event, given) => {
    expect(decideValid(event, given)).toMatchObject({ kind: "call" });
  });

  test.each<[string, NormalisedEvent, Partial<DecisionRules>]>([
    ["a track event that is not listed", { ...track, event: "Other" }, rules],
    [
      "another spelling with exact matching",
      { ...track, event: "order_completed" },
      { ...rules, eventMatching: "exact" },
    ],
  ])("filters %s", (_, event, given) => {
    expect(decideValid(event, given)).toBe("filtered_by_allow_list");
  });
});

describe("a condition", () => {
  const order = {
    ...track,
    properties: { plan: "free", total: 12.5, ok: true, none: null, items: [{ sku: "a-1" }, { sku: "b-2" }], "a.b": 1 },
  };
  const drops = (when: Condition | undefined, event: NormalisedEvent = order) =>
    decideValid(event, { filters: [{ action: "drop_event", when }] }) === "filtered_by_rule";

  test.each<[string, Condition | undefined]>([
    ["nothing given", undefined],
    ["nothing in it", {}],
    ["type", { type: ["track"] }],
    ["one of several types", { type: ["identify", "track"] }],
    ["event", { event: ["Order Completed"] }],
    ["event, by eventMatching", { event: ["Other", "orderCompleted"] }],
    ["equals a text", { path: "properties.plan", equals: "free" }],
    ["equals a number", { path: "properties.total", equals: 12.5 }],
    ["equals a boolean", { path: "properties.ok", equals: true }],
    ["equals null", { path: "properties.none", equals: null }],
    ["equals null, of an absent value", { path: "properties.gone.deep", equals: null }],
    ["in", { path: "properties.plan", in: ["trial", "free"] }],
    ["in with null, of an absent value", { path: "context.page.url", in: [null, ""] }],
    ["matches", { path: "properties.plan", matches: "fr*" }],
    ["matches the text of a number", { path: "properties.total", matches: "12.*" }],
    ["matches the text of a boolean", { path: "properties.ok", matches: "true" }],
    ["any item of a list", { path: "properties.items.*.sku", equals: "b-2" }],
    ["any key of an object", { path: "properties.*", equals: 12.5 }],
    ["a key with a dot", { path: String.raw`properties.a\.b`, equals: 1 }],
    ["an envelope field", { path: "userId", equals: "u1" }],
    ["all that is given", { type: ["track"], event: ["Order Completed"], path: "properties.plan", in: ["free"] }],
  ])("holds for %s", (_, when) => {
    expect(drops(when)).toBe(true);
  });

  test.each<[string, Condition]>([
    ["another type", { type: ["identify", "group"] }],
    ["another event", { event: ["Order Cancelled"] }],
    ["another value", { path: "properties.plan", equals: "paid" }],
    ["a number for a text", { path: "properties.total", equals: "12.5" }],
    ["null for a value", { path: "properties.plan", equals: null }],
    ["a value for an object", { path: "properties", equals: "free" }],
    ["none in the list", { path: "properties.plan", in: ["trial", null] }],
    ["a pattern for another text", { path: "properties.plan", matches: "fr*x" }],
    ["a pattern for null", { path: "properties.none", matches: "*" }],
    ["a pattern for a list", { path: "properties.items", matches: "*" }],
    ["a list without *", { path: "properties.items.sku", equals: "a-1" }],
    ["an index of a list", { path: "properties.items.0.sku", equals: "a-1" }],
    ["* below a text", { path: "properties.plan.*", equals: null }],
    ["what every object inherits", { path: "properties.constructor.name", matches: "*" }],
    ["one of two not given", { type: ["track"], path: "properties.plan", equals: "paid" }],
  ])("does not hold for %s", (_, when) => {
    expect(drops(when)).toBe(false);
  });

  test("on an event's name does not hold for an identify with that name", () => {
    expect(drops({ event: ["Order Completed"] }, { ...identify, event: "Order Completed" })).toBe(false);
  });
});

describe("filters", () => {
  const filtered = (event: NormalisedEvent, ...filters: Filter[]) => decideValid(event, { filters });

  test("drop_property removes only that property", () => {
    const event = { ...track, properties: { keep: 1, cards: [{ number: "4", brand: "v" }, { brand: "m" }, "x"] } };
    const filters: Filter[] = [{ action: "drop_property", path: "properties.cards.*.number" }];
    expect(sentAs(event, { filters })).toEqual({
      ...track,
      properties: { keep: 1, cards: [{ brand: "v" }, { brand: "m" }, "x"] },
    });
  });

  test("drop_property removes list items and leaves no null in their place", () => {
    const filters: Filter[] = [{ action: "drop_property", path: "traits.tags.*" }];
    expect(sentAs({ ...identify, traits: { tags: ["a", "b"] } }, { filters })["traits"]).toEqual({ tags: [] });
  });

  test("each filter gets the result of the ones before it", () => {
    const dropPlan: Filter = { action: "drop_property", path: "traits.plan" };
    const dropEvent: Filter = { action: "drop_event", when: { path: "traits.plan", equals: "free" } };
    const event = { ...identify, traits: { plan: "free" } };
    expect(filtered(event, dropPlan, dropEvent)).toMatchObject({ kind: "call" });
    expect(filtered(event, dropEvent, dropPlan)).toBe("filtered_by_rule");
  });

  test("sample keeps nobody at 0 and everybody at 100, and applies only to events that meet its condition", () => {
    expect(filtered(identify, { action: "sample", percent: 0 })).toBe("sampled_out");
    expect(filtered(identify, { action: "sample", percent: 100 })).toMatchObject({ kind: "call" });
    expect(filtered(identify, { action: "sample", percent: 0, when: { type: ["track"] } })).toMatchObject({
      kind: "call",
    });
  });

  test("sample uses the user's id before any filter has dropped it", () => {
    const users = Array.from({ length: 50 }, (_, number) => ({ ...identify, userId: `u${number}`, anonymousId: "a" }));
    const sample: Filter = { action: "sample", percent: 50 };
    const kept = (...filters: Filter[]) => users.filter((event) => filtered(event, ...filters) !== "sampled_out");
    expect(kept({ action: "drop_property", path: "userId" }, sample)).toEqual(kept(sample));
  });

  test.each([
    [
      { ...identify, userId: "x", anonymousId: "a1" },
      { ...track, userId: "x", anonymousId: "a2" },
    ],
    [
      { ...identify, userId: "", anonymousId: "x" },
      { ...group, userId: null, anonymousId: "x" },
    ],
  ])("sample decides the same for all events of a user", (one, other) => {
    for (const percent of [10, 30, 50, 70, 90]) {
      const isKept = (event: NormalisedEvent) => filtered(event, { action: "sample", percent }) !== "sampled_out";
      expect(isKept(one)).toBe(isKept(other));
    }
  });
});

describe("the order of the rules", () => {
  const everything: Partial<DecisionRules> = {
    consent: { categories: ["Ads"] },
    events: ["Allowed"],
    filters: [{ action: "drop_event", when: { path: "properties.n", equals: 1 } }],
    properties: { types: { n: "number" } },
    pii: { drop: [], hash: ["properties.n"] },
  };
  const context = { consent: { categoryPreferences: { Ads: false } } };
  const integrations = { All: false };

  test.each<[string, NormalisedEvent]>([
    ["unsupported_event_type", { ...track, type: "page", context, integrations }],
    ["filtered_by_end_user_consent", { ...track, context, integrations }],
    ["filtered_by_integrations_object", { ...track, integrations, properties: { n: "1" } }],
    ["filtered_by_allow_list", { ...track, properties: { n: "1" } }],
    ["filtered_by_rule", { ...track, event: "Allowed", properties: { n: "1" } }],
  ])("applies %s first", (reason, event) => {
    expect(decideValid(event, everything)).toBe(reason);
  });
});
