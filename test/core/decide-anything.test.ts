import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type DecisionRules, createDecide } from "../../src/core/decide.ts";
import type { NormalisedEvent } from "../../src/core/event/event.ts";
import { normaliseEvent } from "../../src/core/event/normal-form.ts";
import { noRules } from "./no-rules.ts";

const word = fc.constantFrom(
  "a",
  "b",
  "userId",
  "traits",
  "properties",
  "context",
  "__proto__",
  "constructor",
  "toString",
);
const path = fc.array(fc.oneof(word, fc.constant("*")), { minLength: 1, maxLength: 4 }).map((keys) => keys.join("."));
const paths = fc.array(path, { maxLength: 3 });
const scalar = fc.constantFrom("x", "", 1, true, null);

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(scalar, fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie("json"), { maxKeys: 4 }),
  ),
}));

const jsonText = fc.constantFrom(
  '{"a":{"b":"x"}}',
  '[{"a":1},"b"]',
  '{"a":"{\\"b\\":[1]}"}',
  '"\\"x\\""',
  '{"a":',
  '{"__proto__":{"a":1}}',
  "null",
  "{}",
);

const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 15, arbitrary }, { weight: 1, arbitrary: json }, { weight: 1, arbitrary: jsonText });
const object = fc.dictionary(fc.oneof(word, fc.string()), fc.oneof(json, jsonText), { maxKeys: 4 });

const envelope = fc.record(
  {
    type: mostly(fc.constantFrom("identify", "track", "group")),
    userId: mostly(fc.string({ minLength: 1 })),
    event: mostly(fc.string({ minLength: 1 })),
    groupId: mostly(fc.string({ minLength: 1 })),
    traits: mostly(object),
    properties: mostly(object),
    timestamp: json,
    context: fc.oneof(
      json,
      fc.record({ personas: json, consent: fc.record({ categoryPreferences: json }) }),
      fc.record({ personas: jsonText, consent: jsonText, traits: fc.oneof(object, jsonText) }),
    ),
    integrations: json,
    replay: json,
  },
  { requiredKeys: ["type", "userId", "event", "groupId"] },
);

/** Parsed from JSON text, as a decoder does it: there `__proto__` is an own key of the object. */
const events = fc
  .tuple(envelope, object)
  .map(([fields, others]) => JSON.parse(JSON.stringify({ ...others, ...fields })) as NormalisedEvent);

const when = fc.record({ path, equals: scalar, event: fc.array(fc.string(), { minLength: 1 }) }, { requiredKeys: [] });

const rules: fc.Arbitrary<DecisionRules> = fc.record({
  ...(Object.fromEntries(Object.entries(noRules).map(([name, rule]) => [name, fc.constant(rule)])) as {
    [Name in keyof DecisionRules]: fc.Arbitrary<DecisionRules[Name]>;
  }),
  integrationNames: fc.array(word, { minLength: 1 }),
  consent: fc.record({ categories: fc.array(word) }),
  filters: fc.array(
    fc.oneof(
      fc.record({ action: fc.constant("drop_event" as const), when }),
      fc.record({ action: fc.constant("drop_property" as const), path, when }),
      fc.record({ action: fc.constant("drop_property" as const), path }),
      fc.record({ action: fc.constant("sample" as const), percent: fc.nat(100), when }),
    ),
    { maxLength: 3 },
  ),
  traits: fc.record({ types: fc.dictionary(word, fc.constantFrom("boolean" as const, "number" as const)) }),
  pii: fc.record({ drop: paths, hash: paths }),
});

const freeze = <T>(value: T): T => {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
};

const fallbacks = { recordTime: 1, wallNow: () => Date.UTC(2026, 0, 1) };
const decide = (given: DecisionRules, event: NormalisedEvent) =>
  createDecide(given)(normaliseEvent(event, fallbacks).event).decision;

describe("any event", () => {
  test("gets a decision and is never changed", () => {
    const kinds: Record<string, number> = {};
    fc.assert(
      fc.property(rules, events, (given, event) => {
        const before = JSON.stringify(event);
        const decision = decide(given, freeze(event));
        expect(JSON.stringify(event)).toBe(before);
        expect(JSON.parse(decision.kind === "call" ? String(decision.body) : "{}")).toBeTypeOf("object");
        kinds[decision.kind] = (kinds[decision.kind] ?? 0) + 1;
      }),
      { numRuns: 3_000, seed: 20_240_501 },
    );
    expect(Math.min(...["call", "skipped", "dead"].map((kind) => kinds[kind] ?? 0))).toBeGreaterThan(50);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("a");
  }, 30_000);

  test("has a normal form, and the normal form of that is the same", () => {
    fc.assert(
      fc.property(events, (event) => {
        const before = JSON.stringify(event);
        const normal = normaliseEvent(freeze(event), fallbacks).event;
        expect(JSON.stringify(event)).toBe(before);
        expect(JSON.stringify(normaliseEvent(normal, fallbacks).event)).toBe(JSON.stringify(normal));
      }),
      { numRuns: 500, seed: 20_240_501 },
    );
  });

  test("may hold three nested JSON texts, each 900 levels deep", () => {
    const nested = (inner: unknown) =>
      JSON.parse(`${"[".repeat(900)}${JSON.stringify(inner)}${"]".repeat(900)}`) as unknown;
    let value: unknown = { b: "x" };
    for (let level = 0; level < 6; level++) value = nested(JSON.stringify(value));
    const traits = { a: value } as NormalisedEvent;
    const decision = decide(
      { ...noRules, pii: { drop: ["traits.a.b"], hash: ["traits.*.c"] } },
      { type: "identify", userId: "u1", traits },
    );
    expect(decision.kind === "call" && String(decision.body)).not.toContain("x");
  });

  test("may be 1,000 levels deep, also along the paths of rules", () => {
    const deep = (open: string, close: string) => open.repeat(1_000) + close.repeat(1_000);
    const traits = JSON.parse(deep('{"a":', "}").replace("}", '"x"}')) as NormalisedEvent;
    const properties = JSON.parse(`{"a":${deep("[", "]")}}`) as NormalisedEvent;
    const longPath = ["traits", ...Array.from({ length: 499 }, () => "a")].join(".");
    const decision = decide(
      { ...noRules, pii: { drop: [`${longPath}.b`, "properties.a.b", "properties.*.*"], hash: [longPath] } },
      freeze({ type: "identify", userId: "u1", traits, properties }),
    );
    expect(decision.kind === "call" && JSON.parse(String(decision.body))).toMatchObject({ properties: { a: [] } });
  });
});
