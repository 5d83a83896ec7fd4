import { requestRegistry, expectOk, isNotFound, type RegistryConnection } from "./rest.ts";

/** A schema and the subject to register it under. */
export interface SubjectSchema extends RegistryConnection {
  readonly subject: string;
  /** The schema's text. */
  readonly schema: string;
}

export interface Registration {
  readonly subject: string;
  readonly id: number;
  readonly version: number;
}

/** How a schema compares with the newest one under its subject; `new` if the subject has no schema. */
export type SchemaComparison =
  | { readonly kind: "same" | "compatible"; readonly version: number }
  | { readonly kind: "new" }
  | { readonly kind: "incompatible"; readonly version: number; readonly reasons: readonly string[] };

/**
 * Registers a schema, and sets the compatibility of a new subject to BACKWARD. A second call changes nothing. Throws a sentence if the
 * registry refuses.
 *
 * The registry client's own `register` is not used: it refuses every subject whose compatibility differs from the given one, also a
 * stricter one, and does not return the version.
 */
export async function registerSchema(subjectSchema: SubjectSchema): Promise<Registration> {
  const subject = encodeURIComponent(subjectSchema.subject);
  const isNew = (await fetchLatestVersion(subjectSchema)) === undefined;
  const { schema } = subjectSchema;
  expectOk(
    subjectSchema,
    await requestRegistry(subjectSchema, { method: "POST", path: `/subjects/${subject}/versions`, body: { schema } }),
  );
  if (isNew) {
    const body = { compatibility: "BACKWARD" };
    expectOk(subjectSchema, await requestRegistry(subjectSchema, { method: "PUT", path: `/config/${subject}`, body }));
  }
  const response = await requestRegistry(subjectSchema, {
    method: "POST",
    path: `/subjects/${subject}`,
    body: { schema },
  });
  const { id, version } = expectOk(subjectSchema, response);
  return { subject: subjectSchema.subject, id: Number(id), version: Number(version) };
}

/** Compares a schema with the newest registered one, by the compatibility rule of the subject. Changes nothing. */
export async function compareWithLatest(subjectSchema: SubjectSchema): Promise<SchemaComparison> {
  const subject = encodeURIComponent(subjectSchema.subject);
  const latest = await fetchLatestVersion(subjectSchema);
  if (latest === undefined) return { kind: "new" };
  const { schema } = subjectSchema;
  const response = await requestRegistry(subjectSchema, {
    method: "POST",
    path: `/subjects/${subject}`,
    body: { schema },
  });
  if (response.status === 200 && Number(response.body["version"]) === latest) return { kind: "same", version: latest };
  const path = `/compatibility/subjects/${subject}/versions/latest?verbose=true`;
  const compatibility = expectOk(
    subjectSchema,
    await requestRegistry(subjectSchema, { method: "POST", path, body: { schema } }),
  );
  if (compatibility["is_compatible"] === true) return { kind: "compatible", version: latest };
  return { kind: "incompatible", version: latest, reasons: incompatibilityReasons(compatibility["messages"]) };
}

async function fetchLatestVersion(subjectSchema: SubjectSchema): Promise<number | undefined> {
  const path = `/subjects/${encodeURIComponent(subjectSchema.subject)}/versions/latest`;
  const response = await requestRegistry(subjectSchema, { method: "GET", path });
  return isNotFound(response) ? undefined : Number(expectOk(subjectSchema, response)["version"]);
}

function incompatibilityReasons(messages: unknown): readonly string[] {
  const reasons = Array.isArray(messages) ? messages.map(String) : [];
  return reasons.length > 0 ? reasons : ["the registry gives no reason"];
}
