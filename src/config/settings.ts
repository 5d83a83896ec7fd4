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
  /** How many dead letters are too many; false: never. */
  readonly deadLetterLimit: DeadLetterLimit | false;
}

/** Dead letters in a row, or their percentage of at least `minEvents` events within a minute. */
export interface DeadLetterLimit {
  readonly consecutive: number;
  readonly percent: number;
  readonly minEvents: number;
}

const defaultLimit: DeadLetterLimit = { consecutive: 100, percent: 50, minEvents: 1000 };

const positive = z.int().min(1);

const limitSchema = z.strictObject({
  consecutive: positive.default(defaultLimit.consecutive),
  percent: positive.max(100).default(defaultLimit.percent),
  minEvents: positive.default(defaultLimit.minEvents),
});

const settingsSchema = z.strictObject({
  events: z
    .array(z.string().min(1))
    .nullish()
    .transform((events) => events ?? []),
  eventMatching: z.enum(["loose", "exact"]).default("loose"),
  deadLetterLimit: z
    .union([z.literal(false), limitSchema])
    .nullish()
    .transform((limit) => limit ?? defaultLimit),
});

const wants: Readonly<Record<string, string>> = {
  events: "a list of event names as text, such as [Order Completed]",
  eventMatching: "'loose' or 'exact'",
  deadLetterLimit: "false, or a map such as { consecutive: 100, percent: 50, minEvents: 1000 }",
  "deadLetterLimit.consecutive": "a whole number from 1",
  "deadLetterLimit.percent": "a whole number from 1 to 100",
  "deadLetterLimit.minEvents": "a whole number from 1",
};

const ofLaterVersions = new Set(["integrationNames", "ignoreAllFalse", "consent", "dedupe", "paused", "rest"]);

/** Settings from YAML text; an empty text gives the defaults. Throws a `ConfigError` with every mistake and its path. */
export const parseSettings = (text: string): Settings => {
  const result = settingsSchema.safeParse(parseYaml(text) ?? {}, { reportInput: true });
  if (!result.success) throw new ConfigError(result.error.issues.flatMap((issue) => problemsOf(issue)));
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

/** `at` is where the issue lies, as far as its own path does not say it. */
const problemsOf = (issue: z.core.$ZodIssue, at: readonly PropertyKey[] = []): Problem[] => {
  const path = [...at, ...issue.path];
  const names = path.filter((step) => typeof step === "string");
  if (issue.code === "unrecognized_keys") return issue.keys.map((name) => unknownSetting([...names, name]));
  // Where a map was given, what is wrong with it says more than that it is none of the other things it may be.
  const inside = issue.code === "invalid_union" && isMap(issue.input) ? issue.errors.at(-1) : undefined;
  if (inside) return inside.flatMap((inner) => problemsOf(inner, path));
  return [
    {
      variable: ["settings", ...path].reduce<string>(joinPath, ""),
      ...(path.length === 0 ? noMap : { got: show(issue.input), want: wants[names.join(".")] ?? issue.message }),
    },
  ];
};

/** A whole file that is no map may be another one by mistake, and a secret: it is not shown. */
const noMap = { got: "something else", want: "a map of settings" };

const isMap = (input: unknown): boolean => typeof input === "object" && input !== null && !Array.isArray(input);

// A list or map may contain itself by an alias, so only plain values are shown.
const show = (input: unknown): string => {
  if (Array.isArray(input)) return "a list";
  return isMap(input) ? "a map" : quote(String(input));
};

const joinPath = (path: string, step: PropertyKey): string => {
  if (typeof step === "number") return `${path}[${step}]`;
  return path === "" ? String(step) : `${path}.${String(step)}`;
};

const unknownSetting = (path: readonly string[]): Problem => {
  const variable = ["settings", ...path].join(".");
  if (ofLaterVersions.has(path.join(".")))
    return { variable, got: "it", want: "nothing: it is not available in this version; remove it" };
  const known = Object.keys(path.length === 1 ? settingsSchema.shape : limitSchema.shape);
  return { variable, got: "an unknown setting", want: `one of the known ones: ${known.join(", ")}` };
};
