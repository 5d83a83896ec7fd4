import avro from "avsc";

import { parseOptionalText } from "../../core/json/json-text.ts";
import type { Json } from "../../core/json/json.ts";

/** The name of avsc's internal method by which a type decodes itself. Overriding it makes a second pass over the value unnecessary. */
export const readMethod = "_read";

/**
 * The part of avsc's internal cursor that these types use. Past the end of the bytes it reads zeros without an error; `fromBuffer`
 * compares `pos` with the end at last. avsc's typings lack it, so avsc is pinned to an exact version and each class here has a test.
 * Source: https://github.com/mtth/avsc/blob/master/lib/utils.js
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

/** An Avro int or long: a bigint if a double may not hold it exactly. */
export type Long = number | bigint;

/**
 * Reads a long. avsc's own `readLong` returns wrong values below -2^52, even with the wrong sign, so larger longs are read again as
 * bytes.
 */
export function readLong(tap: Tap): Long {
  const start = tap.pos;
  const value = tap.readLong();
  if (Math.abs(value) < 2 ** 52) return value;
  tap.pos = start;
  return tap.unpackLongBytes().readBigInt64LE();
}

/** The number; beyond 2^53 the text of its digits. */
export function toExactLong(value: Long): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export class JsonLong extends avro.types.LongType {
  [readMethod](tap: Tap): Json {
    return toExactLong(readLong(tap));
  }
}

/** NaN and the infinities become text: JSON would write them as null, and null clears a trait. */
function finiteOrText(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}

export class JsonDouble extends avro.types.DoubleType {
  [readMethod](tap: Tap): Json {
    return finiteOrText(tap.readDouble());
  }
}

export class JsonFloat extends avro.types.FloatType {
  [readMethod](tap: Tap): Json {
    return finiteOrText(tap.readFloat());
  }
}

export class Base64Bytes extends avro.types.BytesType {
  [readMethod](tap: Tap): Json {
    return tap.readBytes()?.toString("base64") ?? "";
  }
}

export class JsonText extends avro.types.StringType {
  [readMethod](tap: Tap): Json {
    return parseOptionalText(tap.readString() ?? "");
  }
}
