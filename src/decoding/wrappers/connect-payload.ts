import { parseOptionalText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isArray, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { decimalScale, decimalText, isVariableScaleDecimal } from "../avro/decimal.ts";
import { temporalTypes } from "../avro/logical-types.ts";
import { parseJsonBytes } from "../json-bytes.ts";

/** Converts the payload of a Kafka Connect envelope by its schema, in the same way as Avro is decoded by its schema. */
export function convertConnectPayload(schema: JsonObject | null, payload: Json): Json {
  if (schema?.["type"] === "bytes" && typeof payload === "string")
    return parseJsonBytes(Buffer.from(payload, "base64"));
  return converterFor(schema)(payload);
}

type Convert = (value: Json) => Json;

const keepAsIs: Convert = (value) => value;

/** Makes the converter for a schema. A value that does not fit its schema stays unchanged. */
function converterFor(schema: Json | undefined): Convert {
  if (!isObject(schema)) return keepAsIs;
  const { type, name, fields, values, items } = schema;
  if (isVariableScaleDecimal({ name })) return convertVariableScaleDecimal;
  if (type === "struct") return structConverter(isArray(fields) ? fields : []);
  if (type === "map") return mapConverter(converterFor(values));
  if (type === "array") return arrayConverter(converterFor(items));
  return typeof name === "string" ? logicalTypeConverter(name, schema) : keepAsIs;
}

/** Leaves out null fields, as in an Avro record: Connect writes every field, and null would clear a trait. */
function structConverter(fields: readonly Json[]): Convert {
  const converters = new Map<string, Convert>();
  for (const field of fields) {
    if (isObject(field) && typeof field["field"] === "string") converters.set(field["field"], converterFor(field));
  }
  return (value) => {
    if (!isObject(value)) return value;
    const out: Record<string, Json | undefined> = {};
    for (const [name, inner = null] of Object.entries(value)) {
      const convert = converters.get(name);
      const json = convert ? convert(inner) : inner;
      if (json !== null || !convert) putKey(out, name, json);
    }
    return out;
  };
}

/** Connect writes a map whose keys are not strings as a list of pairs. */
function mapConverter(convert: Convert): Convert {
  return (value) => {
    const pairs = isObject(value) ? Object.entries(value) : pairsOf(value);
    if (!pairs) return value;
    const out: Record<string, Json | undefined> = {};
    for (const [key, inner = null] of pairs) putKey(out, key, convert(inner));
    return out;
  };
}

function pairsOf(value: Json): readonly (readonly [string, Json | undefined])[] | undefined {
  if (!isArray(value) || !value.every((pair) => isArray(pair) && pair.length === 2)) return undefined;
  return (value as readonly (readonly [Json, Json])[]).map(
    ([key, inner]) => [typeof key === "string" ? key : JSON.stringify(key), inner] as const,
  );
}

function arrayConverter(convert: Convert): Convert {
  return (value) => (isArray(value) ? value.map(convert) : value);
}

function logicalTypeConverter(name: string, { parameters }: JsonObject): Convert {
  const scale = decimalScale({ "connect.name": name, "connect.parameters": parameters });
  return scale === undefined
    ? (logicalConverters.get(name) ?? keepAsIs)
    : textConverter((text) => decodeDecimal(text, scale));
}

const logicalConverters: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ...temporalTypes.flatMap(([, names, convert]) => names.map((name) => [name, integerConverter(convert)] as const)),
  ["io.debezium.data.Json", textConverter(parseOptionalText)],
]);

function textConverter(convert: (text: string) => Json): Convert {
  return (value) => (typeof value === "string" ? convert(value) : value);
}

/** A long beyond 2^53 is text here (see `parseJsonText`). */
function integerConverter(convert: (value: number | bigint) => Json): Convert {
  return (value) => {
    if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return convert(BigInt(value));
    return Number.isInteger(value) ? convert(Number(value)) : value;
  };
}

const base64Pattern = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;

/**
 * Decodes a decimal's bytes. With `decimal.format=numeric` there are none. Other text stays, because `Buffer.from` accepts any text as
 * base64.
 */
function decodeDecimal(base64: string, scale: number): Json {
  if (base64 === "" || !base64Pattern.test(base64)) return base64;
  return decimalText(Buffer.from(base64, "base64"), scale) ?? base64;
}

/** Debezium's struct for a decimal whose scale differs from value to value. */
function convertVariableScaleDecimal(value: Json): Json {
  if (!isObject(value)) return value;
  const { scale, value: base64 } = value;
  if (typeof base64 !== "string" || typeof scale !== "number") return value;
  const text = decodeDecimal(base64, scale);
  return text === base64 ? value : text;
}
