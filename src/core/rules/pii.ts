import type { RawEvent } from "../event/event.ts";
import { keepTraitsOne, withContextTraits } from "../event/shared-traits.ts";
import { type Json, textOf } from "../json/json.ts";
import { type Edit, createPathEdit } from "../json/property-paths.ts";

export interface PiiRules {
  /** Paths such as `traits.email`. */
  readonly pii: { readonly drop: readonly string[]; readonly hash: readonly string[] };
  /** SHA-256 of a text's UTF-8, in hex. */
  readonly hash: (text: string) => string;
}

/** Removes what must not leave and hashes what may leave hashed only. What cannot be hashed, a list or an object, is removed. */
export const createPiiRemover = ({ pii, hash }: PiiRules): ((raw: RawEvent) => RawEvent) => {
  const hashed: Edit = (value: Json | undefined) => {
    // An empty id means none: its hash would make one user of all who have none.
    if (value === null || value === "") return value;
    const text = textOf(value);
    return text === undefined ? undefined : hash(text);
  };
  const edits = [
    ...withContextTraits(pii.drop).map((path) => createPathEdit(path, () => undefined)),
    ...withContextTraits(pii.hash).map((path) => createPathEdit(path, hashed)),
  ];
  return keepTraitsOne((raw) => edits.reduce((left, edit) => edit(left), raw));
};
