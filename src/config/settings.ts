import { parseDocument } from "yaml";
import { z } from "zod";

import { ConfigError, quote } from "./config-error.ts";
import type { Problem } from "./config-error.ts";
import type { ReadFile } from "./secret.ts";

/** What the settings file says; every setting has a default. */
export interface Settings {
  /** The track allow-list; empty: every track event goes. */
  readonly events: readonly string[];
  /** `loose`: only letters and digits count, in any case. */
  readonly eventMatching: "loose" | "exact";
}

const settingsSchema = z.strictObject({
  events: z
    .array(z.string().min(1))
    .nullish()
    .transform((events) => events ?? []),
  eventMatching: z.enum(["loose", "exact"]).default("loose"),
});

const wants: Readonly<Record<string, string>> = {
  events: "a list of event names as text, such as [Order Completed]",
  eventMatching: "'loose' or 'exact'",
};

const ofLaterVersions = new Set([
  "integrationNames",
  "ignoreAllFalse",
  "consent",
  "dedupe",
  "deadLetterLimit",
  "paused",
  "rest",
]);

/** Settings from YAML text; an empty text gives the defaults. Throws a `ConfigError` with every mistake and its path. */
export const parseSettings = (text: string): Settings => {
  const result = settingsSchema.safeParse(parseYaml(text) ?? {}, { reportInput: true });
  if (!result.success) throw new ConfigError(result.error.issues.flatMap(problemsOf));
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
  const document = parseDocument(text);
  if (document.errors.length > 0) throw new ConfigError(document.errors.map(({ message }) => yamlProblem(message)));
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
  want: "valid YAML",
});

const problemsOf = (issue: z.core.$ZodIssue): Problem[] => {
  if (issue.code === "unrecognized_keys") return issue.keys.map(unknownSetting);
  const name = issue.path[0];
  return [
    {
      variable: ["settings", ...issue.path].reduce<string>(joinPath, ""),
      got: show(issue.input),
      want: name === undefined ? "a map of settings" : (wants[String(name)] ?? issue.message),
    },
  ];
};

// A list or map may contain itself by an alias, so only plain values are shown.
const show = (input: unknown): string => {
  if (Array.isArray(input)) return "a list";
  return typeof input === "object" && input !== null ? "a map" : quote(String(input));
};

const joinPath = (path: string, step: PropertyKey): string => {
  if (typeof step === "number") return `${path}[${step}]`;
  return path === "" ? String(step) : `${path}.${String(step)}`;
};

const unknownSetting = (name: string): Problem =>
  ofLaterVersions.has(name)
    ? { variable: `settings.${name}`, got: "it", want: "nothing: it is not available in this version; remove it" }
    : {
        variable: `settings.${name}`,
        got: "an unknown setting",
        want: `one of the known ones: ${Object.keys(settingsSchema.shape).join(", ")}`,
      };
