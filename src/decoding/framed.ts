import { type DecodeValue, decodeSafely, undecodable } from "./decoded.ts";
import { unframe } from "./frame.ts";
import type { DecoderCache } from "./registry/decoder-cache.ts";

/** The part of `DecoderCache` that decoding needs. */
export type KnownDecoders = Pick<DecoderCache, "peek"> & Partial<Pick<DecoderCache, "reportUnknown">>;

export const noRegistry = undecodable(
  "Cannot read a record with a schema id: got no SCHEMA_REGISTRY_URL, want the registry's address",
);

/** Makes the decoder of framed values. It uses the schemas that are in the cache; without a cache every value is undecodable. */
export const createFramedDecoder = (decoderCache: KnownDecoders | undefined): DecodeValue => {
  if (decoderCache === undefined) return () => noRegistry;
  const decodeFramed: DecodeValue = (value) => {
    const framed = unframe(value);
    if (framed === undefined)
      return undecodable(
        `Cannot read the record: got ${value.length} bytes, want a zero byte, a schema id of 4 bytes and the event`,
      );
    const { schemaId, payload } = framed;
    const known = decoderCache.peek(schemaId);
    if (known === undefined) return { kind: "needs_schema", schemaId };
    if (known !== "unknown") return decodeSafely(known, payload);
    decoderCache.reportUnknown?.(schemaId);
    return { kind: "unknown_schema", schemaId };
  };
  return decodeFramed;
};
