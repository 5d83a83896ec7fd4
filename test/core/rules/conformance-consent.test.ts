import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { RawEvent } from "../../../src/core/event/event.ts";
import { judge } from "../no-rules.ts";

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const rules = { consent: { categories: ["Advertising", "Analytics"] } };
const blocked = "filtered_by_end_user_consent";

const preferring = (categoryPreferences: RawEvent["x"]): RawEvent => ({
  ...identify,
  context: { consent: { categoryPreferences } },
});
const advertising = (preference: RawEvent["x"]): RawEvent => preferring({ Advertising: preference, Analytics: true });
const consenting = (consent: RawEvent["x"]): RawEvent => ({ ...identify, context: { consent } });
const within = (context: RawEvent["x"]): RawEvent => ({ ...identify, context });

const no = { Advertising: false };
const yes = { Advertising: true };

describe("consent lets it go where", () => {
  test.each<[string, RawEvent]>([
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
  ])("%s", (_, raw) => {
    expect(judge(raw, rules)).toMatchObject({ kind: "call" });
  });
});

describe("consent blocks where", () => {
  test.each<[string, RawEvent]>([
    ["a category is false", advertising(false)],
    ["a category is false as text", advertising("false")],
    ["a category is false as text in another case", advertising("False")],
    ["a category is false as text with blanks", advertising(" FALSE ")],
    ["a category is false as the text of a number", advertising("0")],
    ["a category is false as a number", advertising(0)],
    ["a category is null: somebody was asked, and did not say yes", advertising(null)],
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
  ])("%s", (_, raw) => {
    expect(judge(raw, rules)).toBe(blocked);
  });

  test.each(["toString", "__proto__", "constructor"])(
    "the category %s is false, and only where it is there",
    (name) => {
      const named = { consent: { categories: [name] } };
      expect(judge(preferring({}), named)).toMatchObject({ kind: "call" });
      expect(judge(preferring(JSON.parse(`{"${name}":true}`) as RawEvent), named)).toMatchObject({ kind: "call" });
      expect(judge(preferring(JSON.parse(`{"${name}":"false"}`) as RawEvent), named)).toBe(blocked);
    },
  );
});

test("consent is not looked at where no categories are set", () => {
  expect(judge(advertising(false))).toMatchObject({ kind: "call" });
});

describe("whatever else an event says", () => {
  const pad = fc.constantFrom("", " ", "\t", "\n ");
  const anyCase = (word: string) =>
    fc.mixedCase(fc.constant(word)).chain((text) => fc.tuple(pad, pad).map(([a, b]) => a + text + b));
  const falseLike = fc.oneof(
    fc.constantFrom<RawEvent["x"]>(false, 0, -0, "0", "0.0", "-0", null, "", [], {}, "no", "off", "denied", -1),
    anyCase("false"),
  );
  const asText = (value: RawEvent["x"], isText: boolean): RawEvent["x"] => (isText ? JSON.stringify(value) : value);
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }) as fc.Arbitrary<RawEvent>;
  const isText = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());

  test("it never goes with a refused category, in JSON text at any level", () => {
    fc.assert(
      fc.property(falseLike, isText, fc.tuple(object, object, object, object), (preference, texts, others) => {
        const [more, inConsent, inContext, inEvent] = others;
        const categoryPreferences = asText({ ...more, Analytics: preference }, texts[0]);
        const consent = asText({ ...inConsent, categoryPreferences }, texts[1]);
        const context = asText({ ...inContext, consent }, texts[2]);
        expect(judge({ ...inEvent, ...identify, context, traits: null }, rules)).toBe(blocked);
      }),
      { numRuns: 1_000, seed: 20_261_129 },
    );
  });

  test.each([
    ["context", within],
    ["consent", consenting],
    ["preferences", preferring],
  ])("it never goes with a %s that is no object", (name, holding) => {
    // PHP writes an empty context so.
    const isEmpty = (value: RawEvent["x"]) =>
      name === "context" && JSON.stringify(value).replaceAll(/[" ]/g, "") === "[]";
    const isReadable = (value: RawEvent["x"]) =>
      isEmpty(value) ||
      (typeof value === "object" && !Array.isArray(value)) ||
      (typeof value === "string" && ["", "null", "{}"].includes(value.trim()));
    const values = (fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<RawEvent["x"]>).filter((value) => !isReadable(value));
    fc.assert(
      fc.property(values, (value) => {
        expect(judge(holding(value), rules)).toBe(blocked);
      }),
      { numRuns: 300, seed: 20_261_129 },
    );
  });
});
