import { describe, expect, test } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { sentAs, sha256 } from "../no-rules.ts";

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const track = { ...identify, type: "track", event: "Order Completed" } as const;

describe("types", () => {
  const typed = (value: NormalisedEvent["x"], type: "boolean" | "number") =>
    sentAs({ ...identify, traits: { x: value } }, { traits: { types: { x: type } } })["traits"];

  test.each<["boolean" | "number", NormalisedEvent["x"], NormalisedEvent["x"]]>([
    ["boolean", "true", true],
    ["boolean", "false", false],
    ["boolean", "TRUE", true],
    ["boolean", "False", false],
    ["boolean", "yes", "yes"],
    ["boolean", "1", "1"],
    ["boolean", " true", " true"],
    ["boolean", "", ""],
    ["boolean", 1, 1],
    ["boolean", null, null],
    ["number", "12", 12],
    ["number", "-12.50", -12.5],
    ["number", "0", 0],
    ["number", "9007199254740991", 9_007_199_254_740_991],
    ["number", "9007199254740992", "9007199254740992"],
    ["number", "-9007199254740993", "-9007199254740993"],
    ["number", "1".repeat(400), "1".repeat(400)],
    ["number", "007", "007"],
    ["number", "+1", "+1"],
    ["number", "1e3", "1e3"],
    ["number", "0x10", "0x10"],
    ["number", ".5", ".5"],
    ["number", "5.", "5."],
    ["number", "1,000", "1,000"],
    ["number", " 1", " 1"],
    ["number", "", ""],
    ["number", "NaN", "NaN"],
    ["number", "Infinity", "Infinity"],
    ["number", true, true],
    ["number", { x: "1" }, { x: "1" }],
  ])("%s: %j becomes %j", (type, value, expected) => {
    expect(typed(value, type)).toEqual({ x: expected });
  });

  test("apply only to the top level of traits and of properties", () => {
    const rules = { traits: { types: { x: "number" } }, properties: { types: { y: "boolean" } } } as const;
    const event = {
      ...track,
      x: "1",
      traits: { x: "1", y: "true", in: { x: "1" } },
      properties: { x: "1", y: "true" },
    };
    expect(sentAs(event, rules)).toEqual({
      ...event,
      traits: { x: 1, y: "true", in: { x: "1" } },
      properties: { x: "1", y: true },
    });
  });

  test.each([null, undefined])("leave %j traits unchanged", (traits) => {
    const rules = { traits: { types: { toString: "number" } } } as const;
    expect(sentAs({ ...identify, traits }, rules)).toEqual({ ...identify, ...(traits === null && { traits }) });
  });
});

describe("pii", () => {
  const cleaned = (fields: NormalisedEvent, pii: { drop?: string[]; hash?: string[] }) =>
    sentAs({ ...identify, ...fields }, { pii: { drop: [], hash: [], ...pii } });

  test.each<[string, string, NormalisedEvent, NormalisedEvent]>([
    ["a trait", "traits.email", { traits: { email: "a@b.c", plan: "x" } }, { traits: { plan: "x" } }],
    ["a whole branch", "context", { context: { ip: "::1" } }, {}],
    [
      "any key",
      "traits.*.email",
      { traits: { a: { email: 1 }, b: { email: 2, c: 3 } } },
      { traits: { a: {}, b: { c: 3 } } },
    ],
    ["items of a list", "traits.l.*.e", { traits: { l: [{ e: 1 }, { f: 2 }] } }, { traits: { l: [{}, { f: 2 }] } }],
    ["a key with a dot", String.raw`traits.a\.b`, { traits: { "a.b": 1, a: { b: 2 } } }, { traits: { a: { b: 2 } } }],
    ["a key with a space", "traits.Last Name", { traits: { "Last Name": "x" } }, { traits: {} }],
    ["nothing if the path leads to no value", "traits.email", { traits: { plan: "x" } }, { traits: { plan: "x" } }],
    ["nothing below a text", "traits.email.x", { traits: { email: "x" } }, { traits: { email: "x" } }],
    [
      "a key of each item of a list",
      "traits.l.e",
      { traits: { l: [{ e: 1 }, { f: 2 }, "e", null] } },
      { traits: { l: [{}, { f: 2 }, "e", null] } },
    ],
    [
      "it in lists of lists",
      "traits.l.e.f",
      { traits: { l: [[{ e: [{ f: 1 }] }]] } },
      { traits: { l: [[{ e: [{}] }]] } },
    ],
    ["nothing at an index", "traits.l.0", { traits: { l: ["x"] } }, { traits: { l: ["x"] } }],
  ])("drop removes %s", (_, path, fields, expected) => {
    expect(cleaned(fields, { drop: [path] })).toEqual({ ...identify, ...expected });
  });

  test.each<[string, NormalisedEvent["x"], NormalisedEvent["x"]]>([
    ["a text by its SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["a text beyond ASCII by its UTF-8", "ü", sha256("ü")],
    ["a number by its text's", 12.5, sha256("12.5")],
    ["a boolean by its text's", false, sha256("false")],
    ["null by null", null, null],
    ["an empty text by itself", "", ""],
    ["an object by nothing", { a: 1 }, undefined],
    ["a list by nothing", ["a"], undefined],
  ])("hash replaces %s", (_, value, expected) => {
    const traits = expected === undefined ? {} : { email: expected };
    expect(cleaned({ traits: { email: value } }, { hash: ["traits.email"] })).toEqual({ ...identify, traits });
  });

  test("hash replaces every item of a list and removes items that it cannot hash", () => {
    expect(cleaned({ traits: { l: ["a", { b: 1 }, null] } }, { hash: ["traits.l.*"] })["traits"]).toEqual({
      l: [sha256("a"), null],
    });
  });

  test("hash applies a key to each item of a list", () => {
    expect(cleaned({ traits: { l: [{ e: "a" }, { e: "" }, "e"] } }, { hash: ["traits.l.e"] })["traits"]).toEqual({
      l: [{ e: sha256("a") }, { e: "" }, "e"],
    });
  });

  test("hash replaces an id", () => {
    expect(cleaned({}, { hash: ["userId", "anonymousId"] })).toEqual({ ...identify, userId: sha256("u1") });
  });

  test("drop runs before hash", () => {
    expect(cleaned({ traits: { a: "x" } }, { drop: ["traits.a"], hash: ["traits.a"] })["traits"]).toEqual({});
  });

  test("runs after types: the hash is of the value that would be sent", () => {
    const rules = { traits: { types: { n: "number" } }, pii: { drop: [], hash: ["traits.n"] } } as const;
    expect(sentAs({ ...identify, traits: { n: "1.50" } }, rules)["traits"]).toEqual({ n: sha256("1.5") });
  });

  test("treats __proto__ as an ordinary key", () => {
    const traits = JSON.parse('{"__proto__":{"email":"x"},"ok":{"email":"y"}}') as NormalisedEvent;
    const after = JSON.stringify(cleaned({ traits }, { drop: ["traits.__proto__.email"], hash: ["traits.ok.email"] }));
    expect(after).toContain(`"traits":{"__proto__":{},"ok":{"email":"${sha256("y")}"}}`);
    expect(JSON.stringify(cleaned({ traits }, { drop: ["traits.__proto__"] }))).toContain('"traits":{"ok":');
    expect({}).not.toHaveProperty("email");
  });
});
