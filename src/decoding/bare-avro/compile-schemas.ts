import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import { createAvroDecoder, jsonTypeHook } from "../avro/avro.ts";
import type { DecodeEvents } from "../events.ts";
import { type SchemaFile, schemaFileError } from "./schema-files.ts";
import { type NamedTypes, collectNamedTypes, findNamedType, fullName } from "./schema-names.ts";

/** A compiled schema of bare records. */
export interface BareSchema {
  /** The file's name, for errors. */
  readonly name: string;
  readonly type: Type;
  readonly decode: DecodeEvents;
}

/**
 * Compiles each schema on its own, so that two files may define versions of the same record. A type name that a file does not define is
 * looked up in the other files. Throws a `SchemaFileError` that names the file at fault.
 */
export const compileSchemas = (files: readonly SchemaFile[]): readonly BareSchema[] => {
  const namedTypes = collectNamedTypes(files);
  return files.map(({ name, path, schema }) => {
    try {
      const type = avro.Type.forSchema(schema as Schema, { typeHook: createTypeHook(namedTypes, name) });
      return { name, type, decode: createAvroDecoder(type) };
    } catch (error) {
      throw schemaFileError(path, error);
    }
  });
};

type TypeHookOptions = ForSchemaOptions & { readonly namespace?: string };

/** Like `jsonTypeHook`, and finds the types that other files define. */
const createTypeHook = (namedTypes: NamedTypes, file: string): NonNullable<ForSchemaOptions["typeHook"]> => {
  /** By full name; undefined while the type is being compiled, because it may refer to itself. */
  const typesOfOtherFiles = new Map<string, Type | undefined>();
  const findType = (reference: string, options: TypeHookOptions): Type | undefined => {
    const name = fullName(reference, options.namespace);
    if (typesOfOtherFiles.has(name)) return typesOfOtherFiles.get(name);
    const definition = findNamedType(namedTypes, name, file);
    if (definition === undefined) return undefined;
    typesOfOtherFiles.set(name, undefined);
    const type = avro.Type.forSchema(
      definition.schema as Schema,
      { ...options, namespace: definition.namespace } as TypeHookOptions,
    );
    typesOfOtherFiles.set(name, type);
    return type;
  };
  return (schema: unknown, options: ForSchemaOptions) =>
    (typeof schema === "string" ? findType(schema, options) : undefined) ?? jsonTypeHook(schema, options);
};
