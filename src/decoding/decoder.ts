import type { Repair, Repairs } from "../core/event/repairs.ts";
import { type JsonObject, isObject } from "../core/json/json.ts";
import { createBareAvroDecoder } from "./bare-avro/bare-avro.ts";
import { decodeJsonEvents, type DecodeEvents } from "./events.ts";
import { describeForeignBytes } from "./foreign-bytes.ts";
import { createFramedOrBareDecoder, frameHeaderBytes, magicByte } from "./framed.ts";
import type { SchemaLoadResult, DecoderCache } from "./registry/schemas.ts";

export type InputFormat = "auto" | "registry" | "avro" | "json";

/** What a record's value turned out to be; `repairs` names the wrappers that were taken off. Errors are sentences for people and never quote the payload. */
export type Decoded =
  | { readonly kind: "event"; readonly raw: JsonObject; readonly repairs?: readonly Repair[] }
  | { readonly kind: "events"; readonly raws: readonly JsonObject[]; readonly repairs?: readonly Repair[] }
  | { readonly kind: "tombstone" }
  | { readonly kind: "undecodable"; readonly error: string }
  | { readonly kind: "unknown_schema"; readonly schemaId: number }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

export interface Decoder {
  /** Decodes a record's value; synchronous, and never throws whatever the bytes. */
  readonly decode: (value: Buffer | null) => Decoded;
  /** Fetches what `needs_schema` named; after any answer but `registry_down` the record can be decoded again. */
  readonly loadSchema: (schemaId: number) => Promise<SchemaLoadResult>;
  /** Fetches the newest schemas of these topics, so that their first records need not wait. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface DecoderOptions {
  readonly format: InputFormat;
  /** Where framed records find their schema; without it they are undecodable. */
  readonly decoderCache?: Omit<DecoderCache, "prewarm"> & Partial<DecoderCache>;
  /** The schemas that Avro records without a header may be of; without any they are undecodable. */
  readonly bareSchemas?: readonly { readonly name: string; readonly decode: DecodeEvents }[];
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const JSON_WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const JSON_BRACKETS = new Set([0x7b, 0x5b]);
const QUOTE = 0x22;
/** A JSON string that holds JSON begins with a bracket, or with an escaped quote or space. */
const AFTER_OPENING_QUOTE = new Set([...JSON_BRACKETS, 0x5c]);

type DecodeValue = (value: Buffer) => Decoded;

/** Makes the decoder for one input format. */
export function createDecoder({ format, decoderCache, bareSchemas: schemas = [] }: DecoderOptions): Decoder {
  const bareAvro = createBareAvroDecoder(
    schemas.map(({ name, decode }) => ({ name, decode: (value) => decodeSafely(decode, value) })),
  );
  const decodeJson: DecodeValue = (value) => decodeSafely(decodeJsonEvents, value);
  const decodeFramedValue: DecodeValue = (value) =>
    decoderCache === undefined ? noRegistry : decodeFramed(value, decoderCache);
  const decodeFramedOrBare = createFramedOrBareDecoder({ decodeFramed: decodeFramedValue, bareAvro });
  // A space or a quote before a bracket may be the length of bare Avro's first text, which is JSON.
  const decodeJsonOrBare: DecodeValue = (value) => {
    const decoded = decodeJson(value);
    return decoded.kind === "undecodable" ? (bareAvro.tryDecode(value) ?? decoded) : decoded;
  };
  const read: Readonly<Record<InputFormat, DecodeValue>> = {
    json: decodeJson,
    avro: bareAvro.decode,
    registry: decodeFramedValue,
    auto: (value) => {
      if (value[0] === magicByte) return decodeFramedOrBare(value);
      return mayBeJson(value) ? decodeJsonOrBare(value) : bareAvro.decode(value);
    },
  };
  return {
    decode: (value) => {
      if (value === null) return { kind: "tombstone" };
      if (value.length === 0) return undecodable("Cannot read the record: got an empty value, want an event");
      return explainForeignBytes(read[format](value), value);
    },
    loadSchema: (schemaId) => decoderCache?.load(schemaId) ?? Promise.resolve(noRegistry),
    prewarm: async (topics) => decoderCache?.prewarm?.(topics),
  };
}

/** Bare Avro may begin with any bytes: only what cannot be read otherwise is what its first bytes say. */
function explainForeignBytes(decoded: Decoded, value: Buffer): Decoded {
  const foreign = decoded.kind === "undecodable" ? describeForeignBytes(value) : undefined;
  return foreign === undefined ? decoded : undecodable(`Cannot read the record: got ${foreign}`);
}

const undecodable = (error: string) => ({ kind: "undecodable", error }) as const;
const noRegistry = undecodable(
  "Cannot read a record with a schema id: got no SCHEMA_REGISTRY_URL, want the registry's address",
);

/** Bare Avro may begin with any byte, also a space (the length of "track" is a line feed) or a quote: only what opens JSON after it may be JSON. */
function mayBeJson(value: Buffer): boolean {
  const text = BYTE_ORDER_MARK.every((byte, at) => value[at] === byte) ? value.subarray(3) : value;
  return beginsAsJson(
    text,
    text.findIndex((byte) => !JSON_WHITESPACE.has(byte)),
  );
}

function beginsAsJson(text: Buffer, start: number): boolean {
  const [first = 0, second = 0] = [text[start], text[start + 1]];
  return JSON_BRACKETS.has(first) || (first === QUOTE && AFTER_OPENING_QUOTE.has(second));
}

function decodeFramed(value: Buffer, decoderCache: Pick<DecoderCache, "peek">): Decoded {
  if (value.length < frameHeaderBytes || value[0] !== magicByte) {
    return undecodable(
      `Cannot read the record: got ${value.length} bytes, want a zero byte, a schema id of 4 bytes and the event`,
    );
  }
  const schemaId = value.readUInt32BE(1);
  const cached = decoderCache.peek(schemaId);
  if (cached === undefined) return { kind: "needs_schema", schemaId };
  if (cached === "unknown") return { kind: "unknown_schema", schemaId };
  return decodeSafely(cached, value.subarray(frameHeaderBytes));
}

function decodeSafely(decode: DecodeEvents, payload: Buffer): Decoded {
  try {
    const repairs: Repairs = [];
    const read = decode(payload, repairs);
    const unwrapped = repairs.length === 0 ? undefined : { repairs };
    return isObject(read) ? { kind: "event", raw: read, ...unwrapped } : { kind: "events", raws: read, ...unwrapped };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return undecodable(message.startsWith("Cannot") ? message : `Cannot read the record: ${message}`);
  }
}
