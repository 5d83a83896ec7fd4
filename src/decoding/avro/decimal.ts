import avro from "avsc";

import type { Json } from "../../core/json/json.ts";
import { JsonRecord, readFields } from "./containers.ts";
import { READ, type Tap } from "./scalars.ts";

/** A larger decimal takes long to spell out, and its zeros could take much more memory than its bytes. */
const MAX_BYTES = 128;
const MAX_SCALE = 128;
const ZEROS = "0".repeat(MAX_SCALE);

/** As many bytes as a double holds exactly. */
const NUMBER_BYTES = 6;
const EMPTY = Buffer.alloc(0);

/** What is read by the definition of a decimal. */
export interface DecimalDefinition {
  readonly type?: unknown;
  readonly size?: unknown;
  readonly logicalType?: unknown;
  readonly precision?: unknown;
  readonly scale?: unknown;
  readonly "connect.name"?: unknown;
  readonly "connect.parameters"?: unknown;
}

/** The scale of a decimal; undefined if the definition is no valid decimal, which Avro's specification reads as plain bytes. */
export function decimalScale(definition: DecimalDefinition): number | undefined {
  const scale = avroScale(definition) ?? connectScale(definition);
  return scale !== undefined && isScale(scale) ? scale : undefined;
}

function avroScale({ logicalType, precision, scale = 0, ...rest }: DecimalDefinition): number | undefined {
  if (logicalType !== "decimal" || !isCount(precision) || !isCount(scale)) return undefined;
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

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
const isScale = (scale: number): boolean => Number.isInteger(scale) && Math.abs(scale) <= MAX_SCALE;

/**
 * The exact text of a number in two's complement, the highest byte first, and never with an exponent. Undefined if it is too
 * large: then the bytes stay what they are.
 */
export function decimalText(bytes: Buffer, scale: number): string | undefined {
  if (bytes.length > MAX_BYTES || !isScale(scale)) return undefined;
  const text = String(unscaled(bytes));
  if (scale <= 0) return text === "0" ? text : `${text}${ZEROS.slice(0, -scale)}`;
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length);
  if (digits.length > scale) return `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  return `${sign}0.${ZEROS.slice(0, scale - digits.length)}${digits}`;
}

function unscaled(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  if (bytes.length <= NUMBER_BYTES) return bytes.readIntBE(0, bytes.length);
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}

/** A decimal with a scale of its own: bytes that hold the unscaled number, as bytes, and the scale. */
export class BigDecimal extends avro.types.BytesType {
  [READ](tap: Tap): Json {
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

const VARIABLE_SCALE = "io.debezium.data.VariableScaleDecimal";

interface Named {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly "connect.name"?: unknown;
}

export function isVariableScaleDecimal({ name, namespace, "connect.name": connectName }: Named): boolean {
  return [connectName, name, `${String(namespace)}.${String(name)}`].includes(VARIABLE_SCALE);
}

/** Debezium's record for a decimal of which each value has a scale of its own. */
export class VariableScaleDecimal extends JsonRecord {
  override _createReader(): (tap: Tap) => Json | undefined {
    const fields = this.fields.map(({ name, type }) => `${name}: ${type.typeName}`);
    return fields.join(", ") === "scale: int, value: bytes" ? readVariableScale : readFields(this);
  }
}

function readVariableScale(tap: Tap): Json {
  const scale = tap.readLong();
  const bytes = tap.readBytes() ?? EMPTY;
  return decimalText(bytes, scale) ?? { scale, value: bytes.toString("base64") };
}
