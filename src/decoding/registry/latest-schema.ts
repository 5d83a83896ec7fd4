import { requestRegistry, expectOk, registryHostOf, isNotFound, type RegistryConnection } from "./rest.ts";

export interface RegisteredSchema {
  readonly id: number;
  /** Its text: of Avro JSON, of other kinds whatever they are written in. */
  readonly schema: string;
}

/** The newest schema under a subject; undefined where none is registered. Throws a sentence where the registry does not answer. */
export async function fetchLatestSchema(
  connection: RegistryConnection,
  subject: string,
): Promise<RegisteredSchema | undefined> {
  const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
  const response = await requestRegistry(connection, { method: "GET", path });
  if (isNotFound(response)) return undefined;
  const { id, schema } = expectOk(connection, response);
  if (typeof id === "number" && typeof schema === "string") return { id, schema };
  throw new Error(`Cannot use the schema registry at ${registryHostOf(connection)}: got no id and text for ${subject}`);
}
