import { createRequire } from "node:module";
import { crc32 } from "node:zlib";

import { crc32c } from "./crc32c.ts";
import { type BatchContext, CorruptRecordsError, type FetchedRecord, type ReadLimits, readRecords } from "./records.ts";

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer> | Buffer;
}

const require = createRequire(import.meta.url);
const { lookupCodecByAttributes } = require("kafkajs/src/protocol/message/compression") as {
  lookupCodecByAttributes: (attributes: number) => Codec;
};
const decodeMessageSet = require("kafkajs/src/protocol/messageSet/decoder") as (
  decoder: object,
  size: number,
) => Promise<FetchedRecord[]>;
const DecoderClass = require("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => object;

/** Where things are in a batch, in bytes. Source: https://kafka.apache.org/documentation/#recordbatch. */
export const headerPositions = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  count: 57,
} as const;
const v2Positions = { firstTimestamp: 27, maxTimestamp: 35, producerId: 43, records: 61 } as const;
/** The same of a message of before. Source: https://kafka.apache.org/documentation/#messageset. */
const legacyPositions = { crc: 12, attributes: 17 } as const;
const maxCodec = 4;
const flags = { codec: 7, appendTime: 8, inTransaction: 16, control: 32 } as const;

/** kafkajs asks every record for it. */
const noTransaction = { producerId: "-1", inTransaction: false } as const;

/** The bytes of one batch, whole, and the offsets that it claims. Both formats begin alike. */
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

/** A codec throws whatever it likes at bytes that are no good: nothing but those can be to blame. */
const decompressRecords = async (bytes: Buffer, attributes: number): Promise<Buffer> => {
  const type = attributes & flags.codec;
  if (type === 0) return bytes;
  // Those that Kafka has not given away are plain to kafkajs.
  if (type > maxCodec) throw new CorruptRecordsError(`Its compression type ${type} is unknown`);
  try {
    return await lookupCodecByAttributes(attributes).decompress(bytes);
  } catch (error) {
    throw new CorruptRecordsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/**
 * kafkajs never passes a batch of which compaction left nothing, and passes the gap that it left at the end of one offset by offset. What it
 * takes for a marker of a transaction it passes and shows to nobody.
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

/** Whether the bytes are as they were written, but for the first 17, which the checksum does not cover. */
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
  // The records are views of it. What is not compressed is part of the answer, which is there anyway.
  if (attributes & flags.codec) capacity.bytes -= uncompressed.length;
  if (isWhole && Number(records.at(-1)?.offset ?? -1) < lastOffset) records.push(controlRecordAt(lastOffset, context));
  return records;
};

const valueBytesOf = (messages: readonly FetchedRecord[]): number =>
  messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

/** Kafka's format before 0.11, of which a topic may still hold some; kafkajs reads it. */
const readMessageSet = async ({ bytes }: BatchFrame, { capacity }: ReadLimits): Promise<FetchedRecord[]> => {
  if (crc32(bytes.subarray(headerPositions.magic)) !== bytes.readUInt32BE(legacyPositions.crc))
    throw new CorruptRecordsError("Its checksum is wrong");
  const type = bytes.readInt8(legacyPositions.attributes) & flags.codec;
  if (type > 3) throw new CorruptRecordsError(`Its compression type ${type} is unknown`);
  try {
    const messages = await decodeMessageSet(new DecoderClass(bytes), bytes.length);
    if (messages.length === 0) throw new CorruptRecordsError("It holds no messages");
    capacity.bytes -= valueBytesOf(messages);
    return messages.map((message) => Object.assign(message, { headers: {}, batchContext: noTransaction }));
  } catch (error) {
    throw new CorruptRecordsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** The records of one batch, or the first of them that are wanted. Throws `BrokenRecords` if they cannot be had, however often it is fetched. */
export const readBatchFrame = async (frame: BatchFrame, window: ReadLimits): Promise<FetchedRecord[]> => {
  const magic = frame.bytes.readInt8(headerPositions.magic);
  if (magic === 2) return readRecordBatch(frame, window);
  if (magic === 0 || magic === 1) return readMessageSet(frame, window);
  throw new CorruptRecordsError(`Its format ${magic} is unknown`);
};
