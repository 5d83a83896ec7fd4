import avro from "avsc";
import type { Type } from "avsc";

import { MAX_DEPTH } from "../../core/json/json-text.ts";
import type { Json } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { readMapKey } from "./map-keys.ts";
import { JsonText, READ_METHOD, type Tap } from "./scalars.ts";

/** Every avsc type has this method, which its typings leave out. */
interface AvscReader {
  [READ_METHOD](tap: Tap): Json | undefined;
}

const asReader = (type: Type): AvscReader => type as Type & AvscReader;

// Decoding is synchronous and never nested, so one set of counters serves every schema.
let containerDepth = 0;
let wrapperDepth = 0;
let valuesRead = 0;

/** To be called before every decode: one that threw leaves the counters where they were. */
export function resetCounters(): void {
  containerDepth = 0;
  wrapperDepth = 0;
  valuesRead = 0;
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`Cannot read Avro: got nesting deeper than ${MAX_DEPTH}, want less`);
}

/** Nulls and empty records take no bytes: a few bytes, or a schema alone, could mean billions of them, and hang the process. */
function checkValueCount(count: number, tap: Tap): void {
  valuesRead += count;
  if (valuesRead <= (tap.buf.length + 1_000) * 10) return;
  throw new Error(`Cannot read Avro: got ${valuesRead} values, which ${tap.buf.length} bytes cannot hold`);
}

/** How many items the next block has. They may end before: where the bytes end, to read on would read zeros. */
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
  [READ_METHOD](tap: Tap): Json {
    checkDepth((containerDepth += 1));
    const values = asReader(this.valuesType);
    const out: Record<string, Json | undefined> = {};
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) putKey(out, readMapKey(tap), values[READ_METHOD](tap));
    }
    containerDepth -= 1;
    return out;
  }
}

export class JsonArray extends avro.types.ArrayType {
  [READ_METHOD](tap: Tap): Json {
    checkDepth((containerDepth += 1));
    const items = asReader(this.itemsType);
    const out: Json[] = [];
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) out.push(items[READ_METHOD](tap) ?? null);
    }
    containerDepth -= 1;
    return this.itemsType instanceof MapEntry ? mapFromPairs(out) : out;
  }
}

/** Reads the branch's value bare, also where avsc would wrap it because two branches look alike in JavaScript. */
export class JsonUnion extends avro.types.WrappedUnionType {
  [READ_METHOD](tap: Tap): Json | undefined {
    const index = tap.readLong();
    const branch = this.types[index];
    if (branch === undefined)
      throw new Error(`Cannot read Avro: got union index ${index}, want 0 to ${this.types.length - 1}`);
    return asReader(branch)[READ_METHOD](tap);
  }
}

/** In a record null means absent. A record that stands for any JSON value is unwrapped: see `isJsonValue`. */
export class JsonRecord extends avro.types.RecordType {
  _createReader(): (tap: Tap) => Json | undefined {
    const wrappedType = wrappedTypeOf(this);
    if (wrappedType === undefined) return createFieldsReader(this);
    let read: ((tap: Tap) => Json | undefined) | undefined;
    // What the record can hold is known only when the whole schema is: it may be defined further below.
    return (tap) => {
      read ??= isAnyJsonRecord(this) ? createWrapperReader(asReader(wrappedType)) : createFieldsReader(this);
      return read(tap);
    };
  }
}

/** The type of the field `value`, where a record has no other. */
export function wrappedTypeOf({ fields }: avro.types.RecordType): Type | undefined {
  const [only] = fields;
  return only?.name === "value" && fields.length === 1 ? only.type : undefined;
}

/**
 * Whether a record with the one field `value` is the Avro idiom for "any JSON": JSON text, or a union, a map or an array in
 * which the record itself occurs again. A plain record, such as `Money { value: long }`, is data.
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

/** What a map, an array or a union holds, and a record with the one field `value`. */
export function innerTypes(type: Type): readonly Type[] {
  if (type instanceof JsonMap) return [type.valuesType];
  if (type instanceof JsonArray) return [type.itemsType];
  if (type instanceof JsonUnion) return type.types;
  const wrappedType = type instanceof JsonRecord ? wrappedTypeOf(type) : undefined;
  return wrappedType === undefined ? [] : [wrappedType];
}

/** One pair of a map that its writer could only write as a list of pairs. */
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
    // a wrapper is no nesting of the JSON, but a schema of nothing else could recurse without end
    checkDepth((wrapperDepth += 1) / 2);
    const value = reader[READ_METHOD](tap);
    wrapperDepth -= 1;
    return value;
  };
}

export function createFieldsReader(record: avro.types.RecordType) {
  const fields = record.fields.map((field) => ({ name: field.name, reader: asReader(field.type) }));
  return function readRecord(tap: Tap): Json {
    checkDepth((containerDepth += 1));
    checkValueCount(fields.length, tap);
    const out: Record<string, Json | undefined> = {};
    for (const { name, reader } of fields) {
      const value = reader[READ_METHOD](tap);
      if (value !== null && value !== undefined) putKey(out, name, value);
    }
    containerDepth -= 1;
    return out;
  };
}
