import type { SendRequest } from "../outbound/json-answer.ts";
import { type BareSchema, compileSchemas } from "./bare-avro/compile-schemas.ts";
import { mayBeginWithZero } from "./bare-avro/first-byte.ts";
import { readSchemaFiles } from "./bare-avro/schema-files.ts";
import { type Decoder, type InputFormat, createDecoder } from "./decoder.ts";
import { type DecoderCache, createDecoderCache } from "./registry/schemas.ts";

export interface ConfiguredDecoderOptions {
  readonly format: InputFormat;
  readonly registry?:
    | {
        readonly url: string;
        readonly username?: string | undefined;
        readonly password?: { readonly read: () => string } | undefined;
      }
    | undefined;
  /** Knows the way to the registry. */
  readonly fetch?: SendRequest;
  /** The path of the Avro schema for records without a header, or of a folder of them. */
  readonly schemaFile: string;
  /** Told of what works, but not well. */
  readonly warn?: (text: string) => void;
}

type RegistryOptions = NonNullable<ConfiguredDecoderOptions["registry"]>;

const createRegistryDecoderCache = (
  { url, username, password }: RegistryOptions,
  fetch: SendRequest | undefined,
): DecoderCache =>
  createDecoderCache({
    url,
    ...(fetch && { fetch }),
    ...(username !== undefined && { username }),
    ...(password && { password }),
  });

/** The decoder that the configuration asks for. Throws a `SchemaFileError` where a schema file is needed and is none. */
export const createConfiguredDecoder = ({
  format,
  registry,
  schemaFile,
  fetch,
  warn,
}: ConfiguredDecoderOptions): Decoder => {
  const cacheOption = registry && { decoderCache: createRegistryDecoderCache(registry, fetch) };
  if (format !== "avro" && format !== "auto") return createDecoder({ format, ...cacheOption });
  const bareSchemas = compileSchemas(readSchemaFiles(schemaFile));
  if (format === "auto" && cacheOption) for (const text of ambiguityWarnings(bareSchemas)) warn?.(text);
  return createDecoder({ format, ...cacheOption, bareSchemas });
};

/** Only the registry tells such records from those with a schema id. */
const ambiguityWarnings = (schemas: readonly BareSchema[]): readonly string[] =>
  schemas
    .filter(({ type }) => mayBeginWithZero(type))
    .map(
      ({ name }) =>
        `Bare Avro of ${name} may begin with a zero byte, as records with a schema id do: the registry is asked about what stands there. If no record has a schema id, set INPUT_FORMAT=avro`,
    );
