import { readFileSync } from "node:fs";

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
  /** The path of the Avro schema for records without a header. */
  readonly schemaFile: string;
}

type Registry = NonNullable<InputOptions["registry"]>;

const sourceOf = ({ url, username, password }: Registry): SchemaSource => {
  const secret = password?.read();
  return createSchemaSource({
    url,
    ...(username !== undefined && { username }),
    ...(secret !== undefined && { password: secret }),
  });
};

/** The decoder that the configuration asks for. Throws where the schema file is needed and cannot be read. */
export const createInput = ({ format, registry, schemaFile }: InputOptions): Decoder => {
  const needsFile = format === "avro" || format === "auto";
  return createDecoder({
    format,
    ...(registry && { source: sourceOf(registry) }),
    ...(needsFile && { fileSchema: JSON.parse(readFileSync(schemaFile, "utf8")) as unknown }),
  });
};
