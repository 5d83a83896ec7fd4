import { MAX_DEPTH, tryParseJsonText } from "./json-text.ts";
import { type Json, type JsonObject, isList, isObject } from "./json.ts";

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

type EditAt = (value: Json | undefined, depth: number) => Json | undefined;

/** A loop, and no `map`: lists in lists may be deep, and each would take a place on the stack. */
const editList = (list: readonly Json[], edit: EditAt, depth: number): readonly Json[] => {
  const edited: Json[] = [];
  let isSame = true;
  for (const item of list) {
    const left = edit(item, depth);
    isSame &&= left === item;
    if (left !== undefined) edited.push(left);
  }
  return isSame ? list : edited;
};

/** Text that may hold an object, a list, or such text once more. */
const mayBeJson = /^\s*["[{]/;

/**
 * Text that begins as objects and lists do. If it cannot be read, somebody has cut it short, nested it without end, or printed
 * a map as Java (`{a=1}`), JavaScript (`{a: 1}`), Ruby (`{:a=>1}`) or Kafka Connect (`Struct{a=1}`) do. No two neighbours in it take the same character, so that it needs linear time whatever the text.
 */
const beginsAsMap = /^\s*(?:\w{0,20}\{\s*(?:["'=:]|[^\s{}=:"'][^\s{}=:]{0,200}\s*[=:])|\[\s*["'{]|(?:\[\s*){3})/;

/**
 * Edits inside of JSON text. It is written anew even where nothing was found: JSON may say a key twice, and the text would
 * keep the one that was not read. What begins as a map and cannot be read is removed, since nobody knows what it holds.
 */
const editText = (text: string, edit: Edit): Json | undefined => {
  const value = mayBeJson.test(text) ? tryParseJsonText(text.trim()) : undefined;
  if (value === undefined) return beginsAsMap.test(text) ? undefined : text;
  const edited = edit(value);
  return edited === undefined ? undefined : JSON.stringify(edited);
};

/** Only lists in texts in texts come deeper: they are removed, before the stack overflows. */
const maxDepth = MAX_DEPTH + 50;

const editAt = (key: string, edit: EditAt): EditAt => {
  const at: EditAt = (value, depth) => {
    const below = depth + 1;
    if (isObject(value)) return editKeys(value, keysAt(value, key), (child) => edit(child, below));
    if (isList(value)) return depth > maxDepth ? undefined : editList(value, key === anyKey ? edit : at, below);
    return typeof value === "string" ? editText(value, (held) => at(held, below)) : value;
  };
  return at;
};

/**
 * Edits what stands at a path such as `traits.email`; `*` stands for any one key or item of a list, and a key that meets a
 * list goes into each item, one that meets JSON text into what the text holds. Copies only along the path, and nothing
 * where nothing stands there.
 */
export const createPathEdit = (path: string, edit: Edit): ((object: JsonObject) => JsonObject) => {
  const [first = "", ...rest] = parsePath(path);
  const editBelow = rest.reduceRight<EditAt>((below, key) => editAt(key, below), edit);
  return (object) => editKeys(object, keysAt(object, first), (value) => editBelow(value, 1));
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
