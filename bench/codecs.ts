import { createRequire } from "node:module";

import { codecNames } from "../src/kafka/codecs/codec.ts";
import { type Compression, compressionType, registerCodecs } from "../src/kafka/codecs/codecs.ts";
import { readBatches } from "../src/kafka/fetch/record-batches.ts";

interface Encoder {
  readonly buffer: Buffer;
}

const require = createRequire(import.meta.url);
const { RecordBatch } = require("kafkajs/src/protocol/recordBatch/v0") as {
  RecordBatch: (batch: {
    compression: number;
    lastOffsetDelta: number;
    records: readonly Encoder[];
  }) => Promise<Encoder>;
};
const Decoder = require("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => object;
const decodeBatch = require("kafkajs/src/protocol/recordBatch/v0/decoder") as (
  decoder: object,
) => Promise<{ readonly records: readonly unknown[] }>;
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0") as (record: {
  offsetDelta: number;
  value: Buffer;
}) => Encoder;

const rounds = 9;
/** Events per batch: about 64 KB, as a busy producer sends. */
const batchSize = 64;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** CPU time of the median pass, in microseconds per event. */
const microsOf = async (events: number, pass: () => Promise<unknown>): Promise<number> => {
  const passes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await pass();
    const { user, system } = process.cpuUsage(before);
    passes.push((user + system) / events);
  }
  return median(passes);
};

const oneByOne = async <T, R>(all: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  for (const item of all) results.push(await work(item));
  return results;
};

const bytesOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);

const read = async (batch: Buffer): Promise<void> => {
  const { unreadable } = await readBatches(batch, {
    fetchOffset: 0,
    endOffset: batchSize,
    capacity: { bytes: Infinity },
  });
  if (unreadable) throw new Error(`Cannot read a batch of the benchmark: ${unreadable.reason}`);
};

const measure = async (compression: Compression, payloads: readonly Buffer[]) => {
  const batches = Array.from({ length: Math.ceil(payloads.length / batchSize) }, (_, at) =>
    payloads
      .slice(at * batchSize, (at + 1) * batchSize)
      .map((value, offsetDelta) => encodeRecord({ offsetDelta, value })),
  );
  const encode = (records: readonly Encoder[]) =>
    RecordBatch({ compression: compressionType(compression), lastOffsetDelta: records.length - 1, records });
  const packed = (await oneByOne(batches, encode)).map(({ buffer }) => buffer);
  const readMicros = await microsOf(payloads.length, () => oneByOne(packed, read));
  const kafkajsMicros = await microsOf(payloads.length, () =>
    oneByOne(packed, (batch) => decodeBatch(new Decoder(batch))),
  );
  const writeMicros = await microsOf(payloads.length, () => oneByOne(batches, encode));
  const bytes = bytesOf(payloads);
  return {
    codec: compression,
    "µs to read an event": Number(readMicros.toFixed(2)),
    "by kafkajs": Number(kafkajsMicros.toFixed(2)),
    "MB/s read": Math.round(bytes / payloads.length / readMicros),
    "µs to write an event": Number(writeMicros.toFixed(2)),
    "times smaller": Number((bytes / bytesOf(packed)).toFixed(1)),
  };
};

/** Prints the CPU time per codec to read and write batches of these events, and the time kafkajs needs to read them (it verifies no checksums). */
export const benchCodecs = async (payloads: readonly Buffer[]): Promise<void> => {
  registerCodecs();
  console.log(`codecs: batches of ${batchSize} events, without Kafka; CPU time, median of ${rounds} passes`);
  console.table(await oneByOne(["none", ...codecNames] as const, (codec) => measure(codec, payloads)));
};
