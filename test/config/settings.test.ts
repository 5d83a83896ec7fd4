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

describe("parseSettings()", () => {
  test.each([
    ["", { events: [], eventMatching: "loose" }],
    ["# nothing but a comment", { events: [], eventMatching: "loose" }],
    ["events:", { events: [], eventMatching: "loose" }],
    [
      "events: [Order Completed, A]\neventMatching: exact",
      { events: ["Order Completed", "A"], eventMatching: "exact" },
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
        want: "one of the known ones: events, eventMatching",
      },
      { variable: "settings.paused", got: "it", want: "nothing: it is not available in this version; remove it" },
    ]);
  });

  test.each(["integrationNames", "ignoreAllFalse", "consent", "dedupe", "deadLetterLimit", "paused", "rest"])(
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
