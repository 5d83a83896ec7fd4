import { requestRegistry, expectOk, registryHostOf, isNotFound, type RegistryConnection } from "./rest.ts";

export interface RegisteredSchema {
  readonly id: number;
  /** The schema's text: JSON for Avro, another language for other schema types. */
  readonly schema: string;
}

/**
 * Fetches the newest schema under a subject; undefined if none is registered. Throws a sentence if the registry does not answer or
 * answers something else.
 * Source: https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
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
