import { createRequire } from "node:module";
import { crc32 } from "node:zlib";

import { crc32c } from "./crc32c.ts";
import { type BatchContext, BrokenRecords, type FetchedRecord, type Window, readRecords } from "./records.ts";

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
export const at = { length: 8, magic: 16, crc: 17, attributes: 21, lastOffsetDelta: 23, count: 57 } as const;
const inBatch = { firstTimestamp: 27, maxTimestamp: 35, producerId: 43, records: 61 } as const;
/** The same of a message of before. Source: https://kafka.apache.org/documentation/#messageset. */
const inMessage = { crc: 12, attributes: 17 } as const;
const lastCodec = 4;
const flags = { codec: 7, appendTime: 8, inTransaction: 16, control: 32 } as const;

/** kafkajs asks every record for it. */
const noTransaction = { producerId: "-1", inTransaction: false } as const;

/** The bytes of one batch, whole, and the offsets that it claims. Both formats begin alike. */
export interface Frame {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

export const longAt = (bytes: Buffer, place: number): number => Number(bytes.readBigInt64BE(place));

const contextOf = ({ bytes, baseOffset }: Frame, attributes: number): BatchContext => ({
  baseOffset,
  lastOffsetDelta: bytes.readInt32BE(at.lastOffsetDelta),
  firstTimestamp: longAt(bytes, inBatch.firstTimestamp),
  appendTime: attributes & flags.appendTime ? longAt(bytes, inBatch.maxTimestamp) : undefined,
  producerId: bytes.readBigInt64BE(inBatch.producerId).toString(),
  inTransaction: (attributes & flags.inTransaction) !== 0,
  isControlBatch: (attributes & flags.control) !== 0,
});

/** A codec throws whatever it likes at bytes that are no good: nothing but those can be to blame. */
const decompress = async (bytes: Buffer, attributes: number): Promise<Buffer> => {
  const type = attributes & flags.codec;
  if (type === 0) return bytes;
  // Those that Kafka has not given away are plain to kafkajs.
  if (type > lastCodec) throw new BrokenRecords(`Its compression type ${type} is unknown`);
  try {
    return await lookupCodecByAttributes(attributes).decompress(bytes);
  } catch (error) {
    throw new BrokenRecords(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/**
 * kafkajs never passes a batch of which compaction left nothing, and passes the gap that it left at the end of one offset by offset. What it
 * takes for a marker of a transaction it passes and shows to nobody.
 */
const markerAt = (offset: number, context: BatchContext): FetchedRecord => ({
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
export const isIntact = (bytes: Buffer): boolean =>
  crc32c(bytes.subarray(at.attributes)) === bytes.readUInt32BE(at.crc);

const readBatch = async (frame: Frame, { from, room }: Window): Promise<FetchedRecord[]> => {
  const { bytes, lastOffset } = frame;
  if (!isIntact(bytes)) throw new BrokenRecords("Its checksum is wrong");
  const attributes = bytes.readInt16BE(at.attributes);
  const context = contextOf(frame, attributes);
  const count = bytes.readInt32BE(at.count);
  const plain = count === 0 ? Buffer.alloc(0) : await decompress(bytes.subarray(inBatch.records), attributes);
  const { records, isWhole } = readRecords(plain, context, { count, from: Math.min(from, lastOffset), room });
  // The records are views of it. What is not compressed is part of the answer, which is there anyway.
  if (attributes & flags.codec) room.bytes -= plain.length;
  if (isWhole && Number(records.at(-1)?.offset ?? -1) < lastOffset) records.push(markerAt(lastOffset, context));
  return records;
};

const bytesOf = (messages: readonly FetchedRecord[]): number =>
  messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

/** Kafka's format before 0.11, of which a topic may still hold some; kafkajs reads it. */
const readMessageSet = async ({ bytes }: Frame, { room }: Window): Promise<FetchedRecord[]> => {
  if (crc32(bytes.subarray(at.magic)) !== bytes.readUInt32BE(inMessage.crc))
    throw new BrokenRecords("Its checksum is wrong");
  const type = bytes.readInt8(inMessage.attributes) & flags.codec;
  if (type > 3) throw new BrokenRecords(`Its compression type ${type} is unknown`);
  try {
    const messages = await decodeMessageSet(new DecoderClass(bytes), bytes.length);
    if (messages.length === 0) throw new BrokenRecords("It holds no messages");
    room.bytes -= bytesOf(messages);
    return messages.map((message) => Object.assign(message, { headers: {}, batchContext: noTransaction }));
  } catch (error) {
    throw new BrokenRecords(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** The records of one batch, or the first of them that are wanted. Throws `BrokenRecords` if they cannot be had, however often it is fetched. */
export const readFrame = async (frame: Frame, window: Window): Promise<FetchedRecord[]> => {
  const magic = frame.bytes.readInt8(at.magic);
  if (magic === 2) return readBatch(frame, window);
  if (magic === 0 || magic === 1) return readMessageSet(frame, window);
  throw new BrokenRecords(`Its format ${magic} is unknown`);
};
