import { describe, expect, it } from "vitest";

import { decodeJsonEvents } from "../../src/decoding/events.ts";
import { normalOf } from "./normal.ts";

const decode = (text: string) => normalOf(decodeJsonEvents(Buffer.from(text)));
const jsonOf = (event: object): string => JSON.stringify(event);
const nested = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

describe("decodeJsonEvents()", () => {
  it.each<[name: string, text: string, event: object]>([
    [
      "reads an event",
      '{"type":"track","properties":{"a":[1,null,{"b":true}]}}',
      { type: "track", properties: { a: [1, null, { b: true }] } },
    ],
    ["keeps null, which clears a trait", '{"traits":{"phone":null}}', { traits: { phone: null } }],
    [
      "normalises snake_case names of the envelope only",
      '{"user_id":"u","traits":{"user_id":"x"}}',
      { userId: "u", traits: { user_id: "x" } },
    ],
    ["prefers the camelCase name", '{"user_id":"old","userId":"new"}', { userId: "new" }],
    [
      "parses JSON text only in the parts that Segment defines as objects",
      jsonOf({
        traits: '{"a":1}',
        properties: '{"a":"{}"}',
        context: " {} ",
        integrations: '{"All":true}',
        event: "{}",
      }),
      { traits: { a: 1 }, properties: { a: "{}" }, context: {}, integrations: { All: true }, event: "{}" },
    ],
    ["takes a blank text in such a part for none", '{"type":"track","properties":"","traits":" "}', { type: "track" }],
    ["takes the text null in such a part for none", '{"type":"track","properties":"null"}', { type: "track" }],
    [
      "leaves JSON text of no object, which validateEvent refuses",
      jsonOf({ traits: "[1]", properties: "12345678901234567890" }),
      { traits: [1], properties: "12345678901234567890" },
    ],
    ["does not unwrap what looks like a union", '{"traits":{"string":"x"}}', { traits: { string: "x" } }],
    ["skips space and a byte order mark", "\uFEFF \n{}", {}],
    ["keeps 2^53 - 1 a number", '{"n":9007199254740991}', { n: 9_007_199_254_740_991 }],
    [
      "keeps integers beyond 2^53 as digits",
      '{"n":[9007199254740993,-12345678901234567890]}',
      { n: ["9007199254740993", "-12345678901234567890"] },
    ],
    ["keeps such digits in a string as they are", '{"n":"9007199254740993","m":1}', { n: "9007199254740993", m: 1 }],
    ["keeps long fractions as numbers", '{"n":0.12345678901234567890}', { n: 0.123_456_789_012_345_68 }],
    ["keeps numbers beyond all doubles as text", '{"n":1e999,"m":[-2.5E+400]}', { n: "1e999", m: ["-2.5E+400"] }],
    ["keeps an integer of 400 digits as they are", `{"n":${"9".repeat(400)}}`, { n: "9".repeat(400) }],
    ["takes what is nearer to zero than any double for zero", '{"n":[1e-999,-1e-999]}', { n: [0, -0] }],
    ["keeps -0", '{"n":-0}', { n: -0 }],
    ["finds a large integer that begins a list", '{"n":[\n 9007199254740993]}', { n: ["9007199254740993"] }],
    ["reads letters beyond ASCII", '{"name":"Zoë 🦊"}', { name: "Zoë 🦊" }],
    ["reads ordinary exponents", '{"n":1.5e3}', { n: 1_500 }],
  ])("%s", (_name, text, event) => {
    expect(decode(text)).toEqual(event);
  });

  it.each([
    '{"__proto__":{"admin":true}}',
    '{"user_id":"u","__proto__":1}',
    '{"n":12345678901234567890,"__proto__":1}',
  ])("keeps __proto__ as data: %s", (text) => {
    const event = decode(text);
    expect(Object.hasOwn(event, "__proto__")).toBe(true);
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  });

  it("accepts nesting up to 1,000 and refuses more", () => {
    expect(() => decode(nested(1_000))).not.toThrow();
    expect(() => decode(nested(1_001))).toThrow("Cannot read JSON: got nesting deeper than 1000, want less");
    expect(() => decode(nested(200_000))).toThrow("nesting deeper");
  });

  it("leaves a text that is not JSON in place of an object: validateEvent refuses only that event", () => {
    const [good, bad] = ['{"userId":"u","traits":"{}"}', '{"userId":"v","traits":"a secret"}'];
    expect(decode(`[${good},${bad}]`)).toEqual([
      { userId: "u", traits: {} },
      { userId: "v", traits: "a secret" },
    ]);
  });

  it("does not count brackets inside strings", () => {
    const text = JSON.stringify({ note: '\\"['.repeat(2_000) });
    expect(decode(text)).toEqual(JSON.parse(text));
  });

  it.each<[name: string, bytes: Buffer, error: string]>([
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "got bytes that are not valid UTF-8"],
    ["a lone null", Buffer.from("null"), "got null, want an object or a list of objects"],
    ["a blank text", Buffer.from(" "), "got 1 characters that are not valid JSON"],
    ["two events", Buffer.from("{}{}"), "not valid JSON"],
  ])("refuses %s", (_name, bytes, error) => {
    expect(() => decodeJsonEvents(bytes)).toThrow(error);
  });

  it("never quotes the payload in its errors", () => {
    expect(() => decode('{"email":"ada@example.com"')).toThrow(
      /^Cannot read JSON: got 26 characters that are not valid JSON$/,
    );
  });
});
