import avro from "avsc";

import type { Json } from "../../core/json/json.ts";
import { JsonRecord, createFieldsReader } from "./containers.ts";
import { readMethod, type Tap } from "./scalars.ts";

/** The text of a larger decimal takes long to compute, and may take much more memory than its bytes. */
const maxDecimalBytes = 128;
const maxScale = 128;
const zeros = "0".repeat(maxScale);

/** A double holds integers of this many bytes exactly. */
const maxNumberBytes = 6;

/** The properties of a schema that define a decimal. */
export interface DecimalDefinition {
  readonly type?: unknown;
  readonly size?: unknown;
  readonly logicalType?: unknown;
  readonly precision?: unknown;
  readonly scale?: unknown;
  readonly "connect.name"?: unknown;
  readonly "connect.parameters"?: unknown;
}

/**
 * The scale of a decimal; undefined if the definition is not a valid decimal. Avro's specification says to read such a type as its
 * underlying type: https://avro.apache.org/docs/1.12.0/specification/#logical-types
 */
export function decimalScale(definition: DecimalDefinition): number | undefined {
  const scale = avroScale(definition) ?? connectScale(definition);
  return scale !== undefined && isSupportedScale(scale) ? scale : undefined;
}

function avroScale({ logicalType, precision, scale = 0, ...rest }: DecimalDefinition): number | undefined {
  if (logicalType !== "decimal" || !isNonNegativeInteger(precision) || !isNonNegativeInteger(scale)) return undefined;
  return precision > 0 && precision <= maxPrecision(rest) && scale <= precision ? scale : undefined;
}

function maxPrecision({ type, size }: DecimalDefinition): number {
  return type === "fixed" ? Math.floor(Math.log10(2) * (8 * Number(size) - 1)) : Infinity;
}

function connectScale(definition: DecimalDefinition): number | undefined {
  if (definition["connect.name"] !== "org.apache.kafka.connect.data.Decimal") return undefined;
  const parameters = definition["connect.parameters"] as { readonly scale?: unknown } | undefined | null;
  const text = String(parameters?.scale);
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

const isNonNegativeInteger = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
const isSupportedScale = (scale: number): boolean => Number.isInteger(scale) && Math.abs(scale) <= maxScale;

/**
 * The exact decimal text of a two's-complement, big-endian number with the given scale; it never has an exponent. Undefined if the
 * number or the scale is too large.
 */
export function decimalText(bytes: Buffer, scale: number): string | undefined {
  if (bytes.length > maxDecimalBytes || !isSupportedScale(scale)) return undefined;
  const text = String(unscaledValue(bytes));
  if (scale <= 0) return text === "0" ? text : `${text}${zeros.slice(0, -scale)}`;
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length);
  if (digits.length > scale) return `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  return `${sign}0.${zeros.slice(0, scale - digits.length)}${digits}`;
}

function unscaledValue(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  if (bytes.length <= maxNumberBytes) return bytes.readIntBE(0, bytes.length);
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}

/**
 * Avro's `big-decimal`: bytes that hold the unscaled number as Avro bytes, and then the scale as an Avro int.
 * Source: https://avro.apache.org/docs/1.12.0/specification/#decimal
 */
export class BigDecimal extends avro.types.BytesType {
  [readMethod](tap: Tap): Json {
    const start = tap.pos;
    const length = tap.readLong();
    const end = tap.pos + length;
    const bytes = tap.readBytes();
    const scale = tap.readLong();
    const text = bytes !== undefined && tap.pos === end ? decimalText(bytes, scale) : undefined;
    if (text !== undefined) return text;
    tap.pos = start;
    return tap.readBytes()?.toString("base64") ?? "";
  }
}

const variableScaleDecimal = "io.debezium.data.VariableScaleDecimal";

interface NamedDefinition {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly "connect.name"?: unknown;
}

/** Whether an Avro record, or a Connect struct by its `name`, is Debezium's `VariableScaleDecimal`. */
export function isVariableScaleDecimal({ name, namespace, "connect.name": connectName }: NamedDefinition): boolean {
  return [connectName, name, `${String(namespace)}.${String(name)}`].includes(variableScaleDecimal);
}

/**
 * Debezium's record for a decimal whose scale differs from value to value.
 * Source: https://debezium.io/documentation/reference/stable/connectors/postgresql.html
 */
export class VariableScaleDecimal extends JsonRecord {
  override _createReader(): (tap: Tap) => Json | undefined {
    const fields = this.fields.map(({ name, type }) => `${name}: ${type.typeName}`);
    return fields.join(", ") === "scale: int, value: bytes" ? readVariableScaleDecimal : createFieldsReader(this);
  }
}

function readVariableScaleDecimal(tap: Tap): Json {
  const scale = tap.readLong();
  const bytes = tap.readBytes() ?? Buffer.alloc(0);
  return decimalText(bytes, scale) ?? { scale, value: bytes.toString("base64") };
}
