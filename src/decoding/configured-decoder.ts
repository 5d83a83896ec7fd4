import type { SendRequest } from "../outbound/json-response.ts";
import { type BareSchema, compileSchemas } from "./bare-avro/compile-schemas.ts";
import { mayBeginWithZero } from "./bare-avro/first-byte.ts";
import { readSchemaFiles } from "./bare-avro/schema-files.ts";
import { type Decoder, type InputFormat, createDecoder } from "./decoder.ts";
import { type DecoderCache, createDecoderCache } from "./registry/decoder-cache.ts";

export interface ConfiguredDecoderOptions {
  readonly format: InputFormat;
  readonly registry?:
    | {
        readonly url: string;
        readonly username?: string | undefined;
        readonly password?: { readonly read: () => string } | undefined;
      }
    | undefined;
  /** Sends the requests to the registry, by a proxy and with TLS settings if these are configured. */
  readonly fetch?: SendRequest;
  /** The path of the Avro schema of bare records, or of a folder of such schemas. */
  readonly schemaFile: string;
  /** Called with a sentence about a configuration that works but has a risk. */
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

/**
 * Makes the decoder that the configuration asks for. Throws a `SchemaFileError` if the format needs a schema file and it cannot be
 * used.
 */
export const createConfiguredDecoder = ({
  format,
  registry,
  schemaFile,
  fetch,
  warn,
}: ConfiguredDecoderOptions): Decoder => {
  const decoderCache = registry && createRegistryDecoderCache(registry, fetch);
  const bareSchemas = mayBeBareAvro(format) ? compileSchemas(readSchemaFiles(schemaFile)) : [];
  if (format === "auto" && decoderCache) for (const text of ambiguityWarnings(bareSchemas)) warn?.(text);
  return createDecoder({ format, bareSchemas, ...(decoderCache && { decoderCache }) });
};

const mayBeBareAvro = (format: InputFormat): boolean => format === "avro" || format === "auto";

/** One warning for each schema whose bare records may begin like framed records. */
const ambiguityWarnings = (schemas: readonly BareSchema[]): readonly string[] =>
  schemas
    .filter(({ type }) => mayBeginWithZero(type))
    .map(
      ({ name }) =>
        `Bare Avro of ${name} may begin with a zero byte, like a record with a schema id; the registry is then asked for a schema that may not exist. If no record has a schema id, set INPUT_FORMAT=avro`,
    );
