import { ask, expectOk, hostOf, isMissing, type RegistryAddress } from "./rest.ts";

export interface RegisteredSchema {
  readonly id: number;
  /** Its text: of Avro JSON, of other kinds whatever they are written in. */
  readonly schema: string;
}

/** The newest schema under a subject; undefined where none is registered. Throws a sentence where the registry does not answer. */
export async function latestSchema(registry: RegistryAddress, subject: string): Promise<RegisteredSchema | undefined> {
  const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
  const reply = await ask(registry, { method: "GET", path });
  if (isMissing(reply)) return undefined;
  const { id, schema } = expectOk(registry, reply);
  if (typeof id === "number" && typeof schema === "string") return { id, schema };
  throw new Error(`Cannot use the schema registry at ${hostOf(registry)}: got no id and text for ${subject}`);
}
