import type { SendRequest } from "../../outbound/json-response.ts";
import { createAvroDecoder } from "../avro/avro.ts";
import { decodeJsonEvents, type DecodeEvents } from "../events.ts";
import { type SchemaFetchResult, fetchSchemaById } from "./client.ts";
import { fetchLatestSchema } from "./latest-schema.ts";
import type { RegistryConnection } from "./rest.ts";

/** What came of asking for a schema. Nothing but `registry_down` is worth asking again at once. */
export type SchemaLoadResult =
  | { readonly kind: "decoder"; readonly decode: DecodeEvents }
  | { readonly kind: "unknown" }
  | { readonly kind: "registry_down"; readonly error: string }
  | { readonly kind: "undecodable"; readonly error: string };

export interface DecoderCache {
  /** What is known of a schema without asking: its decoder, that the registry does not have it, or nothing yet. */
  readonly peek: (schemaId: number) => DecodeEvents | "unknown" | undefined;
  /** Asks the registry, once per id at a time, and remembers the answer. Never rejects. */
  readonly load: (schemaId: number) => Promise<SchemaLoadResult>;
  /** Loads the newest schema of the values of each topic, where there is one and the registry answers. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface DecoderCacheOptions {
  readonly url: string;
  readonly username?: string;
  /** Read for every question, since it may be replaced. */
  readonly password?: { readonly read: () => string };
  readonly fetch?: SendRequest;
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Milliseconds by a clock that nobody can set. */
  readonly monotonicNow?: () => number;
}

const MAX_SCHEMAS = 1_000;
/**
 * Spares the registry a flood, and is over before a record comes back from the first tier, where it is asked afresh. It
 * runs from the first look at the answer: a slow fetch must not find it forgotten, and ask again for ever.
 */
const UNKNOWN_TTL_MS = 500;

/** Makes a source of decoders that are fetched from a Confluent-compatible registry and kept. */
export function createDecoderCache({
  monotonicNow = () => performance.now(),
  timeoutMs = 5_000,
  password,
  ...connection
}: DecoderCacheOptions): DecoderCache {
  const currentConnection = (): RegistryConnection => ({
    ...connection,
    timeoutMs,
    ...(password && { password: password.read() }),
  });
  const decoders = new Map<number, DecodeEvents>();
  /** Until when each is known to be unknown; undefined until somebody looks. */
  const unknownUntil = new Map<number, number | undefined>();

  const fetchDecoder = async (schemaId: number): Promise<SchemaLoadResult> => {
    const result = toLoadResult(await fetchSchemaById(schemaId, currentConnection()));
    unknownUntil.delete(schemaId);
    if (result.kind === "decoder") putBounded(decoders, schemaId, result.decode);
    if (result.kind === "undecodable") putBounded(decoders, schemaId, createFailingDecoder(result.error));
    if (result.kind === "unknown") putBounded(unknownUntil, schemaId, undefined);
    return result;
  };
  const isUnknown = (schemaId: number): boolean => {
    if (!unknownUntil.has(schemaId)) return false;
    const until = unknownUntil.get(schemaId) ?? monotonicNow() + UNKNOWN_TTL_MS;
    unknownUntil.set(schemaId, until);
    return monotonicNow() < until;
  };
  const load = singleFlight(fetchDecoder);
  const prewarm = async (topic: string): Promise<void> => {
    const latest = await fetchLatestSchema(currentConnection(), `${topic}-value`);
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
function singleFlight(fetchDecoder: DecoderCache["load"]): DecoderCache["load"] {
  const inFlight = new Map<number, Promise<SchemaLoadResult>>();
  return (schemaId) => {
    const pending = inFlight.get(schemaId);
    if (pending !== undefined) return pending;
    const request = fetchDecoder(schemaId).finally(() => inFlight.delete(schemaId));
    inFlight.set(schemaId, request);
    return request;
  };
}

function toLoadResult(fetched: SchemaFetchResult): SchemaLoadResult {
  switch (fetched.kind) {
    case "avro":
      return { kind: "decoder", decode: createAvroDecoder(fetched.type) };
    case "json":
      return { kind: "decoder", decode: decodeJsonEvents };
    case "unsupported":
      return { kind: "undecodable", error: fetched.error };
    case "unknown":
    case "registry_down":
      return fetched;
  }
}

/** A schema that cannot be used fails every record of it, without being asked for again. */
function createFailingDecoder(error: string): DecodeEvents {
  return () => {
    throw new Error(error);
  };
}

/** Keeps the newest; ids come from outside, so they may be any number of them. */
function putBounded<T>(cache: Map<number, T>, schemaId: number, value: T): void {
  cache.delete(schemaId);
  cache.set(schemaId, value);
  const oldest = cache.keys().next();
  if (cache.size > MAX_SCHEMAS && oldest.done !== true) cache.delete(oldest.value);
}
