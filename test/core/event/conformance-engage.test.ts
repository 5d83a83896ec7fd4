import { describe, expect, test } from "vitest";

import { type ComputationClass, computationClassOf } from "../../../src/core/event/engage.ts";
import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { normaliseEvent } from "../../../src/core/event/normal-form.ts";
import { decideValid } from "../no-rules.ts";

const personas = { computation_class: "audience", computation_key: "vip", computation_id: "aud_1", namespace: "spa_1" };
const identify = { type: "identify", userId: "u1", context: { personas }, traits: { vip: true } } as const;
const entered = { ...identify, type: "track", event: "Audience Entered" } as const;
const group = { ...identify, type: "group", groupId: "g1" } as const;
const withPersonas = (fields: object): NormalisedEvent => ({ context: { personas: { ...personas, ...fields } } });
const journey = withPersonas({ computation_class: "journey_step", computation_key: "j_o_1" });
const trait = withPersonas({ computation_class: "computed_trait", computation_key: "ltv" });

const classOf = (event: NormalisedEvent): ComputationClass | undefined =>
  computationClassOf(normaliseEvent(event, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) }).event);

describe("Engage", () => {
  test.each<[type: string, what: string, event: NormalisedEvent, expected: ComputationClass]>([
    ["identify", "an audience", identify, "audience"],
    ["identify", "a computed trait", { ...identify, ...trait, traits: { ltv: 12.5 } }, "computed_trait"],
    [
      "identify",
      "a trait of the older name",
      { ...identify, ...withPersonas({ computation_class: "trait" }) },
      "trait",
    ],
    ["identify", "a journey's step", { ...identify, ...journey, traits: { j_o_1: true } }, "journey_step"],
    ["track", "an audience", { ...entered, properties: { vip: true } }, "audience"],
    [
      "track",
      "an audience that only audience_key names",
      { ...entered, ...withPersonas({ computation_key: null }), properties: { audience_key: "big", big: true } },
      "audience",
    ],
    [
      "track",
      "a computed trait that only trait_key names",
      {
        ...entered,
        event: "Trait Computed",
        ...withPersonas({ computation_class: "computed_trait", computation_key: null }),
        properties: { trait_key: "ltv", ltv: 7 },
      },
      "computed_trait",
    ],
    ["identify", "personas as JSON text", { ...identify, context: { personas: JSON.stringify(personas) } }, "audience"],
    ["identify", "context as JSON text", { ...identify, context: JSON.stringify({ personas }) }, "audience"],
    ["group", "an account's audience", group, "audience"],
    ["group", "an account's trait", { ...group, ...trait, traits: { ltv: 3 } }, "computed_trait"],
    ["identify", "an unknown class", { ...identify, ...withPersonas({ computation_class: "prediction" }) }, "other"],
    [
      "identify",
      "a class named as a property of every object",
      { ...identify, ...withPersonas({ computation_class: "constructor" }) },
      "other",
    ],
    ["identify", "no class", { ...identify, ...withPersonas({ computation_class: null }) }, "other"],
  ])("%s: returns the class of %s", (_, __, event, expected) => {
    expect(classOf(event)).toBe(expected);
  });

  test.each<[string, NormalisedEvent]>([
    ["no context", { type: "identify", userId: "u1" }],
    ["null personas", { ...identify, context: { personas: null } }],
    ["personas that are a text", { ...identify, context: { personas: "audience" } }],
    ["no key anywhere", { ...identify, ...withPersonas({ computation_key: null }) }],
    ["an audience_key in an event of the user's own", { ...entered, context: {}, properties: { audience_key: "vip" } }],
  ])("did not make an event that has %s", (_, event) => {
    expect(classOf(event)).toBeUndefined();
  });

  test.each([
    ["identify", identify],
    ["track", entered],
    ["group", group],
  ])("an event of Engage is delivered unchanged as %s, and its call names the class", (_, event) => {
    const call = decideValid({ ...event, timestamp: "2024-01-02T03:04:05.678Z" });
    expect(call).toMatchObject({ kind: "call", type: event.type, computationClass: "audience" });
    expect(typeof call === "object" && JSON.parse(String(call.body))).toMatchObject(event);
  });

  test("puts no class on the call of any other event", () => {
    expect(decideValid({ type: "identify", userId: "u1" })).not.toHaveProperty("computationClass");
  });
});
