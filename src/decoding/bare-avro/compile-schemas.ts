import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import { createAvroDecoder, jsonTypeHook } from "../avro/avro.ts";
import type { DecodeEvents } from "../events.ts";
import { type SchemaFile, schemaFileError } from "./schema-files.ts";
import { type NamedTypes, collectNamedTypes, findNamedType, fullName } from "./schema-names.ts";

/** A schema that records without a header may be of. */
export interface BareSchema {
  /** How errors call it. */
  readonly name: string;
  readonly type: Type;
  readonly decode: DecodeEvents;
}

/**
 * Compiles the schemas, each for itself, so that two versions of one record may lie side by side. A name that a file does not
 * define is looked for in the others. Throws a `SchemaFileError` that names the file at fault.
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

/** As `readAsJson`, and finds the types of other files. */
const createTypeHook = (namedTypes: NamedTypes, file: string): NonNullable<ForSchemaOptions["typeHook"]> => {
  /** By full name; undefined while it is being made, since it may hold itself. */
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
