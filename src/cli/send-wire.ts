import { readFileSync } from "node:fs";

import type { InputConfig, RegistryConfig } from "../config/config.ts";
import { toError } from "../core/to-error.ts";
import { compileAvroSchema } from "../decoding/avro/avro.ts";
import { SchemaFileError, isFolder } from "../decoding/bare-avro/schema-files.ts";
import { createConfiguredDecoder } from "../decoding/configured-decoder.ts";
import { type Decoder, createDecoder } from "../decoding/decoder.ts";
import { type Encode, createEncoder } from "../decoding/encoder.ts";
import { frame } from "../decoding/frame.ts";
import { type RegisteredSchema, fetchLatestSchema } from "../decoding/registry/fetch-latest-schema.ts";
import { registerSchema } from "../decoding/registry/register.ts";
import type { RegistryConnection } from "../decoding/registry/rest.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";

/** The format that `send` writes. */
export type WireFormat = "json" | "avro" | "registry";

/** INPUT_FORMAT; for `auto`, `registry` if there is a registry and otherwise `json`. */
export const wireFormatOf = ({ format, registry }: InputConfig): WireFormat => {
  if (format !== "auto") return format;
  return registry === undefined ? "json" : "registry";
};

export interface TopicEncoderOptions {
  readonly input: InputConfig;
  readonly topic: string;
  /** Prints which schema was registered. */
  readonly print: (line: string) => void;
}

/** The encoder for a topic, with the schema from the registry if there is one. Rejects if that schema is not ours. */
export const createTopicEncoder = async ({ input, topic, print }: TopicEncoderOptions): Promise<Encode> => {
  const { registry } = input;
  const wireFormat = wireFormatOf(input);
  if (wireFormat === "registry" && registry !== undefined) return registryEncoder({ input, registry, topic, print });
  return wireFormat === "avro" ? fileEncoder(input) : encodeJson;
};

const encodeJson: Encode = (event) => Buffer.from(JSON.stringify(event));

const fileEncoder = (input: InputConfig): Encode =>
  createEncoder({ schema: readSchema(input), schemaName: `AVRO_SCHEMA_FILE '${input.schemaFile}'` });

const registryEncoder = async (
  options: TopicEncoderOptions & { readonly registry: RegistryConfig },
): Promise<Encode> => {
  const { input, topic, print } = options;
  const registry = registryConnectionOf(options.registry);
  const subject = `${topic}-value`;
  const registered = await fetchLatestSchema(registry, subject);
  if (registered === undefined) {
    const encodeByFile = fileEncoder(input);
    const { id } = await registerSchema({ ...registry, subject, schema: readSchema(input) });
    print(`Registered the schema of AVRO_SCHEMA_FILE under ${subject}, id ${id}`);
    return (event) => frame(id, encodeByFile(event));
  }
  const encode = encoderOf(registered, subject);
  return (event) => frame(registered.id, encode(event));
};

const encoderOf = ({ id, schema }: RegisteredSchema, subject: string): Encode => {
  try {
    return createEncoder({ schema, schemaName: `the latest schema of ${subject} (id ${id})` });
  } catch (error) {
    const hint = "set INPUT_FORMAT=json to send JSON, which a service with INPUT_FORMAT=auto reads too";
    throw new Error(`${toError(error).message}; ${hint}`, { cause: error });
  }
};

const registryConnectionOf = ({ url, username, password, proxy }: RegistryConfig): RegistryConnection => {
  const secret = password?.read();
  const fetch = createFetch({ proxy, userAgent: readUserAgent() });
  return { url, fetch, ...(username !== undefined && { username }), ...(secret !== undefined && { password: secret }) };
};

const readSchema = ({ schemaFile }: InputConfig): string => {
  if (isFolder(schemaFile))
    throw new SchemaFileError(
      `Cannot write Avro with AVRO_SCHEMA_FILE: got the folder '${schemaFile}', want one schema file`,
    );
  try {
    return readFileSync(schemaFile, "utf8");
  } catch (error) {
    throw new SchemaFileError(`Cannot read AVRO_SCHEMA_FILE: got '${schemaFile}', want a readable file`, {
      cause: error,
    });
  }
};

export interface DryRunCodec {
  readonly encode: Encode;
  readonly decoder: Decoder;
}

/** Encodes and decodes as the configuration says, but without a registry: it takes AVRO_SCHEMA_FILE as the registered schema. */
export const createDryRunCodec = (input: InputConfig): DryRunCodec => {
  switch (wireFormatOf(input)) {
    case "json":
      return { encode: encodeJson, decoder: createConfiguredDecoder(input) };
    case "avro":
      return { encode: fileEncoder(input), decoder: createConfiguredDecoder(input) };
    case "registry":
      return createRegistryDryRunCodec(input);
  }
};

const createRegistryDryRunCodec = (input: InputConfig): DryRunCodec => {
  const encode = fileEncoder(input);
  const decode = compileAvroSchema(readSchema(input));
  const decoderCache = {
    peek: () => decode,
    load: async () => ({ kind: "decoder", decode }) as const,
    prewarm: async () => {},
  };
  return { encode: (event) => frame(1, encode(event)), decoder: createDecoder({ format: input.format, decoderCache }) };
};
