import { ask, expectOk, isMissing, type RegistryAddress } from "./rest.ts";

export interface SchemaUnderSubject extends RegistryAddress {
  readonly subject: string;
  /** The schema's text. */
  readonly schema: string;
}

export interface Registered {
  readonly subject: string;
  readonly id: number;
  readonly version: number;
}

/** How a schema compares with the newest one under its subject. */
export type Comparison =
  | { readonly kind: "same" | "compatible"; readonly version: number }
  | { readonly kind: "new" }
  | { readonly kind: "incompatible"; readonly version: number; readonly reasons: readonly string[] };

/**
 * Registers a schema, and makes a new subject BACKWARD compatible. Doing it twice changes nothing.
 *
 * The registry client's own `register` is not used: it refuses every subject whose compatibility differs from the one it
 * is told, a stricter one too, and cannot say which version came of it. Throws a sentence where the registry does not agree.
 */
export async function registerSchema(target: SchemaUnderSubject): Promise<Registered> {
  const subject = encodeURIComponent(target.subject);
  const isNew = (await latestVersion(target)) === undefined;
  const { schema } = target;
  expectOk(target, await ask(target, { method: "POST", path: `/subjects/${subject}/versions`, body: { schema } }));
  if (isNew) {
    const body = { compatibility: "BACKWARD" };
    expectOk(target, await ask(target, { method: "PUT", path: `/config/${subject}`, body }));
  }
  const found = await ask(target, { method: "POST", path: `/subjects/${subject}`, body: { schema } });
  const { id, version } = expectOk(target, found);
  return { subject: target.subject, id: Number(id), version: Number(version) };
}

/** Compares a schema with the newest one registered, by the registry's own rule for the subject. Changes nothing. */
export async function compareSchema(target: SchemaUnderSubject): Promise<Comparison> {
  const subject = encodeURIComponent(target.subject);
  const latest = await latestVersion(target);
  if (latest === undefined) return { kind: "new" };
  const { schema } = target;
  const found = await ask(target, { method: "POST", path: `/subjects/${subject}`, body: { schema } });
  if (found.status === 200 && Number(found.body["version"]) === latest) return { kind: "same", version: latest };
  const path = `/compatibility/subjects/${subject}/versions/latest?verbose=true`;
  const verdict = expectOk(target, await ask(target, { method: "POST", path, body: { schema } }));
  if (verdict["is_compatible"] === true) return { kind: "compatible", version: latest };
  return { kind: "incompatible", version: latest, reasons: reasonsOf(verdict["messages"]) };
}

async function latestVersion(target: SchemaUnderSubject): Promise<number | undefined> {
  const path = `/subjects/${encodeURIComponent(target.subject)}/versions/latest`;
  const reply = await ask(target, { method: "GET", path });
  return isMissing(reply) ? undefined : Number(expectOk(target, reply)["version"]);
}

function reasonsOf(messages: unknown): readonly string[] {
  const reasons = Array.isArray(messages) ? messages.map(String) : [];
  return reasons.length > 0 ? reasons : ["the registry gives no reason"];
}
