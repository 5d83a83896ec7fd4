import type { Repair, Repairs } from "../core/event/repairs.ts";
import { type JsonObject, isObject } from "../core/json/json.ts";
import { createBareReader } from "./bare-avro/bare-avro.ts";
import { decodeJsonEvents, type EventsDecoder } from "./events.ts";
import { foreignBytes } from "./foreign-bytes.ts";
import { createEitherReader, frameBytes, frameMark } from "./framed.ts";
import type { LoadResult, SchemaSource } from "./registry/schemas.ts";

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
  readonly load: (schemaId: number) => Promise<LoadResult>;
  /** Fetches the newest schemas of these topics, so that their first records need not wait. Never rejects. */
  readonly prewarm: (topics: readonly string[]) => Promise<void>;
}

export interface DecoderOptions {
  readonly format: InputFormat;
  /** Where framed records find their schema; without it they are undecodable. */
  readonly source?: Omit<SchemaSource, "prewarm"> & Partial<SchemaSource>;
  /** The schemas that Avro records without a header may be of; without any they are undecodable. */
  readonly bare?: readonly { readonly name: string; readonly decode: EventsDecoder }[];
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const JSON_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const JSON_OPENING = new Set([0x7b, 0x5b]);
const QUOTE = 0x22;
/** A JSON string that holds JSON begins with a bracket, or with an escaped quote or space. */
const OPENING_IN_QUOTES = new Set([...JSON_OPENING, 0x5c]);

type Read = (value: Buffer) => Decoded;

/** Makes the decoder for one input format. */
export function createDecoder({ format, source, bare: schemas = [] }: DecoderOptions): Decoder {
  const bare = createBareReader(schemas.map(({ name, decode }) => ({ name, read: (value) => attempt(decode, value) })));
  const json: Read = (value) => attempt(decodeJsonEvents, value);
  const framed: Read = (value) => (source === undefined ? noRegistry : decodeFramed(value, source));
  const either = createEitherReader({ framed, bare });
  // A space or a quote before a bracket may be the length of bare Avro's first text, which is JSON.
  const jsonOrBare: Read = (value) => {
    const decoded = json(value);
    return decoded.kind === "undecodable" ? (bare.recognise(value) ?? decoded) : decoded;
  };
  const read: Readonly<Record<InputFormat, Read>> = {
    json,
    avro: bare.read,
    registry: framed,
    auto: (value) => {
      if (value[0] === frameMark) return either(value);
      return isJson(value) ? jsonOrBare(value) : bare.read(value);
    },
  };
  return {
    decode: (value) => {
      if (value === null) return { kind: "tombstone" };
      if (value.length === 0) return undecodable("Cannot read the record: got an empty value, want an event");
      return named(read[format](value), value);
    },
    load: (schemaId) => source?.load(schemaId) ?? Promise.resolve(noRegistry),
    prewarm: async (topics) => source?.prewarm?.(topics),
  };
}

/** Bare Avro may begin with any bytes: only what cannot be read otherwise is what its first bytes say. */
function named(decoded: Decoded, value: Buffer): Decoded {
  const foreign = decoded.kind === "undecodable" ? foreignBytes(value) : undefined;
  return foreign === undefined ? decoded : undecodable(`Cannot read the record: got ${foreign}`);
}

const undecodable = (error: string) => ({ kind: "undecodable", error }) as const;
const noRegistry = undecodable(
  "Cannot read a record with a schema id: got no SCHEMA_REGISTRY_URL, want the registry's address",
);

/** Bare Avro may begin with any byte, also a space (the length of "track" is a line feed) or a quote: only what opens JSON after it may be JSON. */
function isJson(value: Buffer): boolean {
  const text = BYTE_ORDER_MARK.every((byte, at) => value[at] === byte) ? value.subarray(3) : value;
  return opensJson(
    text,
    text.findIndex((byte) => !JSON_SPACE.has(byte)),
  );
}

function opensJson(text: Buffer, start: number): boolean {
  const [first = 0, second = 0] = [text[start], text[start + 1]];
  return JSON_OPENING.has(first) || (first === QUOTE && OPENING_IN_QUOTES.has(second));
}

function decodeFramed(value: Buffer, source: Pick<SchemaSource, "peek">): Decoded {
  if (value.length < frameBytes || value[0] !== frameMark) {
    return undecodable(
      `Cannot read the record: got ${value.length} bytes, want a zero byte, a schema id of 4 bytes and the event`,
    );
  }
  const schemaId = value.readUInt32BE(1);
  const known = source.peek(schemaId);
  if (known === undefined) return { kind: "needs_schema", schemaId };
  if (known === "unknown") return { kind: "unknown_schema", schemaId };
  return attempt(known, value.subarray(frameBytes));
}

function attempt(decode: EventsDecoder, payload: Buffer): Decoded {
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
