import type { EditEvent } from "../event/event.ts";
import { preserveSharedTraits, withContextTraitPaths } from "../event/shared-traits.ts";
import { type Json, scalarTextOf } from "../json/json.ts";
import { type EditValue, createPathEdit } from "../json/property-paths.ts";

export interface PiiRules {
  /** Paths such as `traits.email` of the values to remove and to hash. */
  readonly pii: { readonly drop: readonly string[]; readonly hash: readonly string[] };
  /** Returns the SHA-256 of a text's UTF-8 in hexadecimal. */
  readonly hash: (text: string) => string;
}

/** Makes the edit that removes or hashes personal data. A list or an object at a path to hash is removed. */
export const createPiiRemover = ({ pii, hash }: PiiRules): EditEvent => {
  const hashValue: EditValue = (value: Json | undefined) => {
    // Empty text means that there is no value. Its hash would be the same for all users without a value.
    if (value === null || value === "") return value;
    const text = scalarTextOf(value);
    return text === undefined ? undefined : hash(text);
  };
  const edits = [
    ...withContextTraitPaths(pii.drop).map((path) => createPathEdit(path, () => undefined)),
    ...withContextTraitPaths(pii.hash).map((path) => createPathEdit(path, hashValue)),
  ];
  return preserveSharedTraits((event) => edits.reduce((edited, edit) => edit(edited), event));
};
