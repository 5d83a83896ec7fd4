import { parseDocument } from "yaml";

import type { HandlerRules } from "../../core/decide.ts";
import { ConfigError, type Problem, quote } from "../config-error.ts";
import type { ReadFile } from "../secret.ts";
import { problemsOf } from "./problems.ts";
import { settingsSchema } from "./schema.ts";

/** What the settings file says: what events mean, and what is said here; every setting has a default. */
export interface Settings extends Omit<HandlerRules, "hash"> {
  /** How long, and for how many events, a delivered messageId is remembered; false: not at all. */
  readonly dedupe: { readonly windowMs: number; readonly maxEvents: number } | false;
  /** How many dead letters are too many; false: never. */
  readonly deadLetterLimit: DeadLetterLimit | false;
  /** A 2xx whose body says `result: false` is a failure, and no delivery. */
  readonly failOnResultFalse: boolean;
  /** An operator's stop. */
  readonly paused: boolean;
}

/** Dead letters in a row, or their percentage of at least `minEvents` events within a minute; then all events wait, or those of the cause. */
export interface DeadLetterLimit {
  readonly scope: "all" | "cause";
  readonly consecutive: number;
  readonly percent: number;
  readonly minEvents: number;
}

/** Settings from YAML text; an empty text gives the defaults. Throws a `ConfigError` with every mistake and its path. */
export const parseSettings = (text: string): Settings => {
  const result = settingsSchema.safeParse(parseYaml(text) ?? {}, { reportInput: true });
  if (!result.success) throw new ConfigError(problemsOf(result.error));
  return result.data;
};

/** Settings from a file. Throws a `ConfigError`, also where the file cannot be read. */
export const readSettingsFile = (path: string, readFile: ReadFile): Settings => parseSettings(readText(path, readFile));

const readText = (path: string, readFile: ReadFile): string => {
  try {
    return readFile(path);
  } catch {
    throw new ConfigError([{ variable: "SETTINGS_FILE", got: quote(path), want: "the path of a readable file" }]);
  }
};

const parseYaml = (text: string): unknown => {
  // A tag may make something else of a part than it reads, such as a set, in which no setting would be found.
  const document = parseDocument(text, { version: "1.2", schema: "core", resolveKnownTags: false });
  const problems = [...document.errors, ...document.warnings].map(({ message }) => yamlProblem(message));
  if (problems.length > 0) throw new ConfigError(problems);
  try {
    return document.toJS();
  } catch (error) {
    // An alias without an anchor, or aliases that multiply beyond all measure.
    throw new ConfigError([yamlProblem(error instanceof Error ? error.message : "unreadable YAML")]);
  }
};

// The library's message goes on with a picture of the place; its first line already names line and column.
const yamlProblem = (message: string): Problem => ({
  variable: "settings",
  got: quote(message.split("\n", 1)[0] ?? ""),
  want: "valid YAML 1.2 without tags",
});
