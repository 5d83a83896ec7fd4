import { type CompiledDecoder, createAvroDecoder } from "./decode-avro.ts";
import { decodeJson } from "./decode-json.ts";
import { type Answer, askForSchema } from "./schemas-client.ts";

/** What came of asking for a schema. Nothing but `registry_down` is worth asking again at once. */
export type LoadResult =
  | { readonly kind: "decoder"; readonly decode: CompiledDecoder }
  | { readonly kind: "unknown" }
  | { readonly kind: "registry_down"; readonly error: string }
  | { readonly kind: "undecodable"; readonly error: string };

export interface SchemaSource {
  /** What is known of a schema without asking: its decoder, that the registry does not have it, or nothing yet. */
  readonly peek: (schemaId: number) => CompiledDecoder | "unknown" | undefined;
  /** Asks the registry, once per id at a time, and remembers the answer. Never rejects. */
  readonly load: (schemaId: number) => Promise<LoadResult>;
}

export interface SchemaSourceOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Milliseconds since 1970. */
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
  now = Date.now,
  timeoutMs = 5_000,
  ...registry
}: SchemaSourceOptions): SchemaSource {
  const decoders = new Map<number, CompiledDecoder>();
  /** Until when each is known to be unknown; undefined until somebody looks. */
  const unknownUntil = new Map<number, number | undefined>();
  const underWay = new Map<number, Promise<LoadResult>>();

  const ask = async (schemaId: number): Promise<LoadResult> => {
    const result = resultOf(await askForSchema(schemaId, { ...registry, timeoutMs }));
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
  return {
    peek: (schemaId) => decoders.get(schemaId) ?? (isUnknown(schemaId) ? "unknown" : undefined),
    load: (schemaId) => {
      const asked = underWay.get(schemaId);
      if (asked !== undefined) return asked;
      const asking = ask(schemaId).finally(() => underWay.delete(schemaId));
      underWay.set(schemaId, asking);
      return asking;
    },
  };
}

function resultOf(answer: Answer): LoadResult {
  switch (answer.kind) {
    case "avro":
      return { kind: "decoder", decode: createAvroDecoder(answer.type) };
    case "json":
      return { kind: "decoder", decode: decodeJson };
    case "unsupported":
      return { kind: "undecodable", error: answer.error };
    case "unknown":
    case "registry_down":
      return answer;
  }
}

/** A schema that cannot be used fails every record of it, without being asked for again. */
function failing(error: string): CompiledDecoder {
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
