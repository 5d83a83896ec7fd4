/** Any JSON value. Numbers are finite; integers beyond 2^53 are carried as strings of digits. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const nothing: JsonObject = {};

/** The object at a key; an empty one where there is no object. */
export const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key];
  return isObject(value) ? value : nothing;
};

/** Whether a value says nothing: writers without null write blank text instead. */
export const isAbsent = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

/** The text of a string, number or boolean; nothing for the rest. */
export const textOf = (value: Json | undefined): string | undefined => {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
};

const trueTexts = /^\s*(?:true|1(?:\.0+)?)\s*$/i;
const falseTexts = /^\s*(?:false|-?0(?:\.0+)?)\s*$/i;

/** The boolean that a value means, also as text or number (`"False"`, `"0"`, 1); nothing for the rest. */
export const booleanOf = (value: Json | undefined): boolean | undefined => {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (trueTexts.test(text)) return true;
  return falseTexts.test(text) ? false : undefined;
};
