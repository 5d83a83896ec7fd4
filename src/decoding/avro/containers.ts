import avro from "avsc";
import type { Type } from "avsc";

import { maxJsonDepth } from "../../core/json/json-text.ts";
import type { Json } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { readMapKey } from "./map-keys.ts";
import { JsonText, readMethod, type Tap } from "./scalars.ts";

/** The method by which every avsc type decodes itself; avsc's typings lack it. */
interface AvscReader {
  [readMethod](tap: Tap): Json | undefined;
}

const asReader = (type: Type): AvscReader => type as Type & AvscReader;

// Decoding is synchronous and never nested, so all schemas share one set of counters.
let containerDepth = 0;
let wrapperDepth = 0;
let valuesRead = 0;

/** Must be called before every decode, because a decode that throws does not reset the counters. */
export function resetCounters(): void {
  containerDepth = 0;
  wrapperDepth = 0;
  valuesRead = 0;
}

function checkDepth(depth: number): void {
  if (depth > maxJsonDepth) throw new Error(`Cannot read Avro: got nesting deeper than ${maxJsonDepth}, want less`);
}

/** Nulls and empty records take no bytes, so a few bytes could claim billions of values and hang the process. */
function checkValueCount(count: number, tap: Tap): void {
  valuesRead += count;
  if (valuesRead <= (tap.buf.length + 1_000) * 10) return;
  throw new Error(`Cannot read Avro: got ${valuesRead} values, which ${tap.buf.length} bytes cannot hold`);
}

/**
 * Reads the number of items in the next block; 0 is the end. The number may be wrong, so the caller also stops at the end of the bytes.
 * Source: https://avro.apache.org/docs/1.12.0/specification/#arrays
 */
function readBlockCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.readLong();
  }
  checkValueCount(count, tap);
  return count;
}

export class JsonMap extends avro.types.MapType {
  [readMethod](tap: Tap): Json {
    checkDepth((containerDepth += 1));
    const values = asReader(this.valuesType);
    const out: Record<string, Json | undefined> = {};
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) putKey(out, readMapKey(tap), values[readMethod](tap));
    }
    containerDepth -= 1;
    return out;
  }
}

export class JsonArray extends avro.types.ArrayType {
  [readMethod](tap: Tap): Json {
    checkDepth((containerDepth += 1));
    const items = asReader(this.itemsType);
    const out: Json[] = [];
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) out.push(items[readMethod](tap) ?? null);
    }
    containerDepth -= 1;
    return this.itemsType instanceof MapEntry ? mapFromPairs(out) : out;
  }
}

/** Decodes a union to the plain value of its branch. avsc wraps the value if two branches have the same JavaScript type. */
export class JsonUnion extends avro.types.WrappedUnionType {
  [readMethod](tap: Tap): Json | undefined {
    const index = tap.readLong();
    const branch = this.types[index];
    if (branch === undefined)
      throw new Error(`Cannot read Avro: got union index ${index}, want 0 to ${this.types.length - 1}`);
    return asReader(branch)[readMethod](tap);
  }
}

/** Decodes a record to an object without its null fields. A record that stands for any JSON value is unwrapped (`isAnyJsonRecord`). */
export class JsonRecord extends avro.types.RecordType {
  _createReader(): (tap: Tap) => Json | undefined {
    const wrappedType = wrappedTypeOf(this);
    if (wrappedType === undefined) return createFieldsReader(this);
    let read: ((tap: Tap) => Json | undefined) | undefined;
    // avsc calls this method before it has compiled the whole schema, so the check waits for the first record.
    return (tap) => {
      read ??= isAnyJsonRecord(this) ? createWrapperReader(asReader(wrappedType)) : createFieldsReader(this);
      return read(tap);
    };
  }
}

/** The type of the field `value` if the record has no other field. */
export function wrappedTypeOf({ fields }: avro.types.RecordType): Type | undefined {
  const [only] = fields;
  return only?.name === "value" && fields.length === 1 ? only.type : undefined;
}

/**
 * Whether a record with the single field `value` is the Avro idiom for any JSON value. Its `value` is then JSON text, or a union, a map
 * or an array in which the record occurs again. Other records, such as `Money { value: long }`, are data.
 */
function isAnyJsonRecord(record: JsonRecord): boolean {
  if (wrappedTypeOf(record) instanceof JsonText) return true;
  const seen = new Set<Type>([record]);
  for (const type of seen) {
    const inner = innerTypes(type);
    if (inner.includes(record)) return true;
    for (const innerType of inner) seen.add(innerType);
  }
  return false;
}

/** The types inside a map, an array, a union, or a record with the single field `value`. */
export function innerTypes(type: Type): readonly Type[] {
  if (type instanceof JsonMap) return [type.valuesType];
  if (type instanceof JsonArray) return [type.itemsType];
  if (type instanceof JsonUnion) return type.types;
  const wrappedType = type instanceof JsonRecord ? wrappedTypeOf(type) : undefined;
  return wrappedType === undefined ? [] : [wrappedType];
}

/** One entry of a map that Kafka Connect wrote as an array of entries (`isMapEntry` in `avro.ts`). */
export class MapEntry extends JsonRecord {}

function mapFromPairs(pairs: readonly Json[]): Json {
  const out: Record<string, Json | undefined> = {};
  for (const pair of pairs) {
    const { key = null, value = null } = pair as { readonly key?: Json; readonly value?: Json };
    putKey(out, typeof key === "string" ? key : JSON.stringify(key), value);
  }
  return out;
}

function createWrapperReader(reader: AvscReader) {
  return function readValue(tap: Tap): Json | undefined {
    // A wrapper adds no level to the JSON, but a schema of wrappers only could recurse without end.
    checkDepth((wrapperDepth += 1) / 2);
    const value = reader[readMethod](tap);
    wrapperDepth -= 1;
    return value;
  };
}

/** Makes the reader of a record's fields, in order; it leaves out fields that are null. */
export function createFieldsReader(record: avro.types.RecordType) {
  const fields = record.fields.map((field) => ({ name: field.name, reader: asReader(field.type) }));
  return function readRecord(tap: Tap): Json {
    checkDepth((containerDepth += 1));
    checkValueCount(fields.length, tap);
    const out: Record<string, Json | undefined> = {};
    for (const { name, reader } of fields) {
      const value = reader[readMethod](tap);
      if (value !== null && value !== undefined) putKey(out, name, value);
    }
    containerDepth -= 1;
    return out;
  };
}
