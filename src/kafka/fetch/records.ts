/** Bytes that are no valid batch of records. The message is a sentence about the batch, such as "Its checksum is wrong". */
export class CorruptRecordsError extends Error {}

/** The fields of a batch that hold for all its records, by kafkajs's names. */
export interface BatchContext {
  readonly baseOffset: number;
  /** The offset of the last record, less the base offset. */
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: number;
  /** The timestamp of all records if the topic has `message.timestamp.type=LogAppendTime`. */
  readonly appendTime: number | undefined;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

type FetchedHeader = Buffer | null;

/** A record as kafkajs passes it on. */
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

/** Which records of a batch to read. A whole batch may take more memory than there is; its rest can be fetched again. */
export interface ReadLimits {
  /** The offset that was requested; records before it are skipped. */
  readonly fetchOffset: number;
  /** How many bytes the records of one answer may still take. Reading counts it down. One record is read in any case. */
  readonly capacity: { bytes: number };
}

interface BatchRecords {
  readonly records: FetchedRecord[];
  /** False if the capacity ended before the batch. */
  readonly isWhole: boolean;
}

/** The memory that a record takes besides its bytes: a dozen numbers, texts and views. */
const recordOverheadBytes = 512;

const noHeaders: FetchedRecord["headers"] = Object.freeze({});

/**
 * Reads the fields of records, many of which are numbers of variable length (https://kafka.apache.org/documentation/#record). It throws
 * at the end of the bytes, where kafkajs's reader returns numbers that are not there.
 */
class VarintReader {
  readonly #bytes: Buffer;
  position = 0;
  /** The least offset delta that the next record may have. */
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

  /** A zigzag number of up to 64 bits. Beyond 2^53 it is inexact, but no valid record has such a number. */
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
    const start = this.position;
    this.skip(length);
    return this.#bytes.subarray(start, this.position);
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

/** As kafkajs does, it gives a header that comes several times as an array. */
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
    throw new CorruptRecordsError("The offsets of its records are wrong");
  reader.minOffsetDelta = delta + 1;
  return delta;
};

/** The next record; undefined if its offset is below the fetch offset. */
const readRecord = (reader: VarintReader, context: BatchContext, fetchOffset: number): FetchedRecord | undefined => {
  const { baseOffset, firstTimestamp, appendTime, isControlBatch } = context;
  const length = reader.readVarint();
  const end = reader.position + length;
  const attributes = reader.readByte();
  const timestamp = firstTimestamp + reader.readVarint();
  const offset = baseOffset + readOffsetDelta(reader, context);
  if (offset < fetchOffset) {
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
 * Reads the records of a batch from its uncompressed bytes. Throws `CorruptRecordsError` if the bytes that it reads are not exactly
 * `count` records.
 */
export const readRecords = (
  bytes: Buffer,
  context: BatchContext,
  { count, fetchOffset, capacity }: ReadLimits & { readonly count: number },
): BatchRecords => {
  const reader = new VarintReader(bytes);
  if (count < 0 || count > bytes.length) throw new CorruptRecordsError("It claims more records than there are");
  const records: FetchedRecord[] = [];
  for (let index = 0; index < count; index++) {
    const record = readRecord(reader, context, fetchOffset);
    if (!record) continue;
    if (records.length > 0 && capacity.bytes <= 0) return { records, isWhole: false };
    records.push(record);
    capacity.bytes -= recordOverheadBytes;
  }
  if (reader.remaining > 0) throw new CorruptRecordsError("It has more bytes than records");
  return { records, isWhole: true };
};
