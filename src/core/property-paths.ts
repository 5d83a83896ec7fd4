import type { Json, JsonObject } from "./event.ts";
import { isList, isObject } from "./json.ts";

/** What becomes of a value; `undefined` removes it. */
export type Edit = (value: Json | undefined) => Json | undefined;

const anyKey = "*";

/** `traits.email` by its dots; a dot that belongs to a key is written `\.`. */
const parsePath = (path: string): readonly string[] =>
  path.split(/(?<!\\)\./).map((key) => key.replaceAll(String.raw`\.`, "."));

const keysAt = (object: JsonObject, key: string): readonly string[] => {
  if (key === anyKey) return Object.keys(object);
  return Object.hasOwn(object, key) ? [key] : [];
};

/** The object with some of its own keys edited; itself where nothing changes. Never changes the one it was given. */
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
    // Safe for `__proto__` too: the copy has the key as its own, so that no setter is asked.
    copy[key] = edited;
  }
  return copy ?? object;
};

const editList = (list: readonly Json[], edit: Edit): readonly Json[] => {
  const edited = list.map(edit);
  return edited.every((item, place) => item === list[place]) ? list : edited.filter((item) => item !== undefined);
};

const editAt =
  (key: string, edit: Edit): Edit =>
  (value) => {
    if (isList(value)) return editList(value, key === anyKey ? edit : editAt(key, edit));
    return isObject(value) ? editKeys(value, keysAt(value, key), edit) : value;
  };

/**
 * Edits what stands at a path such as `traits.email`; `*` stands for any one key or item of a list, and a key that meets a
 * list goes into each item. Copies only along the path, and nothing where nothing stands there.
 */
export const createPathEdit = (path: string, edit: Edit): ((object: JsonObject) => JsonObject) => {
  const [first = "", ...rest] = parsePath(path);
  const editBelow = rest.reduceRight((below, key) => editAt(key, below), edit);
  return (object) => editKeys(object, keysAt(object, first), editBelow);
};

const valuesAt = (value: Json | undefined, key: string): readonly (Json | undefined)[] => {
  if (key !== anyKey) return [isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined];
  if (isList(value)) return value;
  return isObject(value) ? Object.values(value) : [];
};

type Test = (value: Json | undefined) => boolean;

/** Whether any of the values at a path passes a test; it is asked of `undefined` where a key is absent, as in a list. */
export const createPathTest = (path: string, test: Test): Test =>
  parsePath(path).reduceRight<Test>((below, key) => (value) => valuesAt(value, key).some(below), test);
