import type { SendRequest } from "../../outbound/json-response.ts";
import { createAvroDecoder } from "../avro/avro.ts";
import { decodeJsonEvents, type DecodeEvents } from "../events.ts";
import { evictOldest } from "../evict-oldest.ts";
import { type SchemaFetchResult, fetchSchemaById } from "./client.ts";
import { fetchLatestSchema } from "./fetch-latest-schema.ts";
import type { RegistryConnection } from "./rest.ts";

/**
 * The result of asking the registry for a schema. After `registry_down` the request may be repeated at once; after the others it is
 * not.
 */
export type SchemaLoadResult =
  | { readonly kind: "decoder"; readonly decode: DecodeEvents }
  | { readonly kind: "unknown" }
  | { readonly kind: "registry_down"; readonly error: string }
  | { readonly kind: "undecodable"; readonly error: string };

/** The decoders of framed records, by schema id. */
export interface DecoderCache {
  /** The decoder of a schema; `unknown` if the registry does not have the schema; undefined if it must be loaded first. */
  readonly peek: (schemaId: number) => DecodeEvents | "unknown" | undefined;
  /**
   * To be called when a record is given up because its schema is `unknown`. The first call after a load starts the 500 ms after which
   * the cache forgets that the schema is unknown.
   */
  readonly reportUnknown: (schemaId: number) => void;
  /** Asks the registry for a schema, with one request per id at a time, and keeps the result. Never rejects. */
  readonly load: (schemaId: number) => Promise<SchemaLoadResult>;
  /** Loads the newest schema under `<topic>-value` of each topic, if there is one and the registry answers. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface DecoderCacheOptions {
  readonly url: string;
  readonly username?: string;
  /** Read before every request, because the password may change. */
  readonly password?: { readonly read: () => string };
  readonly fetch?: SendRequest;
  /** For a whole response, in milliseconds; 5 s if absent. */
  readonly timeoutMs?: number;
  /** The monotonic clock, in milliseconds. */
  readonly monotonicNow?: () => number;
}

const maxSchemas = 1_000;
/**
 * How long the registry is not asked again for a schema that it does not have. Shorter than the delay of the first retry topic, so that
 * a record that comes back from there asks afresh. The time starts when the first record is given up, not when the registry answers:
 * Kafka may return the waiting record later than 500 ms after the answer, and would then ask again for ever.
 */
const unknownTtlMs = 500;

/** Makes the cache of a Confluent-compatible registry. It keeps 1,000 schemas. */
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
  const unknownSchemas = createUnknownSchemas(monotonicNow);

  const fetchDecoder = async (schemaId: number): Promise<SchemaLoadResult> => {
    const result = toLoadResult(await fetchSchemaById(schemaId, currentConnection()));
    unknownSchemas.delete(schemaId);
    if (result.kind === "decoder") putBounded(decoders, schemaId, result.decode);
    if (result.kind === "undecodable") putBounded(decoders, schemaId, createFailingDecoder(result.error));
    if (result.kind === "unknown") unknownSchemas.add(schemaId);
    return result;
  };
  const load = singleFlight(fetchDecoder);
  const prewarm = async (topic: string): Promise<void> => {
    const latest = await fetchLatestSchema(currentConnection(), `${topic}-value`);
    if (latest && !decoders.has(latest.id)) await load(latest.id);
  };
  return {
    load,
    peek: (schemaId) => decoders.get(schemaId) ?? (unknownSchemas.has(schemaId) ? "unknown" : undefined),
    reportUnknown: unknownSchemas.startExpiry,
    prewarm: async (topics) => {
      await Promise.allSettled(topics.map(prewarm));
    },
  };
}

interface UnknownSchemas {
  readonly add: (schemaId: number) => void;
  readonly delete: (schemaId: number) => void;
  readonly has: (schemaId: number) => boolean;
  /** Starts the time after which `has` is false; a second call changes nothing. */
  readonly startExpiry: (schemaId: number) => void;
}

function createUnknownSchemas(monotonicNow: () => number): UnknownSchemas {
  /** When each schema is forgotten; undefined until its time has started. */
  const expiryTimes = new Map<number, number | undefined>();
  return {
    add: (schemaId) => putBounded(expiryTimes, schemaId, undefined),
    delete: (schemaId) => expiryTimes.delete(schemaId),
    has: (schemaId) => {
      const expiresAt = expiryTimes.get(schemaId);
      return expiresAt === undefined ? expiryTimes.has(schemaId) : monotonicNow() < expiresAt;
    },
    startExpiry: (schemaId) => {
      if (expiryTimes.has(schemaId) && expiryTimes.get(schemaId) === undefined)
        expiryTimes.set(schemaId, monotonicNow() + unknownTtlMs);
    },
  };
}

/** A call for an id whose request is in flight returns the same promise. */
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

/** A decoder that fails every record of a schema that cannot be used, so that the registry is not asked again. */
function createFailingDecoder(error: string): DecodeEvents {
  return () => {
    throw new Error(error);
  };
}

/** Keeps the newest 1,000: ids come from outside, so their number has no limit. */
function putBounded<T>(cache: Map<number, T>, schemaId: number, value: T): void {
  cache.delete(schemaId);
  cache.set(schemaId, value);
  evictOldest(cache, maxSchemas);
}
