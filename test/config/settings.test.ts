import { describe, expect, test } from "vitest";

import { ConfigError } from "../../src/config/config-error.ts";
import { parseSettings, readSettingsFile } from "../../src/config/settings.ts";

const problemsOf = (text: string) => {
  try {
    parseSettings(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const deadLetterLimit = { consecutive: 100, percent: 50, minEvents: 1000 };
const defaults = { events: [], eventMatching: "loose", deadLetterLimit };

describe("parseSettings()", () => {
  test.each([
    ["", defaults],
    ["# nothing but a comment", defaults],
    ["events:\ndeadLetterLimit:", defaults],
    [
      "events: [Order Completed, A]\neventMatching: exact",
      { ...defaults, events: ["Order Completed", "A"], eventMatching: "exact" },
    ],
    ["deadLetterLimit: false", { ...defaults, deadLetterLimit: false }],
    ["deadLetterLimit: {}", defaults],
    [
      "deadLetterLimit: { consecutive: 1, percent: 100 }",
      { ...defaults, deadLetterLimit: { consecutive: 1, percent: 100, minEvents: 1000 } },
    ],
  ])("reads %j", (text, expected) => {
    expect(parseSettings(text)).toEqual(expected);
  });

  test("reports every mistake with its path", () => {
    expect(problemsOf("events: [A, 3]\neventMatching: fuzzy\nevent: []\npaused: true")).toEqual([
      { variable: "settings.events[1]", got: "'3'", want: "a list of event names as text, such as [Order Completed]" },
      { variable: "settings.eventMatching", got: "'fuzzy'", want: "'loose' or 'exact'" },
      {
        variable: "settings.event",
        got: "an unknown setting",
        want: "one of the known ones: events, eventMatching, deadLetterLimit",
      },
      { variable: "settings.paused", got: "it", want: "nothing: it is not available in this version; remove it" },
    ]);
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
        /^(?:false, or a map|a whole number|one of the known ones: consecutive, )/.test(want),
      ),
    ).toBe(true);
  });

  test.each(["integrationNames", "ignoreAllFalse", "consent", "dedupe", "paused", "rest"])(
    "refuses %s, which is of a later version",
    (name) => {
      expect(problemsOf(`${name}: {}`)[0]?.want).toContain("not available in this version");
    },
  );

  test.each(["[a]", "text", "3"])("refuses %j, which is no map", (text) => {
    expect(problemsOf(text)).toMatchObject([{ variable: "settings", want: "a map of settings" }]);
  });

  test.each(["events: [", "events: []\nevents: []", "events: *none", "a: 1\n---\nb: 2", "\t- x: ["])(
    "refuses %j, which is no valid YAML, in one line each",
    (text) => {
      const problems = problemsOf(text);
      expect(problems[0]).toMatchObject({ variable: "settings", want: "valid YAML" });
      expect(problems.every(({ got }) => !got.includes("\n"))).toBe(true);
    },
  );

  test("refuses a list that contains itself", () => {
    expect(problemsOf("events: &e [*e]")).toMatchObject([{ variable: "settings.events[0]", got: "a list" }]);
  });

  test("refuses aliases that multiply beyond all measure", () => {
    const levels = Array.from({ length: 8 }, (_, n) => `k${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`);
    expect(problemsOf(`k0: &a0 [x]\n${levels.join("\n")}`)).toMatchObject([{ want: "valid YAML" }]);
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
