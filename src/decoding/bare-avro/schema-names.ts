import { isDeepStrictEqual } from "node:util";

import type { SchemaFile } from "./schema-files.ts";

/** A named type that a file defines, at the top level or nested. */
export interface NamedType {
  readonly file: string;
  readonly schema: object;
  /** The namespace of names without a dot inside the type. */
  readonly namespace: string | undefined;
}

/** The named types by full name. */
export type NamedTypes = ReadonlyMap<string, readonly NamedType[]>;

const namedKinds = new Set<unknown>(["record", "error", "enum", "fixed"]);

/** The full name of a name in a namespace. Source: https://avro.apache.org/docs/1.12.0/specification/#names */
export const fullName = (name: string, namespace: string | undefined): string =>
  name.includes(".") || !namespace ? name : `${namespace}.${name}`;

/** Collects the named types of all files. */
export const collectNamedTypes = (files: readonly SchemaFile[]): NamedTypes => {
  const byName = new Map<string, NamedType[]>();
  for (const { name: file, schema } of files) {
    for (const [name, namedType] of walkSchema(schema, undefined))
      byName.set(name, [...(byName.get(name) ?? []), { file, ...namedType }]);
  }
  return byName;
};

/**
 * Finds the type that a file refers to but does not define. Undefined if no other file defines it, or if the file itself does. Throws a
 * sentence if several files define it differently.
 */
export const findNamedType = (namedTypes: NamedTypes, name: string, file: string): NamedType | undefined => {
  const [first, ...others] = namedTypes.get(name) ?? [];
  if (first === undefined || [first, ...others].some((namedType) => namedType.file === file)) return undefined;
  const other = others.find(({ schema }) => !isDeepStrictEqual(schema, first.schema));
  if (other === undefined) return first;
  throw new Error(`${first.file} and ${other.file} define '${name}' differently`);
};

type NamedTypeEntry = readonly [name: string, definition: Omit<NamedType, "file">];

interface SchemaParts {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly fields?: unknown;
  readonly items?: unknown;
  readonly values?: unknown;
}

function* walkSchema(schema: unknown, outerNamespace: string | undefined): Generator<NamedTypeEntry> {
  if (Array.isArray(schema)) for (const branch of schema) yield* walkSchema(branch, outerNamespace);
  else if (typeof schema === "object" && schema !== null) yield* walkDefinition(schema, outerNamespace);
}

function* walkDefinition(schema: SchemaParts, outerNamespace: string | undefined): Generator<NamedTypeEntry> {
  const { type, name, fields } = schema;
  if (!namedKinds.has(type) || typeof name !== "string") {
    for (const inner of [type, schema.items, schema.values]) yield* walkSchema(inner, outerNamespace);
    return;
  }
  const full = fullName(name, typeof schema.namespace === "string" ? schema.namespace : outerNamespace);
  const namespace = full.includes(".") ? full.slice(0, full.lastIndexOf(".")) : undefined;
  yield [full, { schema, namespace }];
  for (const field of Array.isArray(fields) ? (fields as readonly SchemaParts[]) : [])
    yield* walkSchema(field.type, namespace);
}
