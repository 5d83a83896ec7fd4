import { parseOptionalText } from "../../core/json/json-text.ts";
import { type Json, type JsonObject, isList, isObject } from "../../core/json/json.ts";
import { putKey } from "../../core/json/put-key.ts";
import { decimalScale, decimalText, isVariableScaleDecimal } from "../avro/decimal.ts";
import { NUMBERS } from "../avro/logical-types.ts";
import { readJson } from "../json.ts";

/** The value in an envelope of Kafka Connect's JsonConverter, read by the schema beside it, as Avro is read by its own. */
export function connectPayload(schema: JsonObject | null, payload: Json): Json {
  if (schema?.["type"] === "bytes" && typeof payload === "string") return readJson(Buffer.from(payload, "base64"));
  return readerOf(schema)(payload);
}

type Read = (value: Json) => Json;

const asItIs: Read = (value) => value;

/** A value that is not what its schema says stays as it is. */
function readerOf(schema: Json | undefined): Read {
  if (!isObject(schema)) return asItIs;
  const { type, name, fields, values, items } = schema;
  if (isVariableScaleDecimal({ name })) return variableScale;
  if (type === "struct") return structReader(isList(fields) ? fields : []);
  if (type === "map") return mapReader(readerOf(values));
  if (type === "array") return listReader(readerOf(items));
  return typeof name === "string" ? logicalReader(name, schema) : asItIs;
}

/** As in an Avro record, a field that is null is absent: Connect writes each field, and null would clear the trait. */
function structReader(fields: readonly Json[]): Read {
  const readers = new Map<string, Read>();
  for (const field of fields) {
    if (isObject(field) && typeof field["field"] === "string") readers.set(field["field"], readerOf(field));
  }
  return (value) => {
    if (!isObject(value)) return value;
    const out: Record<string, Json | undefined> = {};
    for (const [name, inner = null] of Object.entries(value)) {
      const read = readers.get(name);
      const json = read ? read(inner) : inner;
      if (json !== null || !read) putKey(out, name, json);
    }
    return out;
  };
}

/** A map whose keys are no strings is a list of pairs. */
function mapReader(read: Read): Read {
  return (value) => {
    const pairs = isObject(value) ? Object.entries(value) : pairsIn(value);
    if (!pairs) return value;
    const out: Record<string, Json | undefined> = {};
    for (const [key, inner = null] of pairs) putKey(out, key, read(inner));
    return out;
  };
}

function pairsIn(value: Json): readonly (readonly [string, Json | undefined])[] | undefined {
  if (!isList(value) || !value.every((pair) => isList(pair) && pair.length === 2)) return undefined;
  return (value as readonly (readonly [Json, Json])[]).map(
    ([key, inner]) => [typeof key === "string" ? key : JSON.stringify(key), inner] as const,
  );
}

function listReader(read: Read): Read {
  return (value) => (isList(value) ? value.map(read) : value);
}

function logicalReader(name: string, { parameters }: JsonObject): Read {
  const scale = decimalScale({ "connect.name": name, "connect.parameters": parameters });
  return scale === undefined ? (LOGICAL.get(name) ?? asItIs) : ofText((text) => decimal(text, scale));
}

const LOGICAL: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...NUMBERS.flatMap(([, names, read]) => names.map((name) => [name, ofInteger(read)] as const)),
  ["io.debezium.data.Json", ofText(parseOptionalText)],
]);

function ofText(read: (text: string) => Json): Read {
  return (value) => (typeof value === "string" ? read(value) : value);
}

/** A long beyond 2^53 is text. */
function ofInteger(read: (value: number | bigint) => Json): Read {
  return (value) => {
    if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) return read(BigInt(value));
    return Number.isInteger(value) ? read(Number(value)) : value;
  };
}

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;

/** With `decimal.format=numeric` a decimal is a number; else it is the bytes that Avro has, as base64. Node would read any text as such. */
function decimal(base64: string, scale: number): Json {
  if (base64 === "" || !BASE64.test(base64)) return base64;
  return decimalText(Buffer.from(base64, "base64"), scale) ?? base64;
}

/** Debezium's struct for a decimal of which each value has a scale of its own. */
function variableScale(value: Json): Json {
  if (!isObject(value)) return value;
  const { scale, value: base64 } = value;
  if (typeof base64 !== "string" || typeof scale !== "number") return value;
  const text = decimal(base64, scale);
  return text === base64 ? value : text;
}
