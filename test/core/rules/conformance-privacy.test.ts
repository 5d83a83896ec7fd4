import { describe, expect, test } from "vitest";

import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import type { Filter } from "../../../src/core/rules/filters.ts";
import { decideValid, sentAs, sha256 } from "../no-rules.ts";

type Value = NormalisedEvent["x"];

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const track = { ...identify, type: "track", event: "Order Completed" } as const;
const group = { ...identify, type: "group", groupId: "g1" } as const;
const text = (value: Value): string => JSON.stringify(value);

const drops = (...drop: string[]) => ({ pii: { drop, hash: [] } });
const hashes = (...hash: string[]) => ({ pii: { drop: [], hash } });
const filters = (...paths: string[]) => ({
  filters: paths.map((path): Filter => ({ action: "drop_property", path })),
});

describe("a rule on traits", () => {
  const traits = { email: "a@b.c", plan: "x" };
  const left = { plan: "x" };

  test.each([identify, track, group])("also applies to the traits of the context: $type", (event) => {
    const both = { ...event, traits, context: { traits } };
    const expected = { ...event, traits: left, context: { traits: left } };
    expect(sentAs(both, drops("traits.email"))).toEqual(expected);
    expect(sentAs(both, filters("traits.email"))).toEqual(expected);
    const hashed = { email: sha256("a@b.c"), plan: "x" };
    expect(sentAs(both, hashes("traits.email"))).toEqual({ ...event, traits: hashed, context: { traits: hashed } });
  });

  test.each<[string, Value]>([
    ["if only the context has them", { traits }],
    ["if they are JSON text there", { traits: text(traits) }],
    ["if the context is JSON text", text({ traits: text(traits) })],
  ])("applies to them %s", (_, context) => {
    expect(sentAs({ ...track, context }, drops("traits.email"))["context"]).toEqual({ traits: left });
    expect(sentAs({ ...track, context }, filters("traits.email"))["context"]).toEqual({ traits: left });
  });

  test("hashes once, also if the rules name both places", () => {
    const hashed = { email: sha256("a@b.c") };
    const event = { ...identify, context: { traits: { email: "a@b.c" } } };
    const rules = hashes("context.traits.email", "traits.email");
    const expected = { traits: hashed, context: { traits: hashed } };
    expect(sentAs(event, rules)).toMatchObject(expected);
    expect(sentAs({ ...event, traits: { email: "a@b.c" } }, rules)).toMatchObject(expected);
  });

  test("on all traits applies to both places", () => {
    expect(sentAs({ ...group, traits, context: { traits, ip: "::1" } }, drops("traits"))).toEqual({
      ...group,
      context: { ip: "::1" },
    });
  });

  test.each(["context.traits.email", "context.traits"])("on the context, %s, leaves the event's own traits", (path) => {
    const both = { ...identify, traits, context: { traits: { ...traits } } };
    expect(sentAs(both, drops(path))["traits"]).toEqual(traits);
    expect(sentAs(both, filters(path))["traits"]).toEqual(traits);
  });

  test("in a condition tests only the event's own traits", () => {
    const rule: Filter = { action: "drop_event", when: { path: "traits.plan", equals: "x" } };
    expect(decideValid({ ...track, context: { traits } }, { filters: [rule] })).toMatchObject({ kind: "call" });
    expect(decideValid({ ...identify, context: { traits } }, { filters: [rule] })).toBe("filtered_by_rule");
  });
});

describe("the traits that an identify gets from its context", () => {
  const traits = { email: "a@b.c", plan: "x", seats: "3" };
  const withContextTraits: NormalisedEvent = { ...identify, context: { traits } };

  test.each<[string, NormalisedEvent]>([
    ["are absent", {}],
    ["are null", { traits: null }],
    ["are empty", { traits: {} }],
    ["are blank text", { traits: "" }],
    ["are an empty object as JSON text", { traits: "{}" }],
  ])("replace traits that %s", (_, fields) => {
    expect(sentAs({ ...withContextTraits, ...fields })).toEqual({ ...withContextTraits, traits });
  });

  test.each<[string, NormalisedEvent]>([
    ["has traits of its own", { ...withContextTraits, traits: { plan: "y" } }],
    ["has nothing but nulls in them", { ...withContextTraits, traits: { plan: null } }],
    ["is a track", { ...track, context: { traits } }],
    ["is a group", { ...group, context: { traits } }],
    ["has none in its context either", { ...identify, context: { traits: {} } }],
    ["has a list there", { ...identify, context: { traits: [traits] } }],
    ["has a text there that is no JSON", { ...identify, context: { traits: "premium" } }],
  ])("are not copied if the event %s", (_, event) => {
    expect(sentAs(event)).toEqual(event);
  });

  test.each(["context.traits.email", "context.*.email", "traits.email"])(
    "lose the values that %s drops in both places",
    (path) => {
      const left = { plan: "x", seats: "3" };
      const expected = { ...identify, traits: left, context: { traits: left } };
      expect(sentAs(withContextTraits, drops(path))).toEqual(expected);
      expect(sentAs(withContextTraits, filters(path))).toEqual(expected);
    },
  );

  test("are hashed in both places by a rule on the context", () => {
    const hashed = { ...traits, email: sha256("a@b.c") };
    expect(sentAs(withContextTraits, hashes("context.traits.email"))).toMatchObject({
      traits: hashed,
      context: { traits: hashed },
    });
  });

  test.each(["context", "context.traits", "context.*"])("are dropped from both places by a rule on %s", (path) => {
    expect(sentAs(withContextTraits, drops(path))).not.toHaveProperty("traits");
    expect(sentAs(withContextTraits, filters(path))).not.toHaveProperty("traits");
  });

  test("stay one object through types and filters, up to the rules on personal data", () => {
    const rules = {
      traits: { types: { seats: "number" } },
      ...filters("traits.plan", "context.ip"),
      ...drops("context.traits.email"),
    } as const;
    expect(sentAs({ ...identify, context: { traits, ip: "::1" } }, rules)).toEqual({
      ...identify,
      traits: { seats: 3 },
      context: { traits: { seats: 3 } },
    });
  });
});

