import { createBareAvroDecoder } from "./bare-avro/bare-avro.ts";
import { type DecodeValue, type Decoded, decodeSafely, undecodable } from "./decoded.ts";
import { decodeJsonEvents, type DecodeEvents } from "./events.ts";
import { describeForeignBytes } from "./foreign-bytes.ts";
import { magicByte } from "./frame.ts";
import { createFramedOrBareDecoder } from "./framed-or-bare.ts";
import { type KnownDecoders, createFramedDecoder, noRegistry } from "./framed.ts";
import type { SchemaLoadResult, DecoderCache } from "./registry/decoder-cache.ts";

/** The values of INPUT_FORMAT: `registry` is framed Avro or JSON, `avro` is bare Avro, `auto` is any of these and plain JSON. */
export type InputFormat = "auto" | "registry" | "avro" | "json";

export interface Decoder {
  /** Decodes a record's value. Synchronous; never throws, whatever the bytes are. */
  readonly decode: (value: Buffer | null) => Decoded;
  /**
   * Fetches the schema that `needs_schema` named. After any result but `registry_down` the record can be decoded again. Never rejects.
   */
  readonly loadSchema: (schemaId: number) => Promise<SchemaLoadResult>;
  /** Fetches the newest schemas of these topics, so that their first records need not wait for them. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface DecoderOptions {
  readonly format: InputFormat;
  /** The decoders of framed records; without it framed records are undecodable. */
  readonly decoderCache?: KnownDecoders & Pick<DecoderCache, "load"> & Partial<Pick<DecoderCache, "prewarm">>;
  /** The schemas that bare Avro records may have; without any, bare records are undecodable. */
  readonly bareSchemas?: readonly { readonly name: string; readonly decode: DecodeEvents }[];
}

const byteOrderMark = [0xef, 0xbb, 0xbf];
const jsonWhitespace = new Set([0x20, 0x09, 0x0a, 0x0d]);
const jsonBrackets = new Set([0x7b, 0x5b]);
const quoteByte = 0x22;
/** A JSON string that holds JSON begins with a bracket, or with an escaped quote or space. */
const afterOpeningQuote = new Set([...jsonBrackets, 0x5c]);

/** Makes the decoder for one input format. */
export function createDecoder({ format, decoderCache, bareSchemas = [] }: DecoderOptions): Decoder {
  const decodeByFormat = createFormatDecoders(decoderCache, bareSchemas)[format];
  return {
    decode: (value) => {
      if (value === null) return { kind: "tombstone" };
      if (value.length === 0) return undecodable("Cannot read the record: got an empty value, want an event");
      return explainForeignBytes(decodeByFormat(value), value);
    },
    loadSchema: (schemaId) => decoderCache?.load(schemaId) ?? Promise.resolve(noRegistry),
    prewarm: async (topics) => decoderCache?.prewarm?.(topics),
  };
}

function createFormatDecoders(
  decoderCache: DecoderOptions["decoderCache"],
  bareSchemas: NonNullable<DecoderOptions["bareSchemas"]>,
): Readonly<Record<InputFormat, DecodeValue>> {
  const bareAvro = createBareAvroDecoder(
    bareSchemas.map(({ name, decode }) => ({ name, decode: (value) => decodeSafely(decode, value) })),
  );
  const decodeJson: DecodeValue = (value) => decodeSafely(decodeJsonEvents, value);
  const decodeFramed = createFramedDecoder(decoderCache);
  const decodeFramedOrBare = createFramedOrBareDecoder({ decodeFramed, bareAvro });
  // A space or a quote before a bracket may also be the length of bare Avro's first text, which is JSON.
  const decodeJsonOrBare: DecodeValue = (value) => {
    const decoded = decodeJson(value);
    return decoded.kind === "undecodable" ? (bareAvro.tryDecode(value) ?? decoded) : decoded;
  };
  return {
    json: decodeJson,
    avro: bareAvro.decode,
    registry: decodeFramed,
    auto: (value) => {
      if (value[0] === magicByte) return decodeFramedOrBare(value);
      return mayBeJson(value) ? decodeJsonOrBare(value) : bareAvro.decode(value);
    },
  };
}

/** Names the foreign format of an undecodable value in the error. Bare Avro may begin with the same bytes, so decoding comes first. */
function explainForeignBytes(decoded: Decoded, value: Buffer): Decoded {
  const foreign = decoded.kind === "undecodable" ? describeForeignBytes(value) : undefined;
  return foreign === undefined ? decoded : undecodable(`Cannot read the record: got ${foreign}`);
}

/**
 * Whether a value begins like JSON of an object, of a list, or of a string that holds one of these. Bare Avro may begin with any byte,
 * also with a space, a line feed (the length of "track") or a quote, so the byte that opens the JSON must follow.
 */
function mayBeJson(value: Buffer): boolean {
  const text = byteOrderMark.every((byte, at) => value[at] === byte) ? value.subarray(3) : value;
  return beginsAsJson(
    text,
    text.findIndex((byte) => !jsonWhitespace.has(byte)),
  );
}

function beginsAsJson(text: Buffer, start: number): boolean {
  const [first = 0, second = 0] = [text[start], text[start + 1]];
  return jsonBrackets.has(first) || (first === quoteByte && afterOpeningQuote.has(second));
}
