import avro from "avsc";
import type { Type } from "avsc";

import { MAX_DEPTH } from "../../core/json/json-text.ts";
import type { Json } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { readKey } from "./map-keys.ts";
import { JsonText, READ, type Tap } from "./scalars.ts";

/** Every avsc type has this method, which its typings leave out. */
interface Reader {
  [READ](tap: Tap): Json | undefined;
}

const asReader = (type: Type): Reader => type as Type & Reader;

// Decoding is synchronous and never nested, so one set of counters serves every schema.
let containers = 0;
let wrappers = 0;
let spent = 0;

/** To be called before every decode: one that threw leaves the counters where they were. */
export function resetBounds(): void {
  containers = 0;
  wrappers = 0;
  spent = 0;
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`Cannot read Avro: got nesting deeper than ${MAX_DEPTH}, want less`);
}

/** Nulls and empty records take no bytes: a few bytes, or a schema alone, could mean billions of them, and hang the process. */
function checkCount(count: number, tap: Tap): void {
  spent += count;
  if (spent <= (tap.buf.length + 1_000) * 10) return;
  throw new Error(`Cannot read Avro: got ${spent} values, which ${tap.buf.length} bytes cannot hold`);
}

/** How many items the next block has. They may end before: where the bytes end, to read on would read zeros. */
function readCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.readLong();
  }
  checkCount(count, tap);
  return count;
}

export class JsonMap extends avro.types.MapType {
  [READ](tap: Tap): Json {
    checkDepth((containers += 1));
    const values = asReader(this.valuesType);
    const out: Record<string, Json | undefined> = {};
    for (let count = readCount(tap); count !== 0; count = readCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) putKey(out, readKey(tap), values[READ](tap));
    }
    containers -= 1;
    return out;
  }
}

export class JsonArray extends avro.types.ArrayType {
  [READ](tap: Tap): Json {
    checkDepth((containers += 1));
    const items = asReader(this.itemsType);
    const out: Json[] = [];
    for (let count = readCount(tap); count !== 0; count = readCount(tap)) {
      for (; count > 0 && tap.pos <= tap.buf.length; count--) out.push(items[READ](tap) ?? null);
    }
    containers -= 1;
    return this.itemsType instanceof MapEntry ? mapOf(out) : out;
  }
}

/** Reads the branch's value bare, also where avsc would wrap it because two branches look alike in JavaScript. */
export class JsonUnion extends avro.types.WrappedUnionType {
  [READ](tap: Tap): Json | undefined {
    const index = tap.readLong();
    const branch = this.types[index];
    if (branch === undefined)
      throw new Error(`Cannot read Avro: got union index ${index}, want 0 to ${this.types.length - 1}`);
    return asReader(branch)[READ](tap);
  }
}

/** In a record null means absent. A record that stands for any JSON value is unwrapped: see `isJsonValue`. */
export class JsonRecord extends avro.types.RecordType {
  _createReader(): (tap: Tap) => Json | undefined {
    const wrapped = wrappedIn(this);
    if (wrapped === undefined) return readFields(this);
    let read: ((tap: Tap) => Json | undefined) | undefined;
    // What the record can hold is known only when the whole schema is: it may be defined further below.
    return (tap) => {
      read ??= isJsonValue(this) ? readWrapper(asReader(wrapped)) : readFields(this);
      return read(tap);
    };
  }
}

/** The type of the field `value`, where a record has no other. */
export function wrappedIn({ fields }: avro.types.RecordType): Type | undefined {
  const [only] = fields;
  return only?.name === "value" && fields.length === 1 ? only.type : undefined;
}

/**
 * Whether a record with the one field `value` is the Avro idiom for "any JSON": JSON text, or a union, a map or an array in
 * which the record itself occurs again. A plain record, such as `Money { value: long }`, is data.
 */
function isJsonValue(record: JsonRecord): boolean {
  if (wrappedIn(record) instanceof JsonText) return true;
  const seen = new Set<Type>([record]);
  for (const type of seen) {
    const inner = innerTypes(type);
    if (inner.includes(record)) return true;
    for (const one of inner) seen.add(one);
  }
  return false;
}

/** What a map, an array or a union holds, and a record with the one field `value`. */
export function innerTypes(type: Type): readonly Type[] {
  if (type instanceof JsonMap) return [type.valuesType];
  if (type instanceof JsonArray) return [type.itemsType];
  if (type instanceof JsonUnion) return type.types;
  const wrapped = type instanceof JsonRecord ? wrappedIn(type) : undefined;
  return wrapped === undefined ? [] : [wrapped];
}

/** One pair of a map that its writer could only write as a list of pairs. */
export class MapEntry extends JsonRecord {}

function mapOf(pairs: readonly Json[]): Json {
  const out: Record<string, Json | undefined> = {};
  for (const pair of pairs) {
    const { key = null, value = null } = pair as { readonly key?: Json; readonly value?: Json };
    putKey(out, typeof key === "string" ? key : JSON.stringify(key), value);
  }
  return out;
}

function readWrapper(reader: Reader) {
  return function readValue(tap: Tap): Json | undefined {
    // a wrapper is no nesting of the JSON, but a schema of nothing else could recurse without end
    checkDepth((wrappers += 1) / 2);
    const value = reader[READ](tap);
    wrappers -= 1;
    return value;
  };
}

export function readFields(record: avro.types.RecordType) {
  const fields = record.fields.map((field) => ({ name: field.name, reader: asReader(field.type) }));
  return function readRecord(tap: Tap): Json {
    checkDepth((containers += 1));
    checkCount(fields.length, tap);
    const out: Record<string, Json | undefined> = {};
    for (const { name, reader } of fields) {
      const value = reader[READ](tap);
      if (value !== null && value !== undefined) putKey(out, name, value);
    }
    containers -= 1;
    return out;
  };
}
