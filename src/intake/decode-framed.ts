import type { BareReader } from "./decode-bare-avro.ts";
import type { Decoded } from "./decode.ts";
import type { SchemaSource } from "./schemas-registry.ts";

export const frameMark = 0;
export const frameBytes = 5;

const maxBareIds = 1_000;

interface EitherOptions {
  readonly source: Pick<SchemaSource, "peek"> | undefined;
  readonly framed: (value: Buffer) => Decoded;
  readonly bare: BareReader;
}

/**
 * Makes the reader of values that begin with a zero byte. It is the mark before a schema id, and also the beginning of much bare
 * Avro: only the registry knows. It has the last word; where it knows no such schema, or there is none, the value is bare if it can be.
 */
export const createEitherReader = ({ source, framed, bare }: EitherOptions): ((value: Buffer) => Decoded) => {
  /** What stands for a schema id in bare records: the registry need not be asked about it for each of them. */
  const bareIds = new Set<number>();
  const mayBeBare = (id: number | undefined): boolean => {
    if (source === undefined || id === undefined) return true;
    const known = source.peek(id);
    return known === "unknown" || (known === undefined && bareIds.has(id));
  };
  return (value) => {
    const id = value.length < frameBytes ? undefined : value.readUInt32BE(1);
    const decoded = mayBeBare(id) ? bare.recognise(value) : undefined;
    if (decoded === undefined) return framed(value);
    if (id !== undefined) keep(bareIds, id);
    return decoded;
  };
};

/** The ids come from outside, so they may be any number of them. */
const keep = (ids: Set<number>, id: number): void => {
  if (ids.has(id)) return;
  ids.add(id);
  const oldest = ids.keys().next();
  if (ids.size > maxBareIds && oldest.done !== true) ids.delete(oldest.value);
};
