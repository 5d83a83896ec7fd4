import { crc32, gzipSync } from "node:zlib";

import { crc32c } from "../../../src/kafka/fetch/crc32c.ts";

type Text = string | null;

export interface PlainRecord {
  readonly offsetDelta: number;
  readonly key?: Text;
  readonly value?: Text;
  readonly headers?: readonly (readonly [string, Text])[];
}

export interface BatchShape {
  readonly base: number;
  readonly records: readonly PlainRecord[];
  readonly lastOffsetDelta?: number;
  /** The codec and the other flags. */
  readonly attributes?: number;
  readonly producerId?: number;
  /** The record count in its header. */
  readonly count?: number;
  /** Bytes in place of its records. */
  readonly body?: Buffer;
}

export const firstTimestamp = 1_700_000_000_000;

/** A number in the encoding of Kafka's records. */
export const varint = (value: number): Buffer => {
  let zigzag = BigInt(value) * 2n;
  if (zigzag < 0n) zigzag = -zigzag - 1n;
  const bytes: number[] = [];
  for (; zigzag >= 128n; zigzag >>= 7n) bytes.push(Number(zigzag & 127n) | 128);
  return Buffer.from([...bytes, Number(zigzag)]);
};

const text = (value: Text | undefined): Buffer => {
  if (value === null || value === undefined) return varint(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
};

export const recordBytes = ({ offsetDelta, key, value, headers = [] }: PlainRecord): Buffer => {
  const body = Buffer.concat([
    Buffer.of(0),
    varint(offsetDelta * 3),
    varint(offsetDelta),
    text(key),
    text(value),
    varint(headers.length),
    ...headers.flatMap(([name, header]) => [text(name), text(header)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
};

/** Sets the checksum of a batch to that of its current bytes. */
export const sealed = (batch: Buffer): Buffer => {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
};

const bodyOf = (records: readonly PlainRecord[], attributes: number): Buffer => {
  const plain = Buffer.concat(records.map((record) => recordBytes(record)));
  return (attributes & 7) === 1 ? gzipSync(plain) : plain;
};

/** A batch of Kafka 0.11 or later. */
export const batchBytes = (shape: BatchShape): Buffer => {
  const { base, records, attributes = 0, producerId = -1, count = records.length } = shape;
  const { lastOffsetDelta = records.at(-1)?.offsetDelta ?? 0, body = bodyOf(records, attributes) } = shape;
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(base), 0);
  head.writeInt32BE(49 + body.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(lastOffsetDelta, 23);
  head.writeBigInt64BE(BigInt(firstTimestamp), 27);
  head.writeBigInt64BE(BigInt(firstTimestamp + 9_000), 35);
  head.writeBigInt64BE(BigInt(producerId), 43);
  head.writeInt32BE(count, 57);
  return sealed(Buffer.concat([head, body]));
};

/** A message of the format before Kafka 0.11, magic 1. */
export const messageBytes = (offset: number, value: string | Buffer, codec = 0): Buffer => {
  const bytes = Buffer.from(value);
  const body = Buffer.alloc(18 + bytes.length);
  body.writeInt8(1, 0);
  body.writeInt8(codec, 1);
  body.writeBigInt64BE(BigInt(firstTimestamp), 2);
  body.writeInt32BE(-1, 10);
  body.writeInt32BE(bytes.length, 14);
  bytes.copy(body, 18);
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(4 + body.length, 8);
  head.writeUInt32BE(crc32(body), 12);
  return Buffer.concat([head, body]);
};

export interface PartitionShape {
  readonly partition: number;
  readonly errorCode?: number;
  readonly highWatermark?: number;
  readonly aborted?: readonly (readonly [producerId: number, firstOffset: number])[];
  readonly bytes: Buffer;
}

const int = (bits: 16 | 32 | 64, value: number): Buffer => {
  const bytes = Buffer.alloc(bits / 8);
  if (bits === 64) bytes.writeBigInt64BE(BigInt(value));
  else bytes.writeIntBE(value, 0, bits / 8);
  return bytes;
};

const partitionBytes = (
  { partition, errorCode = 0, highWatermark = 1_000, aborted = [], bytes }: PartitionShape,
  version: number,
) => [
  int(32, partition),
  int(16, errorCode),
  int(64, highWatermark),
  int(64, highWatermark),
  ...(version >= 5 ? [int(64, 0)] : []),
  int(32, aborted.length),
  ...aborted.flatMap(([producerId, first]) => [int(64, producerId), int(64, first)]),
  ...(version >= 11 ? [int(32, -1)] : []),
  int(32, bytes.length),
  bytes,
];

/** The answer to a fetch of one topic. */
export const responseBytes = (version: number, topic: string, partitions: readonly PartitionShape[]): Buffer =>
  Buffer.concat([
    int(32, 7),
    ...(version >= 7 ? [int(16, 0), int(32, 0)] : []),
    int(32, 1),
    int(16, topic.length),
    Buffer.from(topic),
    int(32, partitions.length),
    ...partitions.flatMap((partition) => partitionBytes(partition, version)),
  ]);
