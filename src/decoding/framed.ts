import type { BareAvroDecoder } from "./bare-avro/bare-avro.ts";
import type { Decoded } from "./decoder.ts";

export const magicByte = 0;
export const frameHeaderBytes = 5;

/** A few megabytes. Such an id may be the first letters of any text, and each new one costs a question. */
const maxFalseSchemaIds = 50_000;

interface FramedOrBareOptions {
  readonly decodeFramed: (value: Buffer) => Decoded;
  readonly bareAvro: BareAvroDecoder;
}

/**
 * Makes the reader of values that begin with a zero byte. It is the mark before a schema id, and also the beginning of much bare
 * Avro: only the registry knows, and is asked first. What its schema does not read is bare if it can be: large registries have a
 * schema for many a beginning of bare records, maybe only since the record's first attempt.
 */
export const createFramedOrBareDecoder = ({
  decodeFramed,
  bareAvro,
}: FramedOrBareOptions): ((value: Buffer) => Decoded) => {
  /** What stands for a schema id in bare records: the registry need not be asked about it for each of them. */
  const falseSchemaIds = new Set<number>();
  const mayBeBare = (decoded: Decoded): boolean =>
    decoded.kind === "undecodable" ||
    decoded.kind === "unknown_schema" ||
    (decoded.kind === "needs_schema" && falseSchemaIds.has(decoded.schemaId));
  return (value) => {
    const decoded = decodeFramed(value);
    const bareDecoded = mayBeBare(decoded) ? decodeIfBare(bareAvro, value) : undefined;
    if (bareDecoded && decoded.kind === "unknown_schema") rememberId(falseSchemaIds, decoded.schemaId);
    return bareDecoded ?? decoded;
  };
};

/**
 * The file may also read a record whose schema the registry does not know yet: the schema id as empty fields in front. So if the
 * rest is an event by itself, it counts as a record with a schema id.
 */
const decodeIfBare = (bareAvro: BareAvroDecoder, value: Buffer): Decoded | undefined => {
  const bareDecoded = bareAvro.tryDecode(value);
  const isFramed = bareDecoded !== undefined && bareAvro.tryDecode(value.subarray(frameHeaderBytes)) !== undefined;
  return isFramed ? undefined : bareDecoded;
};

/** The ids come from outside, so they may be any number of them. */
const rememberId = (ids: Set<number>, id: number): void => {
  if (ids.has(id)) return;
  ids.add(id);
  const oldest = ids.keys().next();
  if (ids.size > maxFalseSchemaIds && oldest.done !== true) ids.delete(oldest.value);
};
