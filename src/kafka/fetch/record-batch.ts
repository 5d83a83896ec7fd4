import { crc32 } from "node:zlib";

import { toError } from "../../core/to-error.ts";
import { codecOfType, decompress } from "../codecs/codecs.ts";
import { decodeMessageSet } from "../protocol.ts";
import { crc32c } from "./crc32c.ts";
import { type BatchContext, CorruptRecordsError, type FetchedRecord, type ReadLimits, readRecords } from "./records.ts";

/** The positions of the fields of a batch, in bytes (https://kafka.apache.org/documentation/#recordbatch). */
export const headerPositions = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  count: 57,
} as const;
const v2Positions = { firstTimestamp: 27, maxTimestamp: 35, producerId: 43, records: 61 } as const;
/** The same for a message of the format before Kafka 0.11 (https://kafka.apache.org/documentation/#messageset). */
const legacyPositions = { crc: 12, attributes: 17 } as const;
/** The last codec that the format before Kafka 0.11 has: lz4. */
const maxLegacyCodec = 3;
const flags = { codec: 7, appendTime: 8, inTransaction: 16, control: 32 } as const;

/** kafkajs reads these fields of every record. */
const noTransaction = { producerId: "-1", inTransaction: false } as const;

/** The bytes of one whole batch and the offsets in its header. Both formats begin with the same fields. */
export interface BatchFrame {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

export const readInt64At = (bytes: Buffer, position: number): number => Number(bytes.readBigInt64BE(position));

const readBatchContext = ({ bytes, baseOffset }: BatchFrame, attributes: number): BatchContext => ({
  baseOffset,
  lastOffsetDelta: bytes.readInt32BE(headerPositions.lastOffsetDelta),
  firstTimestamp: readInt64At(bytes, v2Positions.firstTimestamp),
  appendTime: attributes & flags.appendTime ? readInt64At(bytes, v2Positions.maxTimestamp) : undefined,
  producerId: bytes.readBigInt64BE(v2Positions.producerId).toString(),
  inTransaction: (attributes & flags.inTransaction) !== 0,
  isControlBatch: (attributes & flags.control) !== 0,
});

/** Whatever a codec throws, the bytes are to blame. */
const decompressRecords = async (bytes: Buffer, attributes: number): Promise<Buffer> => {
  const type = attributes & flags.codec;
  if (type === 0) return bytes;
  const codec = codecOfType(type);
  if (codec === undefined) throw new CorruptRecordsError(`Its compression type ${type} is unknown`);
  try {
    return await decompress(codec, bytes);
  } catch (error) {
    throw new CorruptRecordsError(toError(error).message, { cause: error });
  }
};

/**
 * A record that moves kafkajs to the end of a batch: kafkajs skips control records. Compaction may remove all records of a batch or the
 * last ones. kafkajs would never get past an empty batch, and would cross a gap at the end of a batch by one offset per fetch.
 */
const controlRecordAt = (offset: number, context: BatchContext): FetchedRecord => ({
  magicByte: 2,
  attributes: 0,
  timestamp: String(context.firstTimestamp),
  offset: String(offset),
  key: null,
  value: null,
  headers: {},
  isControlRecord: true,
  batchContext: { producerId: context.producerId, inTransaction: false },
});

/** Whether the bytes of a batch are unchanged. The checksum covers the attributes and all that follows them. */
export const hasValidChecksum = (bytes: Buffer): boolean =>
  crc32c(bytes.subarray(headerPositions.attributes)) === bytes.readUInt32BE(headerPositions.crc);

const readRecordBatch = async (frame: BatchFrame, { fetchOffset, capacity }: ReadLimits): Promise<FetchedRecord[]> => {
  const { bytes, lastOffset } = frame;
  if (!hasValidChecksum(bytes)) throw new CorruptRecordsError("Its checksum is wrong");
  const attributes = bytes.readInt16BE(headerPositions.attributes);
  const context = readBatchContext(frame, attributes);
  const count = bytes.readInt32BE(headerPositions.count);
  const uncompressed =
    count === 0 ? Buffer.alloc(0) : await decompressRecords(bytes.subarray(v2Positions.records), attributes);
  const { records, isWhole } = readRecords(uncompressed, context, {
    count,
    fetchOffset: Math.min(fetchOffset, lastOffset),
    capacity,
  });
  // The records are views of the decompressed bytes. Bytes that came uncompressed are part of the answer and take no new memory.
  if (attributes & flags.codec) capacity.bytes -= uncompressed.length;
  if (isWhole && Number(records.at(-1)?.offset ?? -1) < lastOffset) records.push(controlRecordAt(lastOffset, context));
  return records;
};

const valueBytesOf = (messages: readonly Pick<FetchedRecord, "value">[]): number =>
  messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

/** Reads the format before Kafka 0.11, which a topic may still hold, with kafkajs's decoder. */
const readMessageSet = async ({ bytes }: BatchFrame, { capacity }: ReadLimits): Promise<FetchedRecord[]> => {
  if (crc32(bytes.subarray(headerPositions.magic)) !== bytes.readUInt32BE(legacyPositions.crc))
    throw new CorruptRecordsError("Its checksum is wrong");
  const type = bytes.readInt8(legacyPositions.attributes) & flags.codec;
  if (type > maxLegacyCodec) throw new CorruptRecordsError(`Its compression type ${type} is unknown`);
  try {
    const messages = await decodeMessageSet(bytes);
    if (messages.length === 0) throw new CorruptRecordsError("It holds no messages");
    capacity.bytes -= valueBytesOf(messages);
    return messages.map((message) => Object.assign(message, { headers: {}, batchContext: noTransaction }));
  } catch (error) {
    throw new CorruptRecordsError(toError(error).message, { cause: error });
  }
};

/** The records of one batch from the fetch offset on, as far as the capacity allows. Throws `CorruptRecordsError` if they cannot be read. */
export const readBatchFrame = async (frame: BatchFrame, limits: ReadLimits): Promise<FetchedRecord[]> => {
  const magic = frame.bytes.readInt8(headerPositions.magic);
  if (magic === 2) return readRecordBatch(frame, limits);
  if (magic === 0 || magic === 1) return readMessageSet(frame, limits);
  throw new CorruptRecordsError(`Its format ${magic} is unknown`);
};
