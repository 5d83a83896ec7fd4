import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { decideValid } from "../no-rules.ts";

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const rules = { consent: { categories: ["Advertising", "Analytics"] } };
const blocked = "filtered_by_end_user_consent";

const preferring = (categoryPreferences: NormalisedEvent["x"]): NormalisedEvent => ({
  ...identify,
  context: { consent: { categoryPreferences } },
});
const advertising = (preference: NormalisedEvent["x"]): NormalisedEvent =>
  preferring({ Advertising: preference, Analytics: true });
const consenting = (consent: NormalisedEvent["x"]): NormalisedEvent => ({ ...identify, context: { consent } });
const within = (context: NormalisedEvent["x"]): NormalisedEvent => ({ ...identify, context });

const no = { Advertising: false };
const yes = { Advertising: true };

describe("consent passes an event if", () => {
  test.each<[string, NormalisedEvent]>([
    ["all categories are true", advertising(true)],
    ["a category is true as text", advertising("true")],
    ["a category is true as text in another case, with blanks", advertising(" True ")],
    ["a category is true as the text of a number", advertising("1")],
    ["a category is true as a number", advertising(1)],
    ["a category is missing", preferring(yes)],
    ["every category is missing", preferring({})],
    ["only another category is false", preferring({ Functional: false })],
    ["only another category means nothing", preferring({ Functional: null, Personal: "maybe" })],
    ["a category in another case is false", preferring({ advertising: false })],
    ["the preferences are true in JSON text", preferring(JSON.stringify(yes))],
    ["the preferences are null", preferring(null)],
    ["the preferences are null as JSON text", preferring("null")],
    ["the preferences are blank text, which means absent", preferring(" ")],
    ["there are no preferences", consenting({})],
    ["consent is true in JSON text", consenting(JSON.stringify({ categoryPreferences: JSON.stringify(yes) }))],
    ["consent is null", consenting(null)],
    ["consent is null as JSON text", consenting("null")],
    ["consent is blank text, which means absent", consenting("")],
    ["there is no consent", within({})],
    ["the context is JSON text without consent", within("{}")],
    ["the context is null", within(null)],
    ["the context is blank text, which means absent", within("")],
    ["there is no context", identify],
  ])("%s", (_, event) => {
    expect(decideValid(event, rules)).toMatchObject({ kind: "call" });
  });
});

describe("consent blocks an event if", () => {
  test.each<[string, NormalisedEvent]>([
    ["a category is false", advertising(false)],
    ["a category is false as text", advertising("false")],
    ["a category is false as text in another case", advertising("False")],
    ["a category is false as text with blanks", advertising(" FALSE ")],
    ["a category is false as the text of a number", advertising("0")],
    ["a category is false as a number", advertising(0)],
    ["a category is null: the user was asked and did not say yes", advertising(null)],
    ["a category is another text", advertising("granted")],
    ["a category is blank text", advertising("")],
    ["a category is another number", advertising(2)],
    ["a category is a list", advertising([true])],
    ["a category is an object", advertising({ granted: true })],
    ["the preferences are false in JSON text", preferring(JSON.stringify(no))],
    ["the preferences are a list", preferring([true])],
    ["the preferences are an empty list", preferring([])],
    ["the preferences are text that is no JSON", preferring('{"Advertising":true')],
    ["the preferences are true", preferring(true)],
    ["the preferences are a number", preferring(1)],
    ["consent is false in JSON text", consenting(JSON.stringify({ categoryPreferences: no }))],
    [
      "all of it is JSON text",
      consenting(JSON.stringify({ categoryPreferences: JSON.stringify({ Advertising: "0" }) })),
    ],
    ["consent is a text", consenting("no")],
    ["consent is a list", consenting([{ categoryPreferences: yes }])],
    ["consent is true", consenting(true)],
    ["the context is JSON text with a refusal", within(JSON.stringify({ consent: { categoryPreferences: no } }))],
    ["the context is text that is no JSON", within('{"consent":')],
    ["the context is a number", within(0)],
    ["the context is a list with something in it", within([{ consent: { categoryPreferences: yes } }])],
  ])("%s", (_, event) => {
    expect(decideValid(event, rules)).toBe(blocked);
  });

  test.each(["toString", "__proto__", "constructor"])("the category %s is false, and only if it is present", (name) => {
    const named = { consent: { categories: [name] } };
    expect(decideValid(preferring({}), named)).toMatchObject({ kind: "call" });
    expect(decideValid(preferring(JSON.parse(`{"${name}":true}`) as NormalisedEvent), named)).toMatchObject({
      kind: "call",
    });
    expect(decideValid(preferring(JSON.parse(`{"${name}":"false"}`) as NormalisedEvent), named)).toBe(blocked);
  });
});

test("consent is not checked if no categories are set", () => {
  expect(decideValid(advertising(false))).toMatchObject({ kind: "call" });
});

describe("any other content of an event", () => {
  const pad = fc.constantFrom("", " ", "\t", "\n ");
  const anyCase = (word: string) =>
    fc.mixedCase(fc.constant(word)).chain((text) => fc.tuple(pad, pad).map(([a, b]) => a + text + b));
  const falseLike = fc.oneof(
    fc.constantFrom<NormalisedEvent["x"]>(false, 0, -0, "0", "0.0", "-0", null, "", [], {}, "no", "off", "denied", -1),
    anyCase("false"),
  );
  const asText = (value: NormalisedEvent["x"], isText: boolean): NormalisedEvent["x"] =>
    isText ? JSON.stringify(value) : value;
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }) as fc.Arbitrary<NormalisedEvent>;
  const isText = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());

  test("does not pass an event with a refused category, also in JSON text at any level", () => {
    fc.assert(
      fc.property(falseLike, isText, fc.tuple(object, object, object, object), (preference, texts, others) => {
        const [more, inConsent, inContext, inEvent] = others;
        const categoryPreferences = asText({ ...more, Analytics: preference }, texts[0]);
        const consent = asText({ ...inConsent, categoryPreferences }, texts[1]);
        const context = asText({ ...inContext, consent }, texts[2]);
        expect(decideValid({ ...inEvent, ...identify, context, traits: null }, rules)).toBe(blocked);
      }),
      { numRuns: 1_000, seed: 20_261_129 },
    );
  });

  test.each([
    ["context", within],
    ["consent", consenting],
    ["preferences", preferring],
  ])("does not pass an event whose %s is no object", (name, holding) => {
    // PHP writes an empty context in this way.
    const isEmpty = (value: NormalisedEvent["x"]) =>
      name === "context" && JSON.stringify(value).replaceAll(/[" ]/g, "") === "[]";
    const isReadable = (value: NormalisedEvent["x"]) =>
      isEmpty(value) ||
      (typeof value === "object" && !Array.isArray(value)) ||
      (typeof value === "string" && ["", "null", "{}"].includes(value.trim()));
    const values = (fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<NormalisedEvent["x"]>).filter(
      (value) => !isReadable(value),
    );
    fc.assert(
      fc.property(values, (value) => {
        expect(decideValid(holding(value), rules)).toBe(blocked);
      }),
      { numRuns: 300, seed: 20_261_129 },
    );
  });
});