describe("a rule that meets JSON text", () => {
  const address = { street: "Main", city: "X" };
  const left = { city: "X" };

  test.each<[what: string, path: string, given: Value, expected: Value]>([
    ["edits an object", "traits.address.street", { address: text(address) }, { address: text(left) }],
    [
      "edits JSON with blanks around it",
      "traits.address.street",
      { address: ` ${text(address)}\n` },
      { address: text(left) },
    ],
    [
      "edits JSON behind a byte order mark",
      "traits.address.street",
      { address: `\uFEFF${text(address)}` },
      { address: text(left) },
    ],
    ["edits a list", "traits.l.street", { l: text([address, 1]) }, { l: text([left, 1]) }],
    ["edits the items of a list", "traits.l.*.street", { l: [text(address)] }, { l: [text(left)] }],
    ["removes the items of a list", "traits.l.*", { l: text(["a", "b"]) }, { l: "[]" }],
    ["edits any key", "traits.*.street", { a: text(address), b: "c" }, { a: text(left), b: "c" }],
    ["edits a deeper level", "traits.a.b.street", { a: text({ b: address }) }, { a: text({ b: left }) }],
    ["edits text inside text", "traits.a.b.street", { a: text({ b: text(address) }) }, { a: text({ b: text(left) }) }],
    ["edits text that was encoded twice", "traits.a.street", { a: text(text(address)) }, { a: text(text(left)) }],
    ["removes the whole", "traits.address", { address: text(address) }, {}],
    ["sees a key said twice", "traits.a.b", { a: '{"b":1,"b":2}' }, { a: "{}" }],
    ["keeps no second word of a key", "traits.a.b.c", { a: '{"b":{"c":1},"b":2}' }, { a: '{"b":2}' }],
    [
      "keeps large integers exact",
      "traits.a.b",
      { a: '{"b":1,"c":9007199254740993}' },
      { a: text({ c: "9007199254740993" }) },
    ],
    ["treats __proto__ as a key", "traits.a.__proto__", { a: '{"__proto__":1,"b":2}' }, { a: text({ b: 2 }) }],
    ["leaves other text", "traits.a.b", { a: "Main Street" }, { a: "Main Street" }],
    ["leaves other text in brackets", "traits.a.b", { a: "[urgent] call {name}" }, { a: "[urgent] call {name}" }],
    ["leaves other text in quotes", "traits.a.b", { a: '"Main" Street' }, { a: '"Main" Street' }],
    ["leaves the text of a scalar", "traits.a.b", { a: "12" }, { a: "12" }],
    ["removes an object that was cut short", "traits.a.b", { a: '{"b":"Main","c":"x' }, {}],
    ["removes a map as Java prints it", "traits.a.b", { a: "{b=Main, c=x}" }, {}],
    ["removes a list of these", "traits.a.b", { a: "[{b=Main}, {c=x}]" }, {}],
    ["removes an object as JavaScript writes it", "traits.a.b", { a: "{ b : 'Main' }" }, {}],
    ["removes a hash of Ruby", "traits.a.b", { a: '{:b=>"Main"}' }, {}],
    ["removes a record as Kafka Connect prints it", "traits.a.b", { a: "Struct{b=Main,c=x}" }, {}],
    ["leaves a template", "traits.a.b", { a: "{name}: {{b}}" }, { a: "{name}: {{b}}" }],
    ["removes a list that was cut short", "traits.a.b", { a: '[{"b":"Main"},{' }, {}],
    [
      "removes an object nested too deep",
      "traits.a.b",
      { a: `{"b":1,"c":${"[".repeat(1_000)}${"]".repeat(1_000)}}` },
      {},
    ],
    ["removes a list nested too deep", "traits.a.b", { a: `${"[".repeat(1_001)}${"]".repeat(1_001)}` }, {}],
  ])("%s", (_, path, given, expected) => {
    expect(sentAs({ ...identify, traits: given }, drops(path))["traits"]).toEqual(expected);
    expect(sentAs({ ...identify, traits: given }, filters(path))["traits"]).toEqual(expected);
  });

  // With quadratic time each of these takes minutes.
  test.each(["{ ", "{\uFEFF", "{a", "{a=", "[ ", "[{", "a", " ", '{"', '["', "Struct{ "])(
    "takes linear time for 300,000 characters behind %j",
    (beginning) => {
      const last = beginning.at(-1) ?? "";
      const long = beginning + last.repeat(300_000);
      for (const a of [long, `${long}x`, `${long}"`]) {
        const sent = sentAs({ ...identify, traits: { a } }, drops("traits.a.b"))["traits"];
        expect([{}, { a }]).toContainEqual(sent);
      }
    },
  );
});
