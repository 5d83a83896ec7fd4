import type { z } from "zod";

import { type Problem, quote } from "../config-error.ts";

/** The mistakes that zod found, with their paths; what is wanted instead, each part of the schema says itself. */
export const problemsOf = ({ issues }: z.ZodError): Problem[] => issues.flatMap((issue) => problemsOfIssue(issue, []));

/** `at` is where the issue lies, as far as its own path does not say it. */
const problemsOfIssue = (issue: z.core.$ZodIssue, parentPath: readonly PropertyKey[]): Problem[] => {
  const path = [...parentPath, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => unknownSetting([...path, name], issue.message));
  const nestedIssues = issue.code === "invalid_union" ? issue.errors.find(isNestedProblem) : undefined;
  if (nestedIssues) return nestedIssues.flatMap((inner) => problemsOfIssue(inner, path));
  return [
    {
      variable: settingNameOf(path),
      ...(path.length === 0 ? notAMap : { got: describeValue(offendingValue(issue)), want: issue.message }),
    },
  ];
};

/** It is the right kind of thing with something wrong in it, which says more than that it is none of the others. */
const isNestedProblem = (issues: readonly z.core.$ZodIssue[]): boolean =>
  issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys");

/** A whole file that is no map may be another one by mistake, and a secret: it is not shown. */
const notAMap = { got: "something else", want: "a map of settings" };

const unknownSetting = (path: readonly PropertyKey[], known: string): Problem => {
  const variable = settingNameOf(path);
  return variable === "settings.rest"
    ? { variable, got: "it", want: "nothing: it is not available in this version; remove it" }
    : { variable, got: "an unknown setting", want: known };
};

/** What YAML knows. */
type YamlValue = object | string | number | bigint | boolean | null | undefined;

/** Of an unknown filter zod gives the whole map, though it is the action that is wrong. */
const offendingValue = ({ code, input, path }: z.core.$ZodIssue): YamlValue => {
  const isAction = code === "invalid_union" && path.at(-1) === "action";
  return (isAction ? (input as { readonly action?: unknown }).action : input) as YamlValue;
};

// A list or map may contain itself by an alias, so only plain values and names are shown.
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
