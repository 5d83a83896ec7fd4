import { maxJsonDepth, tryParseJsonText } from "./json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "./json.ts";

/** Returns the new value; `undefined` removes the value. */
export type EditValue = (value: Json | undefined) => Json | undefined;

const wildcardKey = "*";

/** Splits a path such as `traits.email` at its dots. A dot inside a key is written `\.`. */
const parsePath = (path: string): readonly string[] =>
  path.split(/(?<!\\)\./).map((key) => key.replaceAll(String.raw`\.`, "."));

const matchingKeys = (object: JsonObject, key: string): readonly string[] => {
  if (key === wildcardKey) return Object.keys(object);
  return Object.hasOwn(object, key) ? [key] : [];
};

/** Edits some keys of an object. Returns a copy, or the same object if no value changes. */
export const editKeys = (
  object: JsonObject,
  keys: readonly string[],
  edit: (value: Json | undefined, key: string) => Json | undefined,
): JsonObject => {
  let copy: Record<string, Json | undefined> | undefined;
  for (const key of keys) {
    const edited = edit(object[key], key);
    if (edited === object[key]) continue;
    copy ??= { ...object };
    // Safe for `__proto__` too: the copy has the key as its own, so no setter runs.
    copy[key] = edited;
  }
  return copy ?? object;
};

type EditAtDepth = (value: Json | undefined, depth: number) => Json | undefined;

/** A loop instead of `map`, because nested lists may be deep and each callback takes a stack frame. */
const editList = (list: readonly Json[], edit: EditAtDepth, depth: number): readonly Json[] => {
  const edited: Json[] = [];
  let isUnchanged = true;
  for (const item of list) {
    const editedItem = edit(item, depth);
    isUnchanged &&= editedItem === item;
    if (editedItem !== undefined) edited.push(editedItem);
  }
  return isUnchanged ? list : edited;
};

/** Text that may be JSON of an object, of a list, or of such a text once more. */
const mayBeJson = /^\s*["[{]/;

/**
 * Text that begins like an object or a list. If it cannot be parsed, it was cut off, is nested too deeply, or is a map as Java
 * (`{a=1}`), JavaScript (`{a: 1}`), Ruby (`{:a=>1}`) or Kafka Connect (`Struct{a=1}`) print it. Neighbouring parts of the pattern
 * never match the same character, so matching takes linear time for any text.
 */
const beginsAsContainer = /^\s*(?:\w{0,20}\{\s*(?:["'=:]|[^\s{}=:"'][^\s{}=:]{0,200}\s*[=:])|\[\s*["'{]|(?:\[\s*){3})/;

/**
 * Edits inside JSON text. The text is always written anew: JSON may hold a key twice, and the old text would keep the value that was
 * not edited. Text that begins like a map or a list but cannot be parsed is removed, because it may hold the value at the path.
 */
const editText = (text: string, edit: EditValue): Json | undefined => {
  const value = mayBeJson.test(text) ? tryParseJsonText(text.trim()) : undefined;
  if (value === undefined) return beginsAsContainer.test(text) ? undefined : text;
  const edited = edit(value);
  return edited === undefined ? undefined : JSON.stringify(edited);
};

/** Only lists inside nested JSON texts are deeper. They are removed before the stack overflows. */
const maxDepth = maxJsonDepth + 50;

const createEditAtKey = (key: string, edit: EditAtDepth): EditAtDepth => {
  const editHere: EditAtDepth = (value, depth) => {
    const below = depth + 1;
    if (isObject(value)) return editKeys(value, matchingKeys(value, key), (child) => edit(child, below));
    if (isArray(value))
      return depth > maxDepth ? undefined : editList(value, key === wildcardKey ? edit : editHere, below);
    return typeof value === "string" ? editText(value, (parsedValue) => editHere(parsedValue, below)) : value;
  };
  return editHere;
};

/**
 * Makes an edit of the values at a path such as `traits.email`. `*` stands for any one key or list item. A key that meets a list is
 * applied to each item; a key that meets JSON text is applied to the parsed text. Only the objects along the path are copied; if the
 * path leads to no value, the edit returns the same object.
 */
export const createPathEdit = (path: string, edit: EditValue): ((object: JsonObject) => JsonObject) => {
  const [first = "", ...innerKeys] = parsePath(path);
  const editBelow = innerKeys.reduceRight<EditAtDepth>((below, key) => createEditAtKey(key, below), edit);
  return (object) => editKeys(object, matchingKeys(object, first), (value) => editBelow(value, 1));
};

const valuesAt = (value: Json | undefined, key: string): readonly (Json | undefined)[] => {
  if (key !== wildcardKey) return [isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined];
  if (isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
};

type ValueTest = (value: Json | undefined) => boolean;

/**
 * Makes a test that passes if one of the values at a path passes. The test gets `undefined` for an absent key and for a key that meets
 * a list.
 */
export const createPathTest = (path: string, test: ValueTest): ValueTest =>
  parsePath(path).reduceRight<ValueTest>((below, key) => (value) => valuesAt(value, key).some(below), test);
