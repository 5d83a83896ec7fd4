import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Json } from "../../core/json/json.ts";
import { BigDecimal, type DecimalDefinition, decimalScale, decimalText } from "./decimal.ts";
import { JsonText, type Long, READ, type Tap, readLong } from "./scalars.ts";
import { MICROS, MILLIS, NANOS, dateOf, timeOfDay, timestamp } from "./times.ts";

/** What of a schema says how a type is read. A property that is missing or wrong leaves the plain type. */
export interface Definition extends DecimalDefinition {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly fields?: unknown;
  readonly "connect.internal.type"?: unknown;
}

type OfLong = (value: Long) => Json;
type OfBytes = (bytes: Buffer) => Json;

const connect = (name: string): string => `org.apache.kafka.connect.data.${name}`;
const debezium = (name: string): string => `io.debezium.time.${name}`;

/** What stands for a date or a time, by Avro's names and by those of Kafka Connect. */
export const NUMBERS: readonly (readonly [base: "int" | "long", names: readonly string[], read: OfLong])[] = [
  ["int", ["date", connect("Date"), debezium("Date")], dateOf],
  ["int", ["time-millis", connect("Time"), debezium("Time")], timeOfDay(MILLIS)],
  ["long", ["time-micros", debezium("MicroTime")], timeOfDay(MICROS)],
  ["long", [debezium("NanoTime")], timeOfDay(NANOS)],
  ["long", ["timestamp-millis", connect("Timestamp"), debezium("Timestamp")], timestamp(MILLIS, "Z")],
  ["long", ["timestamp-micros", debezium("MicroTimestamp")], timestamp(MICROS, "Z")],
  ["long", ["timestamp-nanos", debezium("NanoTimestamp")], timestamp(NANOS, "Z")],
  ["long", ["local-timestamp-millis"], timestamp(MILLIS, "")],
  ["long", ["local-timestamp-micros"], timestamp(MICROS, "")],
  ["long", ["local-timestamp-nanos"], timestamp(NANOS, "")],
];

const LOGICAL: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...NUMBERS.flatMap(([base, names, read]) => {
    const type = base === "int" ? createIntType(read) : createLongType(read);
    return names.map((name) => [`${base}:${name}`, type] as const);
  }),
  ["string:json", new JsonText()],
  ["string:io.debezium.data.Json", new JsonText()],
  ["bytes:big-decimal", new BigDecimal()],
]);

/** The type that reads a logical type, by Avro's own name or by the one that Kafka Connect has left beside it. */
export function logicalType(definition: Definition): Type | undefined {
  const { type, logicalType: name, "connect.name": connectName } = definition;
  const scale = type === "bytes" ? decimalScale(definition) : undefined;
  if (scale !== undefined) return createBytesType((bytes) => decimalText(bytes, scale) ?? base64(bytes));
  return LOGICAL.get(`${String(type)}:${String(name)}`) ?? LOGICAL.get(`${String(type)}:${String(connectName)}`);
}

/** Makes a fixed type with the `schema` that avsc takes; what it reads, its `definition` says. */
export function createFixedType(definition: Definition, schema: Schema, options: ForSchemaOptions): Type {
  const read = ofFixed(definition);
  return new (class extends avro.types.FixedType {
    [READ](tap: Tap): Json {
      return read(tap.readFixed(this.size) ?? EMPTY);
    }
  })(schema, options);
}

const EMPTY = Buffer.alloc(0);
const base64: OfBytes = (bytes) => bytes.toString("base64");

function ofFixed(definition: Definition): OfBytes {
  const scale = decimalScale(definition);
  if (scale !== undefined) return (bytes) => decimalText(bytes, scale) ?? base64(bytes);
  return FIXED.get(`${String(definition.size)}:${String(definition.logicalType)}`) ?? base64;
}

const FIXED: ReadonlyMap<string, OfBytes> = new Map<string, OfBytes>([
  ["16:uuid", (bytes) => bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
  ["12:duration", durationOf],
]);

/** Months, days and milliseconds, each on its own since none is a fixed number of the others, as an ISO 8601 duration. */
function durationOf(bytes: Buffer): Json {
  if (bytes.length < 12) return "";
  const seconds = bytes.readUInt32LE(8) / 1_000;
  return `P${bytes.readUInt32LE(0)}M${bytes.readUInt32LE(4)}DT${seconds}S`;
}

// avsc freezes a type as it makes it, so what it reads with cannot be a field of it.

function createIntType(read: OfLong): Type {
  return new (class extends avro.types.IntType {
    [READ](tap: Tap): Json {
      return read(readLong(tap));
    }
  })();
}

function createLongType(read: OfLong): Type {
  return new (class extends avro.types.LongType {
    [READ](tap: Tap): Json {
      return read(readLong(tap));
    }
  })();
}

function createBytesType(read: OfBytes): Type {
  return new (class extends avro.types.BytesType {
    [READ](tap: Tap): Json {
      return read(tap.readBytes() ?? EMPTY);
    }
  })();
}
