import { describe, expect, test } from "vitest";

import { ConfigError } from "../../../src/config/config-error.ts";
import { parseSettings, readSettingsFile } from "../../../src/config/settings/settings.ts";

/** The sentences of all mistakes. */
const mistakesIn = (text: string): readonly string[] => {
  try {
    parseSettings(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ sentence }) => sentence);
    throw error;
  }
  return [];
};

const defaults = parseSettings("");

const unknown =
  "is unknown; known settings are events, eventMatching, skippedTypes, integrationNames, ignoreAllFalse, consent, dedupe, deadLetterLimit, " +
  "failOnResultFalse, paused, traits, properties, filters, pii";

const notYaml = /^settings: got .*, want valid YAML 1.2 without tags$/;

describe("parseSettings()", () => {
  test("has a default for every setting", () => {
    expect(defaults).toEqual({
      events: [],
      eventMatching: "loose",
      skippedTypes: [],
      integrationNames: ["Gainsight"],
      ignoreAllFalse: { engage: true, replays: true },
      consent: { categories: [] },
      dedupe: { windowMs: 86_400_000, maxEvents: 100_000 },
      deadLetterLimit: { consecutive: 100, percent: 50, minEvents: 1000, scope: "all" },
      failOnResultFalse: false,
      paused: false,
      traits: { types: {} },
      properties: { types: {} },
      filters: [],
      pii: { drop: [], hash: [] },
    });
  });

  test.each([
    ["# nothing but a comment", {}],
    [Object.keys(defaults).join(":\n").concat(":"), {}],
    [
      "events: [Order Completed, A]\neventMatching: exact",
      { events: ["Order Completed", "A"], eventMatching: "exact" },
    ],
    ["skippedTypes: [Heartbeat, ping]", { skippedTypes: ["Heartbeat", "ping"] }],
    ["deadLetterLimit: false", { deadLetterLimit: false }],
    ["deadLetterLimit: {}", {}],
    [
      "deadLetterLimit: { consecutive: 1, percent: 100 }",
      { deadLetterLimit: { consecutive: 1, percent: 100, minEvents: 1000, scope: "all" } },
    ],
    [
      "deadLetterLimit: { scope: cause }",
      { deadLetterLimit: { consecutive: 100, percent: 50, minEvents: 1000, scope: "cause" } },
    ],
    ["integrationNames: [Kafka, Gainsight]", { integrationNames: ["Kafka", "Gainsight"] }],
    ["ignoreAllFalse: { engage: false }", { ignoreAllFalse: { engage: false, replays: true } }],
    ["consent: { categories: [Marketing] }", { consent: { categories: ["Marketing"] } }],
    ["dedupe: false", { dedupe: false }],
    ["dedupe: {}", {}],
    ["dedupe: { window: 1h30m }", { dedupe: { windowMs: 5_400_000, maxEvents: 100_000 } }],
    ["failOnResultFalse: true", { failOnResultFalse: true }],
    ["paused: true", { paused: true }],
    [
      "traits: { types: { seats: number, is trial: boolean } }",
      { traits: { types: { seats: "number", "is trial": "boolean" } } },
    ],
    ["properties: { types: {} }", {}],
    ["filters: [{ action: drop_event }]", { filters: [{ action: "drop_event" }] }],
    ["filters: [{ action: sample, percent: 0.5 }]", { filters: [{ action: "sample", percent: 0.5 }] }],
    [
      "filters: [{ action: drop_property, path: properties.*.cost, when: { type: track, event: A } }]",
      {
        filters: [{ action: "drop_property", path: "properties.*.cost", when: { type: ["track"], event: ["A"] } }],
      },
    ],
    [
      "filters: [{ action: drop_event, when: { type: [identify, group], path: '*.plan', in: [1, x, true, null] } }]",
      {
        filters: [
          { action: "drop_event", when: { type: ["identify", "group"], path: "*.plan", in: [1, "x", true, null] } },
        ],
      },
    ],
    [
      "filters: [{ action: drop_event, when: { path: traits.a, equals: null } }]",
      { filters: [{ action: "drop_event", when: { path: "traits.a", equals: null } }] },
    ],
    [
      "pii: { drop: [context.ip, 'properties.a\\.b'], hash: [userId] }",
      { pii: { drop: ["context.ip", String.raw`properties.a\.b`], hash: ["userId"] } },
    ],
  ])("reads %j", (text, expected) => {
    expect(parseSettings(text)).toEqual({ ...defaults, ...expected });
  });

  test("reports every mistake with its path", () => {
    expect(mistakesIn("events: [A, 3]\neventMatching: fuzzy\nevent: []\nrest: true\n__proto__: 1")).toEqual([
      "settings.events[1]: got '3', want a list of event names as text, such as [Order Completed]",
      "settings.eventMatching: got 'fuzzy', want 'loose' or 'exact'",
      `settings.event ${unknown}`,
      "settings.rest is not available in this version; remove it",
      `settings.__proto__ ${unknown}`,
    ]);
  });

  test.each(["[Track]", "[' identify ']", "[' ']", "heartbeat"])("refuses skippedTypes: %s", (types) => {
    expect(mistakesIn(`skippedTypes: ${types}`)).toEqual([expect.stringContaining("want a list of types as text")]);
  });

  test("reports every mistake in filters with its path and what is wanted there", () => {
    const text = `filters:
      - { action: explode }
      - 3
      - { action: drop_event, when: { type: [track, page], evnt: A, path: a..b, in: [], matches: '' } }
      - { action: drop_property, when: { event: [] } }
      - { action: sample, percent: 101, when: }
      - { action: sample, percent: 1, of: users }`;
    const path = "a path such as traits.email, without spaces around a key; * alone matches one key or one list item";
    const example = "a map such as { type: track, path: properties.plan, equals: free }";
    expect(mistakesIn(text).map((sentence) => sentence.replace("settings.filters", ""))).toEqual([
      "[0].action: got 'explode', want drop_event, drop_property or sample",
      "[1]: got '3', want a map such as { action: drop_event, when: { type: track, event: Heartbeat } }",
      "[2].when.type[1]: got 'page', want identify, track or group, or a list of them",
      `[2].when.path: got 'a..b', want ${path}`,
      "[2].when.in: got an empty list, want a list of values such as [free, trial]",
      "[2].when.matches: got '', want text of 1 to 1,000 characters, in which * matches any characters",
      "[2].when.evnt is unknown; known settings are type, event, path, equals, in, matches",
      "[2].when: got a map of 'type, path, in, matches', want path with exactly one of equals, in and matches, or none of the four",
      `[3].path: got nothing, want ${path}`,
      "[3].when.event: got an empty list, want the name of a track event, or a list of names",
      "[4].percent: got '101', want a number from 0 to 100",
      `[4].when: got 'null', want ${example}`,
      "[5].of is unknown; known settings are action, percent, when",
    ]);
  });

  test.each([
    ["{ path: a }", false],
    ["{ equals: 1 }", false],
    ["{ path: a, equals: 1, in: [1] }", false],
    ["{ path: a, in: [1], matches: x }", false],
    ["{ path: a, equals: 9007199254740993 }", false],
    ["{ path: a, equals: [1] }", false],
    ["{ path: a, equals: .inf }", false],
    [`{ path: a, matches: ${"x".repeat(1_001)} }`, false],
    [`{ path: a, matches: ${"x".repeat(1_000)} }`, true],
    ["{ path: a, equals: '9007199254740993' }", true],
    ["{ path: a, equals: 1.5 }", true],
    ["{}", true],
    ["3", false],
    ["[a]", false],
  ])("takes the condition %s: %s", (when, isValid) => {
    expect(mistakesIn(`filters: [{ action: drop_event, when: ${when} }]`).length === 0).toBe(isValid);
  });

  test.each([
    "message_id",
    "user_id",
    "anonymous_id",
    "group_id",
    "original_timestamp",
    "sent_at",
    "received_at",
    "user_id.a",
  ])("refuses a rule on %s, because rules see camelCase names only", (name) => {
    for (const text of [
      `pii: { drop: [${name}] }`,
      `pii: { hash: [${name}] }`,
      `filters: [{ action: drop_property, path: ${name} }]`,
      `filters: [{ action: drop_event, when: { path: ${name}, equals: 1 } }]`,
    ])
      expect(mistakesIn(text)).toEqual([expect.stringContaining("userId instead of user_id")]);
    expect(mistakesIn(`pii: { drop: [traits.${name}] }`)).toEqual([]);
  });

  const envelope = ["type", "messageId", "timestamp", "event"];
  const ids = ["userId", "anonymousId", "groupId"];

  test.each([
    ...envelope,
    ...ids,
    "*",
    "*.email",
    "a.",
    ".a",
    "",
    "traits.e*",
    " traits.email",
    "traits. email",
    "traits.email ",
    "3",
    "null",
  ])("refuses to drop %j: order and identity depend on it, or it is no path", (path) => {
    const given = /^[\w.]+$/.test(path) ? path : `'${path}'`;
    const isText = !["3", "null"].includes(path);
    const filters = mistakesIn(`filters: [{ action: drop_property, path: ${given} }]`);
    const pii = mistakesIn(`pii: { drop: [${given}] }`);
    expect([filters.length, pii.length]).toEqual([1, 1]);
    const hash = mistakesIn(`pii: { hash: [${given}] }`);
    expect(hash.length).toBe(ids.includes(path) && isText ? 0 : 1);
  });

  test.each([
    ["integrationNames: []", "settings.integrationNames", "an empty list"],
    ["integrationNames: [all]", "settings.integrationNames[0]", "'all'"],
    ["ignoreAllFalse: true", "settings.ignoreAllFalse", "'true'"],
    ["ignoreAllFalse: { replays: 'yes' }", "settings.ignoreAllFalse.replays", "'yes'"],
    ["consent: { categories: Marketing }", "settings.consent.categories", "'Marketing'"],
    ["dedupe: true", "settings.dedupe", "'true'"],
    ["dedupe: { window: 12 }", "settings.dedupe.window", "'12'"],
    ["dedupe: { window: 31d }", "settings.dedupe.window", "'31d'"],
    ["dedupe: { window: 10ms }", "settings.dedupe.window", "'10ms'"],
    ["dedupe: { maxEvents: 0 }", "settings.dedupe.maxEvents", "'0'"],
    ["failOnResultFalse: 'no'", "settings.failOnResultFalse", "'no'"],
    ["paused: 'yes'", "settings.paused", "'yes'"],
    ["traits: { types: { a: text } }", "settings.traits.types.a", "'text'"],
    ["properties: { types: { 'a b': 3 } }", "settings.properties.types['a b']", "'3'"],
    ["properties: { type: {} }", "settings.properties.type", "unknown"],
    ["pii: [traits.email]", "settings.pii", "a list"],
    ["filters: { action: sample }", "settings.filters", "a map of 'action'"],
    [`pii: { drop: [${"a.b,".repeat(1_001)}] }`, "settings.pii.drop", "a list"],
    [`filters: [${"{ action: drop_event },".repeat(1_001)}]`, "settings.filters", "a list"],
  ])("refuses %.60j", (text, variable, got) => {
    expect(mistakesIn(text)).toEqual([
      expect.stringContaining(`${variable}${got === "unknown" ? " is" : ": got"} ${got}`),
    ]);
  });

  test.each([
    ["true", [": got 'true', want false, or a map such as"]],
    ["100", [": got '100', want false, or a map such as"]],
    ["[100]", [": got a list, want false, or a map such as"]],
    [
      "{ consecutive: 0, percent: 101, minEvents: 1.5 }",
      [
        ".consecutive: got '0', want a whole number",
        ".percent: got '101', want a whole number",
        ".minEvents: got '1.5', want a whole number",
      ],
    ],
    ["{ scope: topic }", [".scope: got 'topic', want 'all' or 'cause'"]],
    ["{ percent: many }", [".percent: got 'many', want a whole number"]],
    ["{ limit: 3 }", [".limit is unknown; known settings are consecutive, "]],
    [
      "{ limit: 3, percent: 0 }",
      [".percent: got '0', want a whole number", ".limit is unknown; known settings are consecutive, "],
    ],
  ])("refuses the dead-letter limit %s", (limit, expected) => {
    expect(mistakesIn(`deadLetterLimit: ${limit}`)).toEqual(
      expected.map((words) => expect.stringContaining(`settings.deadLetterLimit${words}`)),
    );
  });

  test.each(["[a]", "text", "3"])("refuses %j, which is no map, without showing it", (text) => {
    expect(mistakesIn(text)).toEqual(["settings: got something else, want a map of settings"]);
  });

  test.each(["events: [", "events: []\nevents: []", "events: *none", "a: 1\n---\nb: 2", "\t- x: ["])(
    "refuses %j, which is no valid YAML, with one line for each mistake",
    (text) => {
      const mistakes = mistakesIn(text);
      expect(mistakes[0]).toMatch(notYaml);
      expect(mistakes.every((sentence) => !sentence.includes("\n"))).toBe(true);
    },
  );

  test.each([
    "pii: !!omap\n  - drop: [traits.email]",
    "!!omap\n- pii: { drop: [traits.email] }",
    "events: !!set\n  ? Order Completed",
    "paused: !secret true",
    "%YAML 1.3\n---\npaused: true",
  ])("refuses %j, because a tag or a version could change the meaning", (text) => {
    expect(mistakesIn(text)).toEqual([expect.stringMatching(notYaml)]);
  });

  test("reads YAML 1.2 even if a file declares 1.1: yes is a text", () => {
    expect(mistakesIn("%YAML 1.1\n---\npaused: yes")).toEqual(["settings.paused: got 'yes', want true or false"]);
  });

  const lettersWant =
    ", want a name with a letter or digit, because eventMatching: loose compares nothing else; * is no wildcard here";

  test.each([
    ["events: [A, '*', 🎉]", ["events[1]: got '*'", "events[2]: got '🎉'"]],
    ["eventMatching: loose\nevents: ['- _']", ["events[0]: got '- _'"]],
    [
      "filters: [{ action: drop_event }, { action: drop_event, when: { event: [A, '*'] } }]",
      ["filters[1].when.event: got '*'"],
    ],
    ["paused: 3\nfilters: [{ action: sample, percent: 1, when: { event: '*' } }]", ["filters[0].when.event: got '*'"]],
  ])("refuses %j, because a name has no letter or digit", (text, expected) => {
    const mistakes = mistakesIn(text).filter((sentence) => sentence.endsWith(lettersWant));
    expect(mistakes).toEqual(expected.map((mistake) => `settings.${mistake}${lettersWant}`));
  });

  test.each([
    "eventMatching: exact\nevents: ['*', 🎉]\nfilters: [{ action: drop_event, when: { event: '*' } }]",
    "events: [注文, ٣, 🎉 Party]",
  ])("takes the names in %j", (text) => {
    expect(mistakesIn(text)).toEqual([]);
  });

  test.each(["events: 3\nfilters: [{ action: drop_event, when: { event: '*' } }]", "eventMatching: 3\nevents: ['*']"])(
    "reports nothing about names in %j, where events or eventMatching is wrong",
    (text) => {
      expect(mistakesIn(text)).toHaveLength(1);
    },
  );

  test("refuses a list that contains itself", () => {
    expect(mistakesIn("events: &e [*e]")).toEqual([expect.stringMatching(/^settings.events\[0\]: got a list, want /)]);
  });

  test("refuses aliases that multiply without limit", () => {
    const levels = Array.from({ length: 8 }, (_, n) => `k${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    expect(mistakesIn(`k0: &a0 [x]\n${levels.join("\n")}`)).toEqual([expect.stringMatching(notYaml)]);
  });
});

describe("readSettingsFile()", () => {
  test("names a file that it cannot read", () => {
    const readFile = () => {
      throw new Error("No such file");
    };
    expect(() => readSettingsFile("/none.yaml", readFile)).toThrow(
      "SETTINGS_FILE: got '/none.yaml', want the path of a readable",
    );
  });
});
