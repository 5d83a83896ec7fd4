/** Bytes that are no records as Kafka writes them, though nothing may have happened to them since. */
export class BrokenRecords extends Error {}

/** What a batch says of all its records, in kafkajs's words. */
export interface BatchContext {
  /** The offset of the first one, and how far beyond it the last one may be. */
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number;
  /** If the broker gave the time, it is the same for all. */
  readonly appendTime: number | undefined;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

type FetchedHeader = Buffer | null;

/** A record as kafkajs hands it over. */
export interface FetchedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, FetchedHeader | FetchedHeader[]>>;
  readonly isControlRecord: boolean;
  readonly batchContext: Pick<BatchContext, "producerId" | "inTransaction">;
}

/** What of a batch is wanted: a whole one may take more memory than there is, and the rest of it can be fetched again. */
export interface Window {
  /** The first offset that was asked for. */
  readonly from: number;
  /** What the records of one answer to a fetch may still take up, in bytes. At least one record is read all the same. */
  readonly room: { bytes: number };
}

/** What a record takes up beside its own bytes: a dozen numbers, texts and views. */
const recordBytes = 512;

const noHeaders: FetchedRecord["headers"] = Object.freeze({});

/** Reads what Kafka writes in as few bytes as possible, and never beyond the end: kafkajs makes up what is missing. */
class Reader {
  readonly #bytes: Buffer;
  at = 0;
  /** Of the next record, at least. */
  offsetDelta = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new BrokenRecords("A record ends too early");
    return byte;
  }

  /** A zigzag number of up to 64 bits; beyond 2^53, where only nonsense lies, it is inexact. */
  number(): number {
    const first = this.byte();
    if (first < 128) return first & 1 ? -((first + 1) >> 1) : first >> 1;
    let zigzag = first & 127;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.byte();
      zigzag += (byte & 127) * scale;
      if (byte < 128) break;
      if (scale > 2 ** 62) throw new BrokenRecords("A number in a record has no end");
    }
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  bytes(length: number): Buffer {
    const from = this.at;
    this.skip(length);
    return this.#bytes.subarray(from, this.at);
  }

  skip(length: number): void {
    if (length < 0 || length > this.left) throw new BrokenRecords("A record claims more bytes than there are");
    this.at += length;
  }

  nullable(): Buffer | null {
    const length = this.number();
    return length === -1 ? null : this.bytes(length);
  }
}

/** A header that comes several times is an array, as kafkajs gives it. */
const readHeaders = (reader: Reader): FetchedRecord["headers"] => {
  const count = reader.number();
  if (count === 0) return noHeaders;
  if (count < 0 || count > reader.left) throw new BrokenRecords("A record claims more headers than there are");
  const headers = new Map<string, FetchedHeader | FetchedHeader[]>();
  for (let index = 0; index < count; index++) {
    const name = reader.bytes(reader.number()).toString();
    const value = reader.nullable();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
  }
  return Object.fromEntries(headers);
};

const readOffsetDelta = (reader: Reader, { lastOffsetDelta }: BatchContext): number => {
  const delta = reader.number();
  if (delta < reader.offsetDelta || delta > lastOffsetDelta)
    throw new BrokenRecords("Its records' offsets are not its own");
  reader.offsetDelta = delta + 1;
  return delta;
};

/** The next record; undefined if it comes before this offset. */
const readRecord = (reader: Reader, context: BatchContext, from: number): FetchedRecord | undefined => {
  const { baseOffset, firstTimestamp, appendTime, isControlBatch } = context;
  const length = reader.number();
  const end = reader.at + length;
  const attributes = reader.byte();
  const timestamp = firstTimestamp + reader.number();
  const offset = baseOffset + readOffsetDelta(reader, context);
  if (offset < from) {
    reader.skip(end - reader.at);
    return undefined;
  }
  const key = reader.nullable();
  const value = reader.nullable();
  const headers = readHeaders(reader);
  if (reader.at !== end) throw new BrokenRecords("A record is not as long as it claims");
  return {
    magicByte: 2,
    attributes,
    timestamp: String(appendTime ?? timestamp),
    offset: String(offset),
    key,
    value,
    headers,
    isControlRecord: isControlBatch,
    batchContext: context,
  };
};

/**
 * The records of a batch, uncompressed, from the first one that is wanted as far as there is room. Throws `BrokenRecords` if, up to there,
 * they are not exactly as many as there shall be.
 */
export const readRecords = (
  bytes: Buffer,
  context: BatchContext,
  { count, from, room }: Window & { count: number },
) => {
  const reader = new Reader(bytes);
  if (count < 0 || count > bytes.length) throw new BrokenRecords("It claims more records than there are");
  const records: FetchedRecord[] = [];
  for (let index = 0; index < count; index++) {
    const record = readRecord(reader, context, from);
    if (!record) continue;
    if (records.length > 0 && room.bytes <= 0) return { records, isWhole: false };
    records.push(record);
    room.bytes -= recordBytes;
  }
  if (reader.left > 0) throw new BrokenRecords("It has more bytes than records");
  return { records, isWhole: true };
};
