import { type Decoder, createDecoder, errorTypeOfCode } from "../protocol.ts";
import type { TopicPartition } from "../topic-partition.ts";
import { type AbortedTransaction, hideAbortedRecords } from "./aborted-transactions.ts";
import { type FetchedBatches, type UnreadableOffsets, readBatches } from "./record-batches.ts";
import type { FetchedRecord, ReadLimits } from "./records.ts";

/** One partition of the answer to a fetch, in kafkajs's form, and the offsets in it that cannot be read. */
export interface FetchedPartition extends Pick<FetchedBatches, "unreadable"> {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  /** Always empty: `hideAbortedRecords` has dealt with them. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica?: number;
  readonly messages: readonly FetchedRecord[];
  /** How many bytes of records the broker sent. */
  readonly size: number;
}

/** The offset that a fetch requested of a partition. */
export type FetchOffsetOf = (topicPartition: TopicPartition) => number;

/** A fetch, in kafkajs's form. */
export interface FetchRequest {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
  }[];
}

/** The answer to a fetch, in kafkajs's form. */
export interface FetchResponse {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

/**
 * The versions of the answer that this decoder reads (https://github.com/apache/kafka/blob/trunk/clients/src/main/resources/common/message/FetchResponse.json).
 * kafkajs knows no later one, and earlier ones have no record batches.
 */
export const supportedFetchVersions = { first: 4, last: 11 } as const;

/** Error codes of a broker that cannot read the log of one partition. */
const errorCodes = { unknown: -1, corruptMessage: 2, storageError: 56 } as const;
const unreadableCodes: ReadonlySet<number> = new Set(Object.values(errorCodes));

const readAborted = (decoder: Decoder): AbortedTransaction => ({
  producerId: decoder.readInt64().toString(),
  firstOffset: decoder.readInt64().toString(),
});

const readPartitionHeader = (decoder: Decoder, version: number) => ({
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

const unreadableByError = (errorCode: number, offset: number): UnreadableOffsets => ({
  offset,
  lastOffset: offset,
  reason: `The broker reports ${errorTypeOfCode(errorCode)}`,
  ...(errorCode === errorCodes.storageError && ({ isUnskippable: true } satisfies Partial<UnreadableOffsets>)),
});

/**
 * How much memory the records of one answer may take: twice the size of an answer that is compressed to a fifteenth. The batch that
 * exceeds the limit is the last one that is read, and adds at most the size of one batch. The rest is fetched again.
 */
const maxResponseBytes = 32 * 1024 * 1024;

interface FetchContext extends Pick<ReadLimits, "capacity"> {
  readonly version: number;
  readonly fetchOffsetOf: FetchOffsetOf;
}

const readPartition = async (
  decoder: Decoder,
  topic: string,
  { version, fetchOffsetOf, capacity }: FetchContext,
): Promise<FetchedPartition> => {
  const header = readPartitionHeader(decoder, version);
  const bytes = readBytes(decoder);
  const size = bytes.length;
  const fetchOffset = fetchOffsetOf({ topic, partition: header.partition });
  // kafkajs would fail the fetch of all partitions.
  if (unreadableCodes.has(header.errorCode))
    return {
      ...header,
      errorCode: 0,
      size,
      messages: [],
      unreadable: unreadableByError(header.errorCode, fetchOffset),
    };
  const { records, unreadable } = await readBatches(bytes, {
    fetchOffset,
    endOffset: Number(header.highWatermark),
    capacity,
  });
  const messages = hideAbortedRecords(records, header.abortedTransactions);
  return { ...header, abortedTransactions: [], size, messages, unreadable };
};

const readTopic = async (decoder: Decoder, context: FetchContext) => {
  const topicName = decoder.readString() ?? "";
  return { topicName, partitions: await decoder.readArrayAsync((reader) => readPartition(reader, topicName, context)) };
};

/**
 * Decodes the answer to a fetch of one version. It replaces kafkajs's decoder and returns the same form; only the records of each
 * partition are read otherwise.
 */
export const createFetchDecoder =
  (version: number, fetchOffsetOf: FetchOffsetOf) =>
  async (raw: Buffer): Promise<FetchResponse> => {
    const decoder = createDecoder(raw);
    const throttleTime = decoder.readInt32();
    if (version >= 7) {
      decoder.readInt16(); // The error of the fetch session; kafkajs uses no sessions
      decoder.readInt32(); // The id of the session
    }
    const context = { version, fetchOffsetOf, capacity: { bytes: maxResponseBytes } };
    const responses = await decoder.readArrayAsync((reader) => readTopic(reader, context));
    // From version 8 on a throttling broker answers at once, and the client has to wait (KIP-219).
    return version >= 8
      ? Object.assign({ throttleTime: 0, clientSideThrottleTime: throttleTime }, { responses })
      : Object.assign({ throttleTime }, { responses });
  };
