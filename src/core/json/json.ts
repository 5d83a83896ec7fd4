/** Any JSON value. Numbers are finite; integers beyond 2^53 are strings of digits. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. A key whose value is `undefined` counts as absent. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isText = (value: Json | undefined): value is string => typeof value === "string";

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const emptyObject: JsonObject = {};

/** The object at a key; an empty object if the value there is missing or no object. */
export const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key];
  return isObject(value) ? value : emptyObject;
};

/** Whether a value is absent, null or blank text. Producers whose schema has no null write blank text instead. */
export const isBlank = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

/** The text of a string, a number or a boolean; undefined for other values. */
export const scalarTextOf = (value: Json | undefined): string | undefined => {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
};

const trueTexts = /^\s*(?:true|1(?:\.0+)?)\s*$/i;
const falseTexts = /^\s*(?:false|-?0(?:\.0+)?)\s*$/i;

/** The boolean that a boolean, a text or a number means (`true`, `"False"`, `"0"`, 1); undefined for other values. */
export const parseBoolean = (value: Json | undefined): boolean | undefined => {
  const text = scalarTextOf(value);
  if (text === undefined) return undefined;
  if (trueTexts.test(text)) return true;
  return falseTexts.test(text) ? false : undefined;
};
