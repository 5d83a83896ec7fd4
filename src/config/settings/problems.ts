import type { z } from "zod";

import { type Problem, quote, wrongValue } from "../config-error.ts";

/** The mistakes that zod found, with their paths. The text of each issue comes from the schema and says what is wanted. */
export const problemsOf = ({ issues }: z.ZodError): Problem[] => issues.flatMap((issue) => problemsOfIssue(issue, []));

/** `parentPath` leads to the part of the file where the path of the issue starts. */
const problemsOfIssue = (issue: z.core.$ZodIssue, parentPath: readonly PropertyKey[]): Problem[] => {
  const path = [...parentPath, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => unknownSetting([...path, name], issue.message));
  const nestedIssues = issue.code === "invalid_union" ? issue.errors.find(isNestedProblem) : undefined;
  if (nestedIssues) return nestedIssues.flatMap((inner) => problemsOfIssue(inner, path));
  // A file that is no map may be another file, set by mistake, and secret: its content is not shown.
  if (path.length === 0) return [wrongValue("settings", "something else", "a map of settings")];
  return [wrongValue(settingNameOf(path), describeValue(offendingValue(issue)), issue.message)];
};

/** Whether the value is of the right kind and only a part of it is wrong. The mistake in that part says more than the union's. */
const isNestedProblem = (issues: readonly z.core.$ZodIssue[]): boolean =>
  issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys");

const unknownSetting = (path: readonly PropertyKey[], knownSettings: string): Problem => {
  const variable = settingNameOf(path);
  const sentence =
    variable === "settings.rest"
      ? "settings.rest is not available in this version; remove it"
      : `${variable} is unknown; ${knownSettings}`;
  return { variable, sentence };
};

/** A value that YAML can hold. */
type YamlValue = object | string | number | bigint | boolean | null | undefined;

/** For a filter with an unknown action, zod gives the whole filter; only its action is wrong. */
const offendingValue = ({ code, input, path }: z.core.$ZodIssue): YamlValue => {
  const isAction = code === "invalid_union" && path.at(-1) === "action";
  return (isAction ? (input as { readonly action?: unknown }).action : input) as YamlValue;
};

// By an alias a list or map can contain itself, so only plain values and names are shown.
const describeValue = (input: YamlValue): string => {
  if (input === undefined) return "nothing";
  if (Array.isArray(input)) return input.length === 0 ? "an empty list" : "a list";
  return typeof input === "object" && input !== null
    ? `a map of ${quote(Object.keys(input).join(", "))}`
    : quote(String(input));
};

const settingNameOf = (path: readonly PropertyKey[]): string => ["settings", ...path.map(pathSegment)].join("");

const pathSegment = (segment: PropertyKey): string => {
  if (typeof segment === "number") return `[${segment}]`;
  return /^[\w-]{1,100}$/.test(String(segment)) ? `.${String(segment)}` : `[${quote(String(segment))}]`;
};
