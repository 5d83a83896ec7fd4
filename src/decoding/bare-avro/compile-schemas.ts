import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import { createAvroDecoder, readAsJson } from "../avro/avro.ts";
import type { EventsDecoder } from "../events.ts";
import { type SchemaFile, schemaFileError } from "./schema-files.ts";
import { type Definitions, definitionsIn, findDefinition, fullName } from "./schema-names.ts";

/** A schema that records without a header may be of. */
export interface BareSchema {
  /** How errors call it. */
  readonly name: string;
  readonly type: Type;
  readonly decode: EventsDecoder;
}

/**
 * Compiles the schemas, each for itself, so that two versions of one record may lie side by side. A name that a file does not
 * define is looked for in the others. Throws a `SchemaFileError` that names the file at fault.
 */
export const compileSchemas = (files: readonly SchemaFile[]): readonly BareSchema[] => {
  const definitions = definitionsIn(files);
  return files.map(({ name, path, schema }) => {
    try {
      const type = avro.Type.forSchema(schema as Schema, { typeHook: createHook(definitions, name) });
      return { name, type, decode: createAvroDecoder(type) };
    } catch (error) {
      throw schemaFileError(path, error);
    }
  });
};

type Options = ForSchemaOptions & { readonly namespace?: string };

/** As `readAsJson`, and finds the types of other files. */
const createHook = (definitions: Definitions, file: string): NonNullable<ForSchemaOptions["typeHook"]> => {
  /** By full name; undefined while it is being made, since it may hold itself. */
  const foreign = new Map<string, Type | undefined>();
  const find = (reference: string, options: Options): Type | undefined => {
    const name = fullName(reference, options.namespace);
    if (foreign.has(name)) return foreign.get(name);
    const found = findDefinition(definitions, name, file);
    if (found === undefined) return undefined;
    foreign.set(name, undefined);
    const type = avro.Type.forSchema(found.schema as Schema, { ...options, namespace: found.namespace } as Options);
    foreign.set(name, type);
    return type;
  };
  return (schema: unknown, options: ForSchemaOptions) =>
    (typeof schema === "string" ? find(schema, options) : undefined) ?? readAsJson(schema, options);
};
