import type { Send } from "../../outbound/json-answer.ts";
import { createAvroDecoder } from "../avro/avro.ts";
import { decodeJsonEvents, type EventsDecoder } from "../events.ts";
import { type Answer, askForSchema } from "./client.ts";
import { latestSchema } from "./latest-schema.ts";
import type { RegistryAddress } from "./rest.ts";

/** What came of asking for a schema. Nothing but `registry_down` is worth asking again at once. */
export type LoadResult =
  | { readonly kind: "decoder"; readonly decode: EventsDecoder }
  | { readonly kind: "unknown" }
  | { readonly kind: "registry_down"; readonly error: string }
  | { readonly kind: "undecodable"; readonly error: string };

export interface SchemaSource {
  /** What is known of a schema without asking: its decoder, that the registry does not have it, or nothing yet. */
  readonly peek: (schemaId: number) => EventsDecoder | "unknown" | undefined;
  /** Asks the registry, once per id at a time, and remembers the answer. Never rejects. */
  readonly load: (schemaId: number) => Promise<LoadResult>;
  /** Loads the newest schema of the values of each topic, where there is one and the registry answers. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface SchemaSourceOptions {
  readonly url: string;
  readonly username?: string;
  /** Read for every question, since it may be replaced. */
  readonly password?: { readonly read: () => string };
  readonly fetch?: Send;
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Milliseconds by a clock that nobody can set. */
  readonly now?: () => number;
}

const MAX_SCHEMAS = 1_000;
/**
 * Spares the registry a flood, and is over before a record comes back from the first tier, where it is asked afresh. It
 * runs from the first look at the answer: a slow fetch must not find it forgotten, and ask again for ever.
 */
const UNKNOWN_FOR_MS = 500;

/** Makes a source of decoders that are fetched from a Confluent-compatible registry and kept. */
export function createSchemaSource({
  now = () => performance.now(),
  timeoutMs = 5_000,
  password,
  ...registry
}: SchemaSourceOptions): SchemaSource {
  const address = (): RegistryAddress => ({
    ...registry,
    timeoutMs,
    ...(password && { password: password.read() }),
  });
  const decoders = new Map<number, EventsDecoder>();
  /** Until when each is known to be unknown; undefined until somebody looks. */
  const unknownUntil = new Map<number, number | undefined>();

  const ask = async (schemaId: number): Promise<LoadResult> => {
    const result = resultOf(await askForSchema(schemaId, address()));
    unknownUntil.delete(schemaId);
    if (result.kind === "decoder") keep(decoders, schemaId, result.decode);
    if (result.kind === "undecodable") keep(decoders, schemaId, failing(result.error));
    if (result.kind === "unknown") keep(unknownUntil, schemaId, undefined);
    return result;
  };
  const isUnknown = (schemaId: number): boolean => {
    if (!unknownUntil.has(schemaId)) return false;
    const until = unknownUntil.get(schemaId) ?? now() + UNKNOWN_FOR_MS;
    unknownUntil.set(schemaId, until);
    return now() < until;
  };
  const load = askedOnce(ask);
  const prewarm = async (topic: string): Promise<void> => {
    const latest = await latestSchema(address(), `${topic}-value`);
    if (latest && !decoders.has(latest.id)) await load(latest.id);
  };
  return {
    load,
    peek: (schemaId) => decoders.get(schemaId) ?? (isUnknown(schemaId) ? "unknown" : undefined),
    prewarm: async (topics) => {
      await Promise.allSettled(topics.map(prewarm));
    },
  };
}

/** Who asks for an id that is being asked for gets the same answer. */
function askedOnce(ask: SchemaSource["load"]): SchemaSource["load"] {
  const underWay = new Map<number, Promise<LoadResult>>();
  return (schemaId) => {
    const asked = underWay.get(schemaId);
    if (asked !== undefined) return asked;
    const asking = ask(schemaId).finally(() => underWay.delete(schemaId));
    underWay.set(schemaId, asking);
    return asking;
  };
}

function resultOf(answer: Answer): LoadResult {
  switch (answer.kind) {
    case "avro":
      return { kind: "decoder", decode: createAvroDecoder(answer.type) };
    case "json":
      return { kind: "decoder", decode: decodeJsonEvents };
    case "unsupported":
      return { kind: "undecodable", error: answer.error };
    case "unknown":
    case "registry_down":
      return answer;
  }
}

/** A schema that cannot be used fails every record of it, without being asked for again. */
function failing(error: string): EventsDecoder {
  return () => {
    throw new Error(error);
  };
}

/** Keeps the newest; ids come from outside, so they may be any number of them. */
function keep<T>(cache: Map<number, T>, schemaId: number, value: T): void {
  cache.delete(schemaId);
  cache.set(schemaId, value);
  const oldest = cache.keys().next();
  if (cache.size > MAX_SCHEMAS && oldest.done !== true) cache.delete(oldest.value);
}
