import { createRequire } from "node:module";

import { type AbortedTransaction, hideAborted } from "./aborted-transactions.ts";
import { type FetchedBatches, readBatches } from "./record-batches.ts";
import type { FetchedRecord, Window } from "./records.ts";

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string | null;
  readBytes(length: number): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
}

/** What was fetched of one partition, in kafkajs's words, and what of it cannot be read. */
export interface FetchedPartition extends Pick<FetchedBatches, "unreadable"> {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  /** None for kafkajs to care about: see `hideAborted`. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica?: number;
  readonly messages: readonly FetchedRecord[];
  /** How many bytes the broker gave. */
  readonly size: number;
}

/** The offset that was asked for of a partition. */
export type AskedFor = (topic: string, partition: number) => number;

/** The answer to a fetch, in kafkajs's shape. */
export interface FetchResponse {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

const require = createRequire(import.meta.url);
const DecoderClass = require("kafkajs/src/protocol/decoder") as new (raw: Buffer) => Decoder;
const { createErrorFromCode } = require("kafkajs/src/protocol/error") as {
  createErrorFromCode: (code: number) => { readonly type: string };
};

/** The versions of which this is the form: kafkajs speaks no later one, and before it there are no batches of Kafka 0.11. */
export const fetchVersions = { first: 4, last: 11 } as const;

/** What a broker says if it cannot read one partition's log: UNKNOWN, CORRUPT_MESSAGE and KAFKA_STORAGE_ERROR. */
const unreadableCodes: ReadonlySet<number> = new Set([-1, 2, 56]);
const storageError = 56;

const readAborted = (decoder: Decoder): AbortedTransaction => ({
  producerId: decoder.readInt64().toString(),
  firstOffset: decoder.readInt64().toString(),
});

const readHeader = (decoder: Decoder, version: number) => ({
  partition: decoder.readInt32(),
  errorCode: decoder.readInt16(),
  highWatermark: decoder.readInt64().toString(),
  lastStableOffset: decoder.readInt64().toString(),
  // kafkajs's name.
  ...(version >= 5 && { lastStartOffset: decoder.readInt64().toString() }),
  abortedTransactions: decoder.readArray(readAborted),
  ...(version >= 11 && { preferredReadReplica: decoder.readInt32() }),
});

const readBytes = (decoder: Decoder): Buffer => {
  const length = decoder.readInt32();
  return length > 0 ? decoder.readBytes(length) : Buffer.alloc(0);
};

const refusedBy = (errorCode: number, offset: number): FetchedBatches["unreadable"] => ({
  offset,
  lastOffset: offset,
  reason: `The broker says ${createErrorFromCode(errorCode).type}`,
  ...(errorCode === storageError && { mustWait: true }),
});

/**
 * What is read of one answer, in memory: twice the size of an answer whose events are packed to a fifteenth. A batch that exceeds it (by
 * as much as a batch may hold at most) is the last one that is read; the others are fetched again.
 */
const roomBytes = 32 * 1024 * 1024;

interface Answer extends Pick<Window, "room"> {
  readonly version: number;
  readonly askedFor: AskedFor;
}

const readPartition = async (
  decoder: Decoder,
  topic: string,
  { version, askedFor, room }: Answer,
): Promise<FetchedPartition> => {
  const header = readHeader(decoder, version);
  const bytes = readBytes(decoder);
  const size = bytes.length;
  const from = askedFor(topic, header.partition);
  // kafkajs takes the error of one partition for the failure of all.
  if (unreadableCodes.has(header.errorCode))
    return { ...header, errorCode: 0, size, messages: [], unreadable: refusedBy(header.errorCode, from) };
  const { records, unreadable } = await readBatches(bytes, { from, high: Number(header.highWatermark), room });
  const messages = hideAborted(records, header.abortedTransactions);
  return { ...header, abortedTransactions: [], size, messages, unreadable };
};

const readTopic = async (decoder: Decoder, answer: Answer) => {
  const topicName = decoder.readString() ?? "";
  return { topicName, partitions: await decoder.readArrayAsync((one) => readPartition(one, topicName, answer)) };
};

/** How kafkajs reads the answer to a fetch of this version, but for what a partition holds. */
export const fetchDecoder =
  (version: number, askedFor: AskedFor) =>
  async (raw: Buffer): Promise<FetchResponse> => {
    const decoder = new DecoderClass(raw);
    const throttleTime = decoder.readInt32();
    if (version >= 7) {
      decoder.readInt16(); // An error of the fetch session, of which kafkajs has none.
      decoder.readInt32(); // The session.
    }
    const answer = { version, askedFor, room: { bytes: roomBytes } };
    const responses = await decoder.readArrayAsync((one) => readTopic(one, answer));
    // From version 8 on the broker has not waited itself, and expects this client to.
    return version >= 8
      ? Object.assign({ throttleTime: 0, clientSideThrottleTime: throttleTime }, { responses })
      : Object.assign({ throttleTime }, { responses });
  };
