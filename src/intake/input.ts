import { readFileSync } from "node:fs";

import type { Send } from "../outbound/json-answer.ts";
import { type Decoder, type InputFormat, createDecoder } from "./decode.ts";
import { type SchemaSource, createSchemaSource } from "./schemas-registry.ts";

export interface InputOptions {
  readonly format: InputFormat;
  readonly registry?:
    | {
        readonly url: string;
        readonly username?: string | undefined;
        readonly password?: { readonly read: () => string } | undefined;
      }
    | undefined;
  /** Knows the way to the registry. */
  readonly fetch?: Send;
  /** The path of the Avro schema for records without a header. */
  readonly schemaFile: string;
}

type Registry = NonNullable<InputOptions["registry"]>;

const sourceOf = ({ url, username, password }: Registry, fetch: Send | undefined): SchemaSource =>
  createSchemaSource({
    url,
    ...(fetch && { fetch }),
    ...(username !== undefined && { username }),
    ...(password && { password }),
  });

/** AVRO_SCHEMA_FILE does not hold an Avro schema: a mistake of the configuration. */
export class SchemaFileError extends Error {}

const readSchemaFile = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** The decoder that the configuration asks for. Throws a `SchemaFileError` where the schema file is needed and is none. */
export const createInput = ({ format, registry, schemaFile, fetch }: InputOptions): Decoder => {
  const source = registry && { source: sourceOf(registry, fetch) };
  if (format !== "avro" && format !== "auto") return createDecoder({ format, ...source });
  try {
    return createDecoder({ format, ...source, fileSchema: readSchemaFile(schemaFile) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SchemaFileError(
      `Cannot use AVRO_SCHEMA_FILE: got '${schemaFile}' (${why}), want a file with an Avro schema`,
      {
        cause: error,
      },
    );
  }
};
