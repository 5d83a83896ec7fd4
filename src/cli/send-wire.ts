import { readFileSync } from "node:fs";

import type { Config, RegistryConfig } from "../config/config.ts";
import { compileAvro } from "../decoding/avro/avro.ts";
import { SchemaFileError, isFolder } from "../decoding/bare-avro/schema-files.ts";
import { createInput } from "../decoding/create-decoder.ts";
import { type Decoder, createDecoder } from "../decoding/decoder.ts";
import { type Encode, createEncoder, frame } from "../decoding/encoder.ts";
import { type RegisteredSchema, latestSchema } from "../decoding/registry/latest-schema.ts";
import { registerSchema } from "../decoding/registry/register.ts";
import type { RegistryAddress } from "../decoding/registry/rest.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";

/** How events are written: what INPUT_FORMAT says, and for `auto` what is at hand. */
export type Wire = "json" | "avro" | "registry";

type InputConfig = Config["input"];

export const wireOf = ({ format, registry }: InputConfig): Wire => {
  if (format !== "auto") return format;
  return registry === undefined ? "json" : "registry";
};

export interface WriterOptions {
  readonly input: InputConfig;
  readonly topic: string;
  /** Told of a schema that had to be registered. */
  readonly say: (line: string) => void;
}

/** The encoder for a topic; asks the registry where there is one. Throws a sentence where the topic's schema is not ours. */
export const createWriter = async ({ input, topic, say }: WriterOptions): Promise<Encode> => {
  const { registry } = input;
  const wire = wireOf(input);
  if (wire === "registry" && registry !== undefined) return registryWriter({ input, registry, topic, say });
  return wire === "avro" ? fileWriter(input) : writeJson;
};

const writeJson: Encode = (event) => Buffer.from(JSON.stringify(event));

const fileWriter = (input: InputConfig): Encode =>
  createEncoder({ schema: readSchema(input), origin: `AVRO_SCHEMA_FILE '${input.schemaFile}'` });

const registryWriter = async (options: WriterOptions & { readonly registry: RegistryConfig }): Promise<Encode> => {
  const { input, topic, say } = options;
  const registry = addressOf(options.registry);
  const subject = `${topic}-value`;
  const found = await latestSchema(registry, subject);
  if (found === undefined) {
    const encodeByFile = fileWriter(input);
    const { id } = await registerSchema({ ...registry, subject, schema: readSchema(input) });
    say(`Registered the schema of AVRO_SCHEMA_FILE under ${subject}, id ${id}`);
    return (event) => frame(id, encodeByFile(event));
  }
  const encode = encoderOf(found, subject);
  return (event) => frame(found.id, encode(event));
};

const encoderOf = ({ id, schema }: RegisteredSchema, subject: string): Encode => {
  try {
    return createEncoder({ schema, origin: `the newest schema under ${subject} (id ${id})` });
  } catch (error) {
    const hint = "Set INPUT_FORMAT=json to send JSON, which a service with INPUT_FORMAT=auto reads beside Avro";
    throw new Error(`${error instanceof Error ? error.message : String(error)}. ${hint}`, { cause: error });
  }
};

const addressOf = ({ url, username, password, proxy }: RegistryConfig): RegistryAddress => {
  const secret = password?.read();
  const fetch = createFetch({ proxy, userAgent: readUserAgent() });
  return { url, fetch, ...(username !== undefined && { username }), ...(secret !== undefined && { password: secret }) };
};

const readSchema = ({ schemaFile }: InputConfig): string => {
  if (isFolder(schemaFile))
    throw new SchemaFileError(
      `Cannot write Avro by AVRO_SCHEMA_FILE: got the folder '${schemaFile}', want the one file whose schema the events shall have`,
    );
  try {
    return readFileSync(schemaFile, "utf8");
  } catch (error) {
    throw new SchemaFileError(`Cannot read AVRO_SCHEMA_FILE: got '${schemaFile}', want a file that can be read`, {
      cause: error,
    });
  }
};

export interface Rehearsal {
  readonly encode: Encode;
  readonly decoder: Decoder;
}

/** Writing and reading as the configuration says, without a registry: AVRO_SCHEMA_FILE stands for what is registered. */
export const createRehearsal = (input: InputConfig): Rehearsal => {
  switch (wireOf(input)) {
    case "json":
      return { encode: writeJson, decoder: createInput(input) };
    case "avro":
      return { encode: fileWriter(input), decoder: createInput(input) };
    case "registry":
      return rehearseRegistry(input);
  }
};

const rehearseRegistry = (input: InputConfig): Rehearsal => {
  const encode = fileWriter(input);
  const decode = compileAvro(readSchema(input));
  const source = {
    peek: () => decode,
    load: async () => ({ kind: "decoder", decode }) as const,
    prewarm: async () => {},
  };
  return { encode: (event) => frame(1, encode(event)), decoder: createDecoder({ format: input.format, source }) };
};
