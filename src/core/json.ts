import type { Json, JsonObject } from "./event.ts";

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const nothing: JsonObject = {};

/** The object at a key; an empty one where there is no object. */
export const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key];
  return isObject(value) ? value : nothing;
};

/** The text of a string, number or boolean; nothing for the rest. */
export const textOf = (value: Json | undefined): string | undefined => {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
};
