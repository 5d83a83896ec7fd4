import avro from "avsc";
import type { Type } from "avsc";

import type { Json } from "../core/event.ts";
import { READ, type Tap } from "./decode-avro-scalars.ts";
import { putKey } from "./decode-envelope.ts";
import { MAX_DEPTH } from "./decode-json.ts";
import { readKey } from "./decode-keys.ts";

/** Every avsc type has this method, which its typings leave out. */
interface Reader {
  [READ](tap: Tap): Json | undefined;
}

const asReader = (type: Type): Reader => type as unknown as Reader;

// Decoding is synchronous and never nested, so one pair of counters serves every schema.
let containers = 0;
let wrappers = 0;

/** To be called before every decode: one that threw leaves the counters where they were. */
export function resetDepth(): void {
  containers = 0;
  wrappers = 0;
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`Cannot read Avro: got nesting deeper than ${MAX_DEPTH}, want less`);
}

/** A corrupt count would otherwise read billions of items from beyond the end, and hang the process. */
function readCount(tap: Tap): number {
  let count = tap.readLong();
  if (count < 0) {
    count = -count;
    tap.readLong();
  }
  const left = Math.max(tap.buf.length - tap.pos, 0);
  if (count > left) throw new Error(`Cannot read Avro: got a block of ${count} items with ${left} bytes left`);
  return count;
}

export class JsonMap extends avro.types.MapType {
  [READ](tap: Tap): Json {
    checkDepth((containers += 1));
    const values = asReader(this.valuesType);
    const out: Record<string, Json | undefined> = {};
    for (let count = readCount(tap); count !== 0; count = readCount(tap)) {
      for (; count > 0; count--) putKey(out, readKey(tap), values[READ](tap));
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
      for (; count > 0; count--) out.push(items[READ](tap) ?? null);
    }
    containers -= 1;
    return out;
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

/** In a record null means absent; a record with the one field `value` is the Avro idiom for "any JSON" and is unwrapped. */
export class JsonRecord extends avro.types.RecordType {
  _createReader(): (tap: Tap) => Json | undefined {
    const fields = this.fields.map((field) => ({ name: field.name, reader: asReader(field.type) }));
    const [only] = fields;
    return only?.name === "value" && fields.length === 1 ? readWrapper(only.reader) : readFields(fields);
  }
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

function readFields(fields: readonly { readonly name: string; readonly reader: Reader }[]) {
  return function readRecord(tap: Tap): Json {
    checkDepth((containers += 1));
    const out: Record<string, Json | undefined> = {};
    for (const { name, reader } of fields) {
      const value = reader[READ](tap);
      if (value !== null && value !== undefined) putKey(out, name, value);
    }
    containers -= 1;
    return out;
  };
}
