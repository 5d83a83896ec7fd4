import { describe, expect, test } from "vitest";

import { ConfigError } from "../../../src/config/config-error.ts";
import { parseSettings, readSettingsFile } from "../../../src/config/settings/settings.ts";

const problemsOf = (text: string) => {
  try {
    parseSettings(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const defaults = parseSettings("");

const known =
  "one of the known ones: events, eventMatching, skippedTypes, integrationNames, ignoreAllFalse, consent, dedupe, deadLetterLimit, " +
  "failOnResultFalse, paused, traits, properties, filters, pii";

describe("parseSettings()", () => {
  test("has a default for everything", () => {
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
    expect(problemsOf("events: [A, 3]\neventMatching: fuzzy\nevent: []\nrest: true\n__proto__: 1")).toEqual([
      { variable: "settings.events[1]", got: "'3'", want: "a list of event names as text, such as [Order Completed]" },
      { variable: "settings.eventMatching", got: "'fuzzy'", want: "'loose' or 'exact'" },
      { variable: "settings.event", got: "an unknown setting", want: known },
      { variable: "settings.rest", got: "it", want: "nothing: it is not available in this version; remove it" },
      { variable: "settings.__proto__", got: "an unknown setting", want: known },
    ]);
  });

  test.each(["[Track]", "[' identify ']", "[' ']", "heartbeat"])("refuses skippedTypes: %s", (types) => {
    expect(problemsOf(`skippedTypes: ${types}`)).toMatchObject([
      { want: expect.stringContaining("identify, track and group") },
    ]);
  });

  test("reports every mistake in filters with its path, and what would be right there", () => {
    const text = `filters:
      - { action: explode }
      - 3
      - { action: drop_event, when: { type: [track, page], evnt: A, path: a..b, in: [], matches: '' } }
      - { action: drop_property, when: { event: [] } }
      - { action: sample, percent: 101, when: }
      - { action: sample, percent: 1, of: users }`;
    const path = "a path such as traits.email, without blanks around a key, with * alone for any one key or list item";
    const example = "a map such as { type: track, path: properties.plan, equals: free }";
    expect(
      problemsOf(text).map(({ variable, got, want }) => [variable.replace("settings.filters", ""), got, want]),
    ).toEqual([
      ["[0].action", "'explode'", "drop_event, drop_property or sample"],
      ["[1]", "'3'", "a map such as { action: drop_event, when: { type: track, event: Heartbeat } }"],
      ["[2].when.type[1]", "'page'", "identify, track or group, or a list of them"],
      ["[2].when.path", "'a..b'", path],
      ["[2].when.in", "an empty list", "a list of values such as [free, trial]"],
      ["[2].when.matches", "''", "text of 1 to 1,000 characters, in which * stands for any characters"],
      ["[2].when.evnt", "an unknown setting", "one of the known ones: type, event, path, equals, in, matches"],
      [
        "[2].when",
        "a map of 'type, path, in, matches'",
        "path together with exactly one of equals, in and matches, or none of the four",
      ],
      ["[3].path", "nothing", path],
      ["[3].when.event", "an empty list", "the name of a track event, or a list of names"],
      ["[4].percent", "'101'", "a number from 0 to 100"],
      ["[4].when", "'null'", example],
      ["[5].of", "an unknown setting", "one of the known ones: action, percent, when"],
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
  ])("knows of the condition %s whether it is one: %s", (when, isOne) => {
    expect(problemsOf(`filters: [{ action: drop_event, when: ${when} }]`).length === 0).toBe(isOne);
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
  ])("takes no rule on %s, which no event has when rules are asked", (name) => {
    for (const text of [
      `pii: { drop: [${name}] }`,
      `pii: { hash: [${name}] }`,
      `filters: [{ action: drop_property, path: ${name} }]`,
      `filters: [{ action: drop_event, when: { path: ${name}, equals: 1 } }]`,
    ])
      expect(problemsOf(text)).toEqual([
        expect.objectContaining({ want: expect.stringContaining("userId for user_id") }),
      ]);
    expect(problemsOf(`pii: { drop: [traits.${name}] }`)).toEqual([]);
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
  ])("drops nothing at %j: order and identity hang on it, or it is no path", (path) => {
    const given = /^[\w.]+$/.test(path) ? path : `'${path}'`;
    const isText = !["3", "null"].includes(path);
    const filters = problemsOf(`filters: [{ action: drop_property, path: ${given} }]`);
    const pii = problemsOf(`pii: { drop: [${given}] }`);
    expect([filters.length, pii.length]).toEqual([1, 1]);
    const hash = problemsOf(`pii: { hash: [${given}] }`);
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
    ["properties: { type: {} }", "settings.properties.type", "an unknown setting"],
    ["pii: [traits.email]", "settings.pii", "a list"],
    ["filters: { action: sample }", "settings.filters", "a map of 'action'"],
    [`pii: { drop: [${"a.b,".repeat(1_001)}] }`, "settings.pii.drop", "a list"],
    [`filters: [${"{ action: drop_event },".repeat(1_001)}]`, "settings.filters", "a list"],
  ])("refuses %.60j", (text, variable, got) => {
    expect(problemsOf(text)).toMatchObject([{ variable, got }]);
  });

  test.each([
    ["true", [["settings.deadLetterLimit", "'true'"]]],
    ["100", [["settings.deadLetterLimit", "'100'"]]],
    ["[100]", [["settings.deadLetterLimit", "a list"]]],
    [
      "{ consecutive: 0, percent: 101, minEvents: 1.5 }",
      [
        ["settings.deadLetterLimit.consecutive", "'0'"],
        ["settings.deadLetterLimit.percent", "'101'"],
        ["settings.deadLetterLimit.minEvents", "'1.5'"],
      ],
    ],
    ["{ scope: topic }", [["settings.deadLetterLimit.scope", "'topic'"]]],
    ["{ percent: many }", [["settings.deadLetterLimit.percent", "'many'"]]],
    ["{ limit: 3 }", [["settings.deadLetterLimit.limit", "an unknown setting"]]],
    [
      "{ limit: 3, percent: 0 }",
      [
        ["settings.deadLetterLimit.percent", "'0'"],
        ["settings.deadLetterLimit.limit", "an unknown setting"],
      ],
    ],
  ])("refuses the dead-letter limit %s", (limit, expected) => {
    const problems = problemsOf(`deadLetterLimit: ${limit}`);
    expect(problems.map(({ variable, got }) => [variable, got])).toEqual(expected);
    expect(
      problems.every(({ want }) =>
        /^(?:false, or a map|a whole number|'all' or 'cause'|one of the known ones: consecutive, )/.test(want),
      ),
    ).toBe(true);
  });

  test.each(["[a]", "text", "3"])("refuses %j, which is no map", (text) => {
    expect(problemsOf(text)).toMatchObject([{ variable: "settings", want: "a map of settings" }]);
  });

  test.each(["events: [", "events: []\nevents: []", "events: *none", "a: 1\n---\nb: 2", "\t- x: ["])(
    "refuses %j, which is no valid YAML, in one line each",
    (text) => {
      const problems = problemsOf(text);
      expect(problems[0]).toMatchObject({ variable: "settings", want: "valid YAML 1.2 without tags" });
      expect(problems.every(({ got }) => !got.includes("\n"))).toBe(true);
    },
  );

  test.each([
    "pii: !!omap\n  - drop: [traits.email]",
    "!!omap\n- pii: { drop: [traits.email] }",
    "events: !!set\n  ? Order Completed",
    "paused: !secret true",
    "%YAML 1.3\n---\npaused: true",
  ])("refuses %j, whose tag or version would make it something else than it reads", (text) => {
    expect(problemsOf(text)).toMatchObject([{ variable: "settings", want: "valid YAML 1.2 without tags" }]);
  });

  test("reads YAML 1.2, whatever a file calls itself: there yes is a text", () => {
    expect(problemsOf("%YAML 1.1\n---\npaused: yes")).toMatchObject([{ variable: "settings.paused", got: "'yes'" }]);
  });

  const lettersWant =
    "a name with a letter or digit: eventMatching: loose compares nothing else, and * stands for nothing here";

  test.each([
    ["events: [A, '*', 🎉]", ["events[1] '*'", "events[2] '🎉'"]],
    ["eventMatching: loose\nevents: ['- _']", ["events[0] '- _'"]],
    [
      "filters: [{ action: drop_event }, { action: drop_event, when: { event: [A, '*'] } }]",
      ["filters[1].when.event '*'"],
    ],
    ["paused: 3\nfilters: [{ action: sample, percent: 1, when: { event: '*' } }]", ["filters[0].when.event '*'"]],
  ])("refuses %j, where a name would be taken for every name without letters", (text, expected) => {
    const problems = problemsOf(text).filter(({ want }) => want === lettersWant);
    expect(problems.map(({ variable, got }) => `${variable} ${got}`)).toEqual(expected.map((at) => `settings.${at}`));
  });

  test.each([
    "eventMatching: exact\nevents: ['*', 🎉]\nfilters: [{ action: drop_event, when: { event: '*' } }]",
    "events: [注文, ٣, 🎉 Party]",
  ])("takes the names in %j", (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test.each(["events: 3\nfilters: [{ action: drop_event, when: { event: '*' } }]", "eventMatching: 3\nevents: ['*']"])(
    "says nothing of names in %j, where the rest is no list or no matching",
    (text) => {
      expect(problemsOf(text)).toHaveLength(1);
    },
  );

  test("refuses a list that contains itself", () => {
    expect(problemsOf("events: &e [*e]")).toMatchObject([{ variable: "settings.events[0]", got: "a list" }]);
  });

  test("refuses aliases that multiply beyond all measure", () => {
    const levels = Array.from({ length: 8 }, (_, n) => `k${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    expect(problemsOf(`k0: &a0 [x]\n${levels.join("\n")}`)).toMatchObject([{ want: "valid YAML 1.2 without tags" }]);
  });
});

describe("readSettingsFile()", () => {
  test("says which file it cannot read", () => {
    const readFile = () => {
      throw new Error("No such file");
    };
    expect(() => readSettingsFile("/none.yaml", readFile)).toThrow(
      "SETTINGS_FILE: got '/none.yaml', want the path of a readable",
    );
  });
});
