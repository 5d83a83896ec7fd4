import type { BareReader } from "./bare-avro/bare-avro.ts";
import type { Decoded } from "./decoder.ts";

export const frameMark = 0;
export const frameBytes = 5;

/** A few megabytes. Such an id may be the first letters of any text, and each new one costs a question. */
const maxBareIds = 50_000;

interface EitherOptions {
  readonly framed: (value: Buffer) => Decoded;
  readonly bare: BareReader;
}

/**
 * Makes the reader of values that begin with a zero byte. It is the mark before a schema id, and also the beginning of much bare
 * Avro: only the registry knows, and is asked first. What its schema does not read is bare if it can be: large registries have a
 * schema for many a beginning of bare records, maybe only since the record's first attempt.
 */
export const createEitherReader = ({ framed, bare }: EitherOptions): ((value: Buffer) => Decoded) => {
  /** What stands for a schema id in bare records: the registry need not be asked about it for each of them. */
  const bareIds = new Set<number>();
  const mayBeBare = (decoded: Decoded): boolean =>
    decoded.kind === "undecodable" ||
    decoded.kind === "unknown_schema" ||
    (decoded.kind === "needs_schema" && bareIds.has(decoded.schemaId));
  return (value) => {
    const decoded = framed(value);
    const read = mayBeBare(decoded) ? bareOf(bare, value) : undefined;
    if (read && decoded.kind === "unknown_schema") keep(bareIds, decoded.schemaId);
    return read ?? decoded;
  };
};

/**
 * The file may also read a record whose schema the registry does not know yet: the schema id as empty fields in front. So if the
 * rest is an event by itself, it counts as a record with a schema id.
 */
const bareOf = (bare: BareReader, value: Buffer): Decoded | undefined => {
  const read = bare.recognise(value);
  const isFramed = read !== undefined && bare.recognise(value.subarray(frameBytes)) !== undefined;
  return isFramed ? undefined : read;
};

/** The ids come from outside, so they may be any number of them. */
const keep = (ids: Set<number>, id: number): void => {
  if (ids.has(id)) return;
  ids.add(id);
  const oldest = ids.keys().next();
  if (ids.size > maxBareIds && oldest.done !== true) ids.delete(oldest.value);
};
