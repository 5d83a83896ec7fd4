import type { EditEvent } from "../event/event.ts";
import { preserveSharedTraits } from "../event/shared-traits.ts";
import { type Json, type JsonObject, isObject } from "../json/json.ts";
import { createPathEdit, editKeys } from "../json/property-paths.ts";

type ValueTypes = Readonly<Record<string, "boolean" | "number">>;

/** The types of `traits` and `properties` by key, for topics whose schema can only hold text. */
export interface ValueTypeRules {
  readonly traits: { readonly types: ValueTypes };
  readonly properties: { readonly types: ValueTypes };
}

const decimalPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

const toNumber = (text: string): number | string => {
  const number = Number(text);
  // Beyond 2^53 a number is not exact.
  return decimalPattern.test(text) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : text;
};

const toBoolean = (text: string): boolean | string => {
  const lower = text.toLowerCase();
  return lower === "true" || (lower === "false" ? false : text);
};

const createObjectConverter = (types: ValueTypes): ((object: JsonObject) => JsonObject) => {
  const keys = Object.keys(types);
  const convert = (value: Json | undefined, key: string): Json | undefined => {
    if (typeof value !== "string") return value;
    return types[key] === "number" ? toNumber(value) : toBoolean(value);
  };
  return (object) => {
    const present = keys.filter((key) => Object.hasOwn(object, key));
    return editKeys(object, present, convert);
  };
};

/** Makes the converter of texts at the top level of `traits` and `properties`. A text that is no value of its type stays text. */
export const createValueTypeConverter = (rules: ValueTypeRules): EditEvent => {
  const edits = (["traits", "properties"] as const).map((field) => {
    const convert = createObjectConverter(rules[field].types);
    return createPathEdit(field, (object) => (isObject(object) ? convert(object) : object));
  });
  return preserveSharedTraits((event) => edits.reduce((edited, edit) => edit(edited), event));
};
