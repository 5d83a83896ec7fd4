import type { RawEvent } from "../event/event.ts";
import { keepTraitsOne } from "../event/shared-traits.ts";
import { type Json, type JsonObject, isObject } from "../json/json.ts";
import { createPathEdit, editKeys } from "../json/property-paths.ts";

type Types = Readonly<Record<string, "boolean" | "number">>;

/** For topics whose schema knows texts only: what the values of a key really are. */
export interface TypeRules {
  readonly traits: { readonly types: Types };
  readonly properties: { readonly types: Types };
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

const toNumber = (text: string): number | string => {
  const number = Number(text);
  // Beyond 2^53 only the text is exact.
  return decimal.test(text) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text;
};

const toBoolean = (text: string): boolean | string => {
  const lower = text.toLowerCase();
  return lower === "true" || (lower === "false" ? false : text);
};

const createConversion = (types: Types): ((free: JsonObject) => JsonObject) => {
  const keys = Object.keys(types);
  const convert = (value: Json | undefined, key: string): Json | undefined => {
    if (typeof value !== "string") return value;
    return types[key] === "number" ? toNumber(value) : toBoolean(value);
  };
  return (free) => {
    const present = keys.filter((key) => Object.hasOwn(free, key));
    return editKeys(free, present, convert);
  };
};

/** Gives texts at the top of `traits` and `properties` their types. What does not read as its type stays the text. */
export const createTyping = (rules: TypeRules): ((raw: RawEvent) => RawEvent) => {
  const edits = (["traits", "properties"] as const).map((field) => {
    const convert = createConversion(rules[field].types);
    return createPathEdit(field, (free) => (isObject(free) ? convert(free) : free));
  });
  return keepTraitsOne((raw) => edits.reduce((left, edit) => edit(left), raw));
};
