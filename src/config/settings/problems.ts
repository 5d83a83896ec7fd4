import type { z } from "zod";

import { type Problem, quote } from "../config-error.ts";

/** The mistakes that zod found, with their paths; what is wanted instead, each part of the schema says itself. */
export const problemsOf = ({ issues }: z.ZodError): Problem[] => issues.flatMap((issue) => ofIssue(issue, []));

/** `at` is where the issue lies, as far as its own path does not say it. */
const ofIssue = (issue: z.core.$ZodIssue, at: readonly PropertyKey[]): Problem[] => {
  const path = [...at, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => unknownSetting([...path, name], issue.message));
  const inside = issue.code === "invalid_union" ? issue.errors.find(isInside) : undefined;
  if (inside) return inside.flatMap((inner) => ofIssue(inner, path));
  return [
    { variable: nameOf(path), ...(path.length === 0 ? noMap : { got: show(given(issue)), want: issue.message }) },
  ];
};

/** It is the right kind of thing with something wrong in it, which says more than that it is none of the others. */
const isInside = (issues: readonly z.core.$ZodIssue[]): boolean =>
  issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys");

/** A whole file that is no map may be another one by mistake, and a secret: it is not shown. */
const noMap = { got: "something else", want: "a map of settings" };

const unknownSetting = (path: readonly PropertyKey[], known: string): Problem => {
  const variable = nameOf(path);
  return variable === "settings.rest"
    ? { variable, got: "it", want: "nothing: it is not available in this version; remove it" }
    : { variable, got: "an unknown setting", want: known };
};

/** What YAML knows. */
type Given = object | string | number | bigint | boolean | null | undefined;

/** Of an unknown filter zod gives the whole map, though it is the action that is wrong. */
const given = ({ code, input, path }: z.core.$ZodIssue): Given => {
  const isAction = code === "invalid_union" && path.at(-1) === "action";
  return (isAction ? (input as { readonly action?: unknown }).action : input) as Given;
};

// A list or map may contain itself by an alias, so only plain values and names are shown.
const show = (input: Given): string => {
  if (input === undefined) return "nothing";
  if (Array.isArray(input)) return input.length === 0 ? "an empty list" : "a list";
  return typeof input === "object" && input !== null
    ? `a map of ${quote(Object.keys(input).join(", "))}`
    : quote(String(input));
};

const nameOf = (path: readonly PropertyKey[]): string => ["settings", ...path.map(stepOf)].join("");

const stepOf = (step: PropertyKey): string => {
  if (typeof step === "number") return `[${step}]`;
  return /^[\w-]{1,100}$/.test(String(step)) ? `.${String(step)}` : `[${quote(String(step))}]`;
};
