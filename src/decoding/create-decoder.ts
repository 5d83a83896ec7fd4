import type { Send } from "../outbound/json-answer.ts";
import { type BareSchema, compileSchemas } from "./bare-avro/compile-schemas.ts";
import { mayBeginWithZero } from "./bare-avro/first-byte.ts";
import { readSchemaFiles } from "./bare-avro/schema-files.ts";
import { type Decoder, type InputFormat, createDecoder } from "./decoder.ts";
import { type SchemaSource, createSchemaSource } from "./registry/schemas.ts";

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
  /** The path of the Avro schema for records without a header, or of a folder of them. */
  readonly schemaFile: string;
  /** Told of what works, but not well. */
  readonly warn?: (text: string) => void;
}

type Registry = NonNullable<InputOptions["registry"]>;

const sourceOf = ({ url, username, password }: Registry, fetch: Send | undefined): SchemaSource =>
  createSchemaSource({
    url,
    ...(fetch && { fetch }),
    ...(username !== undefined && { username }),
    ...(password && { password }),
  });

/** The decoder that the configuration asks for. Throws a `SchemaFileError` where a schema file is needed and is none. */
export const createInput = ({ format, registry, schemaFile, fetch, warn }: InputOptions): Decoder => {
  const source = registry && { source: sourceOf(registry, fetch) };
  if (format !== "avro" && format !== "auto") return createDecoder({ format, ...source });
  const bare = compileSchemas(readSchemaFiles(schemaFile));
  if (format === "auto" && source) for (const text of doubtsOf(bare)) warn?.(text);
  return createDecoder({ format, ...source, bare });
};

/** Only the registry tells such records from those with a schema id. */
const doubtsOf = (schemas: readonly BareSchema[]): readonly string[] =>
  schemas
    .filter(({ type }) => mayBeginWithZero(type))
    .map(
      ({ name }) =>
        `Bare Avro of ${name} may begin with a zero byte, as records with a schema id do: the registry is asked about what stands there. If no record has a schema id, set INPUT_FORMAT=avro`,
    );
