import { isDeepStrictEqual } from "node:util";

import type { SchemaFile } from "./schema-files.ts";

/** A named type that a file defines, at the top or further in. */
export interface Definition {
  readonly file: string;
  readonly schema: object;
  /** What names without a dot inside of it belong to. */
  readonly namespace: string | undefined;
}

export type Definitions = ReadonlyMap<string, readonly Definition[]>;

const named = new Set<unknown>(["record", "error", "enum", "fixed"]);

/** The full name of a name in a namespace. */
export const fullName = (name: string, namespace: string | undefined): string =>
  name.includes(".") || !namespace ? name : `${namespace}.${name}`;

/** The named types of all files, by their full names. */
export const definitionsIn = (files: readonly SchemaFile[]): Definitions => {
  const found = new Map<string, Definition[]>();
  for (const { name: file, schema } of files) {
    for (const [name, definition] of namedTypes(schema, undefined))
      found.set(name, [...(found.get(name) ?? []), { file, ...definition }]);
  }
  return found;
};

/**
 * The type that a file means by a name it does not define itself. Undefined if no file does; throws a sentence if several do, and
 * not in the same way.
 */
export const findDefinition = (definitions: Definitions, name: string, file: string): Definition | undefined => {
  const [first, ...others] = definitions.get(name) ?? [];
  if (first === undefined || [first, ...others].some((definition) => definition.file === file)) return undefined;
  const other = others.find(({ schema }) => !isDeepStrictEqual(schema, first.schema));
  if (other === undefined) return first;
  throw new Error(`'${name}' is defined in ${first.file} and, differently, in ${other.file}`);
};

type Named = readonly [name: string, definition: Omit<Definition, "file">];

interface Parts {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly fields?: unknown;
  readonly items?: unknown;
  readonly values?: unknown;
}

function* namedTypes(schema: unknown, outer: string | undefined): Generator<Named> {
  if (Array.isArray(schema)) for (const branch of schema) yield* namedTypes(branch, outer);
  else if (typeof schema === "object" && schema !== null) yield* typesOf(schema, outer);
}

function* typesOf(schema: Parts, outer: string | undefined): Generator<Named> {
  const { type, name, fields } = schema;
  if (!named.has(type) || typeof name !== "string") {
    for (const inner of [type, schema.items, schema.values]) yield* namedTypes(inner, outer);
    return;
  }
  const full = fullName(name, typeof schema.namespace === "string" ? schema.namespace : outer);
  const namespace = full.includes(".") ? full.slice(0, full.lastIndexOf(".")) : undefined;
  yield [full, { schema, namespace }];
  for (const field of Array.isArray(fields) ? (fields as readonly Parts[]) : [])
    yield* namedTypes(field.type, namespace);
}
