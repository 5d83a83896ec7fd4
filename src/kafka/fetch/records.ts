/** Bytes that are no records as Kafka writes them, though nothing may have happened to them since. */
export class CorruptRecordsError extends Error {}

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
export interface ReadLimits {
  /** The first offset that was asked for. */
  readonly fetchOffset: number;
  /** What the records of one answer to a fetch may still take up, in bytes. At least one record is read all the same. */
  readonly capacity: { bytes: number };
}

/** What a record takes up beside its own bytes: a dozen numbers, texts and views. */
const recordOverheadBytes = 512;

const noHeaders: FetchedRecord["headers"] = Object.freeze({});

/** Reads what Kafka writes in as few bytes as possible, and never beyond the end: kafkajs makes up what is missing. */
class VarintReader {
  readonly #bytes: Buffer;
  position = 0;
  /** Of the next record, at least. */
  minOffsetDelta = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.position;
  }

  readByte(): number {
    const byte = this.#bytes[this.position++];
    if (byte === undefined) throw new CorruptRecordsError("A record ends too early");
    return byte;
  }

  /** A zigzag number of up to 64 bits; beyond 2^53, where only nonsense lies, it is inexact. */
  readVarint(): number {
    const first = this.readByte();
    if (first < 128) return first & 1 ? -((first + 1) >> 1) : first >> 1;
    let zigzag = first & 127;
    for (let scale = 128; ; scale *= 128) {
      const byte = this.readByte();
      zigzag += (byte & 127) * scale;
      if (byte < 128) break;
      if (scale > 2 ** 62) throw new CorruptRecordsError("A number in a record has no end");
    }
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  readBytes(length: number): Buffer {
    const from = this.position;
    this.skip(length);
    return this.#bytes.subarray(from, this.position);
  }

  skip(length: number): void {
    if (length < 0 || length > this.remaining)
      throw new CorruptRecordsError("A record claims more bytes than there are");
    this.position += length;
  }

  readNullableBytes(): Buffer | null {
    const length = this.readVarint();
    return length === -1 ? null : this.readBytes(length);
  }
}

/** A header that comes several times is an array, as kafkajs gives it. */
const readHeaders = (reader: VarintReader): FetchedRecord["headers"] => {
  const count = reader.readVarint();
  if (count === 0) return noHeaders;
  if (count < 0 || count > reader.remaining)
    throw new CorruptRecordsError("A record claims more headers than there are");
  const headers = new Map<string, FetchedHeader | FetchedHeader[]>();
  for (let index = 0; index < count; index++) {
    const name = reader.readBytes(reader.readVarint()).toString();
    const value = reader.readNullableBytes();
    const previous = headers.get(name);
    headers.set(name, previous === undefined ? value : [...(Array.isArray(previous) ? previous : [previous]), value]);
  }
  return Object.fromEntries(headers);
};

const readOffsetDelta = (reader: VarintReader, { lastOffsetDelta }: BatchContext): number => {
  const delta = reader.readVarint();
  if (delta < reader.minOffsetDelta || delta > lastOffsetDelta)
    throw new CorruptRecordsError("Its records' offsets are not its own");
  reader.minOffsetDelta = delta + 1;
  return delta;
};

/** The next record; undefined if it comes before this offset. */
const readRecord = (reader: VarintReader, context: BatchContext, from: number): FetchedRecord | undefined => {
  const { baseOffset, firstTimestamp, appendTime, isControlBatch } = context;
  const length = reader.readVarint();
  const end = reader.position + length;
  const attributes = reader.readByte();
  const timestamp = firstTimestamp + reader.readVarint();
  const offset = baseOffset + readOffsetDelta(reader, context);
  if (offset < from) {
    reader.skip(end - reader.position);
    return undefined;
  }
  const key = reader.readNullableBytes();
  const value = reader.readNullableBytes();
  const headers = readHeaders(reader);
  if (reader.position !== end) throw new CorruptRecordsError("A record is not as long as it claims");
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
  { count, fetchOffset: from, capacity }: ReadLimits & { count: number },
) => {
  const reader = new VarintReader(bytes);
  if (count < 0 || count > bytes.length) throw new CorruptRecordsError("It claims more records than there are");
  const records: FetchedRecord[] = [];
  for (let index = 0; index < count; index++) {
    const record = readRecord(reader, context, from);
    if (!record) continue;
    if (records.length > 0 && capacity.bytes <= 0) return { records, isWhole: false };
    records.push(record);
    capacity.bytes -= recordOverheadBytes;
  }
  if (reader.remaining > 0) throw new CorruptRecordsError("It has more bytes than records");
  return { records, isWhole: true };
};
