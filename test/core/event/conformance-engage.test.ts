import { describe, expect, test } from "vitest";

import { type Computation, computationOf } from "../../../src/core/event/engage.ts";
import type { RawEvent } from "../../../src/core/event/event.ts";
import { normalEvent } from "../../../src/core/event/normal-form.ts";
import { parseEvent } from "../../../src/core/rules/validate.ts";
import { judge } from "../no-rules.ts";

const personas = { computation_class: "audience", computation_key: "vip", computation_id: "aud_1", namespace: "spa_1" };
const identify = { type: "identify", userId: "u1", context: { personas }, traits: { vip: true } } as const;
const entered = { ...identify, type: "track", event: "Audience Entered" } as const;
const of = (fields: object): RawEvent => ({ context: { personas: { ...personas, ...fields } } });
const journey = of({ computation_class: "journey_step", computation_key: "j_o_1" });
const trait = of({ computation_class: "computed_trait", computation_key: "ltv" });

const understand = (raw: RawEvent): Computation | undefined => {
  const event = parseEvent(normalEvent(raw, { recordTime: -1, now: () => Date.UTC(2026, 0, 1) }).raw);
  if ("kind" in event || event.type === "other") throw new Error("The test's own event is invalid");
  return computationOf(event);
};

const audience = { computationClass: "audience", key: "vip", form: "identify", value: true, isMember: true };

const understood: [rule: string, what: string, raw: RawEvent, expected: object][] = [
  ["identify", "an entry", identify, audience],
  ["identify", "an exit", { ...identify, traits: { vip: false } }, { ...audience, value: false, isMember: false }],
  ["identify", "an entry as text", { ...identify, traits: { vip: "true" } }, { ...audience, value: "true" }],
  ["identify", "an exit as text", { ...identify, traits: { vip: "false" } }, { value: "false", isMember: false }],
  ["identify", "a computed trait", { ...identify, ...trait, traits: { ltv: 12.5 } }, { key: "ltv", value: 12.5 }],
  [
    "identify",
    "a trait of the older name",
    { ...identify, ...of({ computation_class: "trait" }) },
    { computationClass: "trait" },
  ],
  [
    "identify",
    "a journey's step",
    { ...identify, ...journey, traits: { j_o_1: true } },
    { computationClass: "journey_step", isMember: true },
  ],
  [
    "identify",
    "the key as it comes",
    { ...identify, ...of({ computation_key: "VIP Users" }), traits: { "VIP Users": true } },
    { key: "VIP Users", isMember: true },
  ],
  ["identify", "a trait that is cleared", { ...identify, ...trait, traits: { ltv: null } }, { value: null }],
  ["track", "an entry by its property", { ...entered, properties: { vip: true } }, { ...audience, form: "track" }],
  [
    "track",
    "an exit by its property",
    { ...entered, event: "Audience Exited", properties: { vip: "false" } },
    { isMember: false },
  ],
  [
    "track",
    "an entry by its name alone",
    { ...entered, properties: { audience_key: "vip" } },
    { key: "vip", isMember: true },
  ],
  ["track", "an exit by its name alone", { ...entered, event: "Audience Exited" }, { key: "vip", isMember: false }],
  ["track", "the property beats the name", { ...entered, properties: { vip: false } }, { isMember: false }],
  [
    "track",
    "audience_key where there is no other",
    { ...entered, ...of({ computation_key: null }), properties: { audience_key: "big", big: true } },
    { key: "big", value: true },
  ],
  [
    "track",
    "trait_key where there is no other",
    {
      ...entered,
      event: "Trait Computed",
      ...of({ computation_class: "computed_trait", computation_key: null }),
      properties: { trait_key: "ltv", ltv: 7 },
    },
    { computationClass: "computed_trait", key: "ltv", value: 7 },
  ],
  ["identify", "personas as JSON text", { ...identify, context: { personas: JSON.stringify(personas) } }, audience],
  ["identify", "context as JSON text", { ...identify, context: JSON.stringify({ personas }) }, audience],
  ["group", "an account's audience", { ...identify, type: "group", groupId: "g1" }, { ...audience, form: "group" }],
  [
    "group",
    "an account's trait",
    { ...identify, ...trait, type: "group", groupId: "g1", traits: { ltv: 3 } },
    { form: "group", key: "ltv", value: 3 },
  ],
  [
    "class",
    "one that we do not know",
    { ...identify, ...of({ computation_class: "prediction" }) },
    { computationClass: "other" },
  ],
  [
    "class",
    "one named as a property of every object",
    { ...identify, ...of({ computation_class: "constructor" }) },
    { computationClass: "other" },
  ],
  ["class", "none", { ...identify, ...of({ computation_class: null }) }, { computationClass: "other" }],
];

describe("Engage", () => {
  test.each(understood)("%s: understands %s", (_, __, raw, expected) => {
    expect(understand(raw)).toMatchObject(expected);
  });

  test.each<[string, RawEvent]>([
    ["a computed trait that happens to be true", { ...identify, ...trait, traits: { ltv: true } }],
    ["an audience whose value is missing from an identify", { ...identify, traits: {} }],
    ["an audience whose value is no boolean", { ...identify, traits: { vip: 1 } }],
    ["a track named as a property of every object", { ...entered, event: "constructor" }],
  ])("says nothing of membership for %s", (_, raw) => {
    expect(understand(raw)).not.toHaveProperty("isMember");
  });

  test("takes no value that every object inherits", () => {
    expect(understand({ ...identify, ...of({ computation_key: "toString" }) })?.value).toBeUndefined();
  });

  test.each<[string, RawEvent]>([
    ["no context", { type: "identify", userId: "u1" }],
    ["null personas", { ...identify, context: { personas: null } }],
    ["personas that are a text", { ...identify, context: { personas: "audience" } }],
    ["no key anywhere", { ...identify, ...of({ computation_key: null }) }],
    ["an audience_key in an event of the user's own", { ...entered, context: {}, properties: { audience_key: "vip" } }],
  ])("did not make an event with %s", (_, raw) => {
    expect(understand(raw)).toBeUndefined();
  });

  test.each([
    ["identify", identify],
    ["track", entered],
    ["group", { ...identify, type: "group", groupId: "g1" }],
  ])("goes as it is in its %s form, and its call names the class", (_, raw) => {
    const call = judge({ ...raw, timestamp: "2024-01-02T03:04:05.678Z" });
    expect(call).toMatchObject({ kind: "call", call: raw.type, computationClass: "audience" });
    expect(typeof call === "object" && JSON.parse(String(call.body))).toMatchObject(raw);
  });

  test("puts no class on the call of any other event", () => {
    expect(judge({ type: "identify", userId: "u1" })).not.toHaveProperty("computationClass");
  });
});
