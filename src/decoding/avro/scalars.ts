import avro from "avsc";

import { parseOptionalText } from "../../core/json/json-text.ts";
import type { Json } from "../../core/json/json.ts";

/** How avsc calls the method by which a type reads itself. Overriding it is what makes one pass enough. */
export const READ = "_read";

/**
 * The part of avsc's cursor used by our types. Beyond the end it reads zeros in silence; avsc compares `pos` when all is
 * read. It is not in the typings; avsc's version is exact, and each class here is tested.
 */
export interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  readDouble(): number;
  readFloat(): number;
  readString(): string | undefined;
  readBytes(): Buffer | undefined;
  readFixed(size: number): Buffer | undefined;
  unpackLongBytes(): Buffer;
}

/** A whole number as it is read: a bigint where a double may not hold it. */
export type Long = number | bigint;

/** avsc's own `readLong` is wrong below -2^52, even in the sign: from there on the bytes are read again. */
export function readLong(tap: Tap): Long {
  const start = tap.pos;
  const value = tap.readLong();
  if (Math.abs(value) < 2 ** 52) return value;
  tap.pos = start;
  return tap.unpackLongBytes().readBigInt64LE();
}

/** The number itself; beyond 2^53 its digits. */
export function exactLong(value: Long): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export class JsonLong extends avro.types.LongType {
  [READ](tap: Tap): Json {
    return exactLong(readLong(tap));
  }
}

/** NaN and the infinities as words: JSON would write them as null, and null clears a trait. */
function finite(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

export class JsonDouble extends avro.types.DoubleType {
  [READ](tap: Tap): Json {
    return finite(tap.readDouble());
  }
}

export class JsonFloat extends avro.types.FloatType {
  [READ](tap: Tap): Json {
    return finite(tap.readFloat());
  }
}

export class Base64Bytes extends avro.types.BytesType {
  [READ](tap: Tap): Json {
    return tap.readBytes()?.toString("base64") ?? "";
  }
}

export class JsonText extends avro.types.StringType {
  [READ](tap: Tap): Json {
    return parseOptionalText(tap.readString() ?? "");
  }
}
