import avro from "avsc";
import type { ForSchemaOptions, Schema, Type } from "avsc";

import type { Json } from "../../core/json/json.ts";
import { BigDecimal, type DecimalDefinition, decimalScale, decimalText } from "./decimal.ts";
import { JsonText, type Long, readMethod, type Tap, readLong } from "./scalars.ts";
import {
  microsPerMs,
  millisPerMs,
  nanosPerMs,
  toIsoDate,
  createTimeOfDayConverter,
  createTimestampConverter,
} from "./times.ts";

/** The properties of a schema that select its decoder. If one of them is missing or invalid, the type is decoded without it. */
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

/**
 * The dates and times: the Avro type, the names of Avro, Kafka Connect and Debezium, and the conversion to text.
 * Sources: https://avro.apache.org/docs/1.12.0/specification/#logical-types,
 * https://github.com/apache/kafka/tree/trunk/connect/api/src/main/java/org/apache/kafka/connect/data,
 * https://github.com/debezium/debezium/tree/main/debezium-core/src/main/java/io/debezium/time
 */
export const temporalTypes: readonly (readonly [
  base: "int" | "long",
  names: readonly string[],
  convert: ConvertLong,
])[] = [
  ["int", ["date", connectTypeName("Date"), debeziumTypeName("Date")], toIsoDate],
  ["int", ["time-millis", connectTypeName("Time"), debeziumTypeName("Time")], createTimeOfDayConverter(millisPerMs)],
  ["long", ["time-micros", debeziumTypeName("MicroTime")], createTimeOfDayConverter(microsPerMs)],
  ["long", [debeziumTypeName("NanoTime")], createTimeOfDayConverter(nanosPerMs)],
  [
    "long",
    ["timestamp-millis", connectTypeName("Timestamp"), debeziumTypeName("Timestamp")],
    createTimestampConverter(millisPerMs, "Z"),
  ],
  ["long", ["timestamp-micros", debeziumTypeName("MicroTimestamp")], createTimestampConverter(microsPerMs, "Z")],
  ["long", ["timestamp-nanos", debeziumTypeName("NanoTimestamp")], createTimestampConverter(nanosPerMs, "Z")],
  ["long", ["local-timestamp-millis"], createTimestampConverter(millisPerMs, "")],
  ["long", ["local-timestamp-micros"], createTimestampConverter(microsPerMs, "")],
  ["long", ["local-timestamp-nanos"], createTimestampConverter(nanosPerMs, "")],
];

const logicalTypes: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...temporalTypes.flatMap(([base, names, convert]) => {
    const type = base === "int" ? createIntType(convert) : createLongType(convert);
    return names.map((name) => [`${base}:${name}`, type] as const);
  }),
  ["string:json", new JsonText()],
  ["string:io.debezium.data.Json", new JsonText()],
  ["bytes:big-decimal", new BigDecimal()],
]);

/** The avsc type that decodes a logical type, by Avro's `logicalType` or Kafka Connect's `connect.name`; undefined if it is neither. */
export function logicalTypeOf(definition: TypeDefinition): Type | undefined {
  const { type, logicalType: name, "connect.name": connectName } = definition;
  const scale = type === "bytes" ? decimalScale(definition) : undefined;
  if (scale !== undefined) return createBytesType((bytes) => decimalText(bytes, scale) ?? toBase64(bytes));
  return (
    logicalTypes.get(`${String(type)}:${String(name)}`) ?? logicalTypes.get(`${String(type)}:${String(connectName)}`)
  );
}

/** Makes a fixed type. avsc gets `schema`, a cleaned copy of `definition`; `definition` selects the conversion. */
export function createFixedType(definition: TypeDefinition, schema: Schema, options: ForSchemaOptions): Type {
  const convert = fixedConverter(definition);
  return new (class extends avro.types.FixedType {
    [readMethod](tap: Tap): Json {
      return convert(tap.readFixed(this.size) ?? Buffer.alloc(0));
    }
  })(schema, options);
}

const toBase64: ConvertBytes = (bytes) => bytes.toString("base64");

function fixedConverter(definition: TypeDefinition): ConvertBytes {
  const scale = decimalScale(definition);
  if (scale !== undefined) return (bytes) => decimalText(bytes, scale) ?? toBase64(bytes);
  return fixedConverters.get(`${String(definition.size)}:${String(definition.logicalType)}`) ?? toBase64;
}

const fixedConverters: ReadonlyMap<string, ConvertBytes> = new Map<string, ConvertBytes>([
  ["16:uuid", (bytes) => bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")],
  ["12:duration", isoDurationOf],
]);

/** Converts months, days and milliseconds to an ISO 8601 duration. Each stays separate, because a month has no fixed number of days. */
function isoDurationOf(bytes: Buffer): Json {
  if (bytes.length < 12) return "";
  const seconds = bytes.readUInt32LE(8) / 1_000;
  return `P${bytes.readUInt32LE(0)}M${bytes.readUInt32LE(4)}DT${seconds}S`;
}

// avsc freezes every type after construction, so the conversion cannot be a field of the type.

function createIntType(convert: ConvertLong): Type {
  return new (class extends avro.types.IntType {
    [readMethod](tap: Tap): Json {
      return convert(readLong(tap));
    }
  })();
}

function createLongType(convert: ConvertLong): Type {
  return new (class extends avro.types.LongType {
    [readMethod](tap: Tap): Json {
      return convert(readLong(tap));
    }
  })();
}

function createBytesType(convert: ConvertBytes): Type {
  return new (class extends avro.types.BytesType {
    [readMethod](tap: Tap): Json {
      return convert(tap.readBytes() ?? Buffer.alloc(0));
    }
  })();
}
