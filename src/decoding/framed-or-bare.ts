import type { BareAvroDecoder } from "./bare-avro/bare-avro.ts";
import type { DecodeValue, Decoded } from "./decoded.ts";
import { evictOldest } from "./evict-oldest.ts";
import { frameHeaderBytes } from "./frame.ts";

/** Takes a few megabytes. Such ids may be the first letters of any text, and each new one costs a request to the registry. */
const maxFalseSchemaIds = 50_000;

interface FramedOrBareOptions {
  readonly decodeFramed: DecodeValue;
  readonly bareAvro: BareAvroDecoder;
}

/**
 * Makes the decoder of values that begin with a zero byte. Such a value is framed, or it is bare Avro whose first field is zero or
 * empty. Only the registry can tell, so it is asked first. A value that the registry's schema cannot read is decoded as bare Avro if
 * that is possible: large registries have a schema for many ids that bare records happen to begin with, and may get it only after the
 * record's first attempt.
 */
export const createFramedOrBareDecoder = ({ decodeFramed, bareAvro }: FramedOrBareOptions): DecodeValue => {
  /** The numbers that stand in the place of a schema id in bare records. The registry is not asked about them again. */
  const falseSchemaIds = new Set<number>();
  const mayBeBare = (decoded: Decoded): boolean =>
    decoded.kind === "undecodable" ||
    decoded.kind === "unknown_schema" ||
    (decoded.kind === "needs_schema" && falseSchemaIds.has(decoded.schemaId));
  const decodeFramedOrBare: DecodeValue = (value) => {
    const decoded = decodeFramed(value);
    const bareDecoded = mayBeBare(decoded) ? decodeIfBare(bareAvro, value) : undefined;
    if (bareDecoded && decoded.kind === "unknown_schema") {
      falseSchemaIds.add(decoded.schemaId);
      evictOldest(falseSchemaIds, maxFalseSchemaIds);
    }
    return bareDecoded ?? decoded;
  };
  return decodeFramedOrBare;
};

/**
 * Decodes a value as bare Avro; undefined if it is framed. A bare schema may also read a framed record whose schema the registry does
 * not have yet: the header then looks like empty fields. So if the payload alone is an event, the value counts as framed.
 */
const decodeIfBare = (bareAvro: BareAvroDecoder, value: Buffer): Decoded | undefined => {
  const bareDecoded = bareAvro.tryDecode(value);
  const isFramed = bareDecoded !== undefined && bareAvro.tryDecode(value.subarray(frameHeaderBytes)) !== undefined;
  return isFramed ? undefined : bareDecoded;
};
