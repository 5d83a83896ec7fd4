import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Json } from "../../core/json/json.ts";
import { BigDecimal, type DecimalDefinition, decimalScale, decimalText } from "./decimal.ts";
import { JsonText, type Long, READ_METHOD, type Tap, readLong } from "./scalars.ts";
import {
  MICROS_PER_MS,
  MILLIS_PER_MS,
  NANOS_PER_MS,
  toIsoDate,
  createTimeOfDayConverter,
  createTimestampConverter,
} from "./times.ts";

/** What of a schema says how a type is read. A property that is missing or wrong leaves the plain type. */
export interface TypeDefinition extends DecimalDefinition {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly fields?: unknown;
  readonly "connect.internal.type"?: unknown;
}

type ConvertLong = (value: Long) => Json;
type ConvertBytes = (bytes: Buffer) => Json;

const connectTypeName = (name: string): string => `org.apache.kafka.connect.data.${name}`;
const debeziumTypeName = (name: string): string => `io.debezium.time.${name}`;

/** What stands for a date or a time, by Avro's names and by those of Kafka Connect. */
export const TEMPORAL_TYPES: readonly (readonly [base: "int" | "long", names: readonly string[], read: ConvertLong])[] =
  [
    ["int", ["date", connectTypeName("Date"), debeziumTypeName("Date")], toIsoDate],
    [
      "int",
      ["time-millis", connectTypeName("Time"), debeziumTypeName("Time")],
      createTimeOfDayConverter(MILLIS_PER_MS),
    ],
    ["long", ["time-micros", debeziumTypeName("MicroTime")], createTimeOfDayConverter(MICROS_PER_MS)],
    ["long", [debeziumTypeName("NanoTime")], createTimeOfDayConverter(NANOS_PER_MS)],
    [
      "long",
      ["timestamp-millis", connectTypeName("Timestamp"), debeziumTypeName("Timestamp")],
      createTimestampConverter(MILLIS_PER_MS, "Z"),
    ],
    ["long", ["timestamp-micros", debeziumTypeName("MicroTimestamp")], createTimestampConverter(MICROS_PER_MS, "Z")],
    ["long", ["timestamp-nanos", debeziumTypeName("NanoTimestamp")], createTimestampConverter(NANOS_PER_MS, "Z")],
    ["long", ["local-timestamp-millis"], createTimestampConverter(MILLIS_PER_MS, "")],
    ["long", ["local-timestamp-micros"], createTimestampConverter(MICROS_PER_MS, "")],
    ["long", ["local-timestamp-nanos"], createTimestampConverter(NANOS_PER_MS, "")],
  ];

const LOGICAL_TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...TEMPORAL_TYPES.flatMap(([base, names, convert]) => {
    const type = base === "int" ? createIntType(convert) : createLongType(convert);
    return names.map((name) => [`${base}:${name}`, type] as const);
  }),
  ["string:json", new JsonText()],
  ["string:io.debezium.data.Json", new JsonText()],
  ["bytes:big-decimal", new BigDecimal()],
]);

/** The type that reads a logical type, by Avro's own name or by the one that Kafka Connect has left beside it. */
export function logicalTypeOf(definition: TypeDefinition): Type | undefined {
  const { type, logicalType: name, "connect.name": connectName } = definition;
  const scale = type === "bytes" ? decimalScale(definition) : undefined;
  if (scale !== undefined) return createBytesType((bytes) => decimalText(bytes, scale) ?? toBase64(bytes));
  return (
    LOGICAL_TYPES.get(`${String(type)}:${String(name)}`) ?? LOGICAL_TYPES.get(`${String(type)}:${String(connectName)}`)
  );
}

/** Makes a fixed type with the `schema` that avsc takes; what it reads, its `definition` says. */
export function createFixedType(definition: TypeDefinition, schema: Schema, options: ForSchemaOptions): Type {
  const convert = fixedConverter(definition);
  return new (class extends avro.types.FixedType {
    [READ_METHOD](tap: Tap): Json {
      return convert(tap.readFixed(this.size) ?? EMPTY);
    }
  })(schema, options);
}

const EMPTY = Buffer.alloc(0);
const toBase64: ConvertBytes = (bytes) => bytes.toString("base64");

function fixedConverter(definition: TypeDefinition): ConvertBytes {
  const scale = decimalScale(definition);
  if (scale !== undefined) return (bytes) => decimalText(bytes, scale) ?? toBase64(bytes);
  return FIXED_CONVERTERS.get(`${String(definition.size)}:${String(definition.logicalType)}`) ?? toBase64;
}

const FIXED_CONVERTERS: ReadonlyMap<string, ConvertBytes> = new Map<string, ConvertBytes>([
  ["16:uuid", (bytes) => bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
  ["12:duration", isoDurationOf],
]);

/** Months, days and milliseconds, each on its own since none is a fixed number of the others, as an ISO 8601 duration. */
function isoDurationOf(bytes: Buffer): Json {
  if (bytes.length < 12) return "";
  const seconds = bytes.readUInt32LE(8) / 1_000;
  return `P${bytes.readUInt32LE(0)}M${bytes.readUInt32LE(4)}DT${seconds}S`;
}

// avsc freezes a type as it makes it, so what it reads with cannot be a field of it.

function createIntType(convert: ConvertLong): Type {
  return new (class extends avro.types.IntType {
    [READ_METHOD](tap: Tap): Json {
      return convert(readLong(tap));
    }
  })();
}

function createLongType(convert: ConvertLong): Type {
  return new (class extends avro.types.LongType {
    [READ_METHOD](tap: Tap): Json {
      return convert(readLong(tap));
    }
  })();
}

function createBytesType(convert: ConvertBytes): Type {
  return new (class extends avro.types.BytesType {
    [READ_METHOD](tap: Tap): Json {
      return convert(tap.readBytes() ?? EMPTY);
    }
  })();
}
