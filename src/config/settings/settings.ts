import { parseDocument } from "yaml";

import type { DecisionRules } from "../../core/decide.ts";
import type { DeadLetterLimitSetting } from "../../limits/dead-letter-limit.ts";
import type { DedupeRules } from "../../limits/dedupe.ts";
import { ConfigError, type Problem, quote, wrongValue } from "../config-error.ts";
import type { ReadFile } from "../secret.ts";
import { problemsOf } from "./problems.ts";
import { settingsSchema } from "./schema.ts";

/** All settings of the settings file. Every setting has a default. */
export interface Settings extends Omit<DecisionRules, "hash"> {
  readonly dedupe: DedupeRules;
  readonly deadLetterLimit: DeadLetterLimitSetting;
  /** Whether a 2xx whose body says `result: false` is a failure. */
  readonly failOnResultFalse: boolean;
  /** Whether an operator has stopped the deliveries. */
  readonly paused: boolean;
}

/** Parses YAML text; an empty text gives the defaults. Throws a `ConfigError` with every mistake and its path. */
export const parseSettings = (text: string): Settings => {
  const result = settingsSchema.safeParse(parseYaml(text) ?? {}, { reportInput: true });
  if (!result.success) throw new ConfigError(problemsOf(result.error));
  return result.data;
};

/** Reads and parses a settings file. Throws a `ConfigError`, also if the file cannot be read. */
export const readSettingsFile = (path: string, readFile: ReadFile): Settings => parseSettings(readText(path, readFile));

const readText = (path: string, readFile: ReadFile): string => {
  try {
    return readFile(path);
  } catch {
    throw new ConfigError([wrongValue("SETTINGS_FILE", quote(path), "the path of a readable file")]);
  }
};

const parseYaml = (text: string): unknown => {
  // A tag could change the type of a value. For example, no setting would be found in a set.
  const document = parseDocument(text, { version: "1.2", schema: "core", resolveKnownTags: false });
  const problems = [...document.errors, ...document.warnings].map(({ message }) => yamlProblem(message));
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    return document.toJS();
  } catch (error) {
    // An alias has no anchor, or aliases multiply without limit.
    throw new ConfigError([yamlProblem(error instanceof Error ? error.message : "unreadable YAML")]);
  }
};

// Only the first line of the library's message is useful: it names line and column. The others show the text there.
const yamlProblem = (message: string): Problem =>
  wrongValue("settings", quote(message.split("\n", 1)[0] ?? ""), "valid YAML 1.2 without tags");
