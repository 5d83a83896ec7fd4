import { type BatchFrame, headerPositions, hasValidChecksum, readInt64At, readBatchFrame } from "./record-batch.ts";
import { CorruptRecordsError, type FetchedRecord, type ReadLimits } from "./records.ts";

/** Offsets of a partition that cannot be read, and why. */
export interface UnreadableOffsets {
  readonly offset: number;
  readonly lastOffset: number;
  /** A sentence, such as `Its checksum is wrong`. */
  readonly reason: string;
  /** Nothing is known against the records: their broker's disk has failed, and another broker will lead. Never skipped. */
  readonly mustWait?: boolean;
}

/** What is in the answer to a fetch of one partition: the records up to the first batch that cannot be read, as far as there is room. */
export interface FetchedBatches {
  readonly records: readonly FetchedRecord[];
  /** Only if no record that was asked for comes before it. */
  readonly unreadable?: UnreadableOffsets | undefined;
}

/** Where a batch may lie. */
interface OffsetBounds {
  /** The first offset that was asked for. */
  readonly fetchOffset: number;
  /** The end of the log. The broker takes it down before it reads, so that more may have come. */
  readonly endOffset: number;
  /** Behind the batch before. */
  readonly nextOffset: number;
}

type RequestedRange = Pick<OffsetBounds, "fetchOffset" | "endOffset"> & Pick<ReadLimits, "capacity">;

/** From a batch's first byte to where its length counts from. */
const lengthFieldEnd = 12;
const minBatchBytes: Readonly<Record<number, number>> = { 0: 26, 1: 34, 2: 61 };
const minBytesOfAnyBatch = 26;

const batchBytesOf = (bytes: Buffer): number => lengthFieldEnd + bytes.readInt32BE(headerPositions.length);

/** The answer ends in the middle of it, because it has become large enough. */
const isTruncated = (bytes: Buffer): boolean => bytes.length < minBytesOfAnyBatch || bytes.length < batchBytesOf(bytes);

/** Compaction has left no gap in it, as in every batch that has just come. */
const isGapless = ({ bytes, baseOffset, lastOffset }: BatchFrame): boolean =>
  bytes.readInt8(headerPositions.magic) !== 2 ||
  bytes.readInt32BE(headerPositions.count) === lastOffset - baseOffset + 1;

const hasPlausibleOffsets = (frame: BatchFrame, { fetchOffset, endOffset, nextOffset }: OffsetBounds): boolean => {
  const { baseOffset, lastOffset } = frame;
  if (baseOffset < nextOffset || lastOffset < baseOffset) return false;
  return lastOffset < endOffset || (baseOffset <= Math.max(fetchOffset, nextOffset) && isGapless(frame));
};

const readFrameHeader = (bytes: Buffer, bounds: OffsetBounds): BatchFrame => {
  // Kafka sends the first batch of a partition whole, however large it is (KIP-74).
  if (isTruncated(bytes)) throw new CorruptRecordsError("It is not whole");
  const magic = bytes.readInt8(headerPositions.magic);
  if (batchBytesOf(bytes) < (minBatchBytes[magic] ?? minBytesOfAnyBatch))
    throw new CorruptRecordsError("Its length is wrong");
  const baseOffset = readInt64At(bytes, 0);
  const lastOffset = magic === 2 ? baseOffset + bytes.readInt32BE(headerPositions.lastOffsetDelta) : baseOffset;
  const frame = { bytes: bytes.subarray(0, batchBytesOf(bytes)), baseOffset, lastOffset };
  if (!hasPlausibleOffsets(frame, bounds)) throw new CorruptRecordsError("Its offsets are wrong");
  return frame;
};

/** Where the next batch begins, by its own word. */
const nextBaseOffset = (bytes: Buffer): number => {
  if (bytes.length < minBytesOfAnyBatch) return Infinity;
  const end = batchBytesOf(bytes);
  return end >= minBytesOfAnyBatch && bytes.length >= end + 8 ? readInt64At(bytes, end) : Infinity;
};

/** The offsets of a batch that cannot be read, as far as what is left of it can be believed; too few of them rather than too many. */
const unreadableOffsetsOf = (
  bytes: Buffer,
  { fetchOffset, endOffset, nextOffset }: OffsetBounds,
): Omit<UnreadableOffsets, "reason"> => {
  const claimedOffset = bytes.length < minBytesOfAnyBatch ? nextOffset : readInt64At(bytes, 0);
  const offset = Math.max(
    fetchOffset,
    claimedOffset >= nextOffset && claimedOffset < endOffset ? claimedOffset : nextOffset,
  );
  const claimedLastOffset =
    bytes.length < minBytesOfAnyBatch ? offset : claimedOffset + bytes.readInt32BE(headerPositions.lastOffsetDelta);
  const candidates = [claimedLastOffset, nextBaseOffset(bytes) - 1].filter((end) => end >= offset && end < endOffset);
  return { offset, lastOffset: candidates.length > 0 ? Math.min(...candidates) : offset };
};

/** Nothing of it was asked for: a batch of which only the offset is broken may stand before what was. */
const isBeforeFetchOffset = (bytes: Buffer, { fetchOffset, nextOffset }: OffsetBounds): boolean => {
  const end = nextBaseOffset(bytes);
  return end > nextOffset && end <= fetchOffset && hasValidChecksum(bytes.subarray(0, batchBytesOf(bytes)));
};

const isTruncatedTail = (start: number, remaining: Buffer): boolean => start > 0 && isTruncated(remaining);

/** There is no room for more, and what was read is progress: nothing of what comes before what was asked for is. */
const isCapacityUsed = ({ fetchOffset, nextOffset }: OffsetBounds, { bytes }: ReadLimits["capacity"]): boolean =>
  bytes <= 0 && (nextOffset === 0 || nextOffset > fetchOffset);

/**
 * Reads the batches of one partition. kafkajs checks no checksums, and one batch that it cannot read fails the fetch of all
 * partitions of a broker; here it only ends what is read of its own partition.
 */
export const readBatches = async (
  bytes: Buffer,
  { fetchOffset, endOffset, capacity }: RequestedRange,
): Promise<FetchedBatches> => {
  const records: FetchedRecord[] = [];
  let bounds: OffsetBounds = { fetchOffset, endOffset, nextOffset: 0 };
  for (let start = 0; start < bytes.length;) {
    const remaining = bytes.subarray(start);
    if (isTruncatedTail(start, remaining) || isCapacityUsed(bounds, capacity)) break;
    try {
      const frame = readFrameHeader(remaining, bounds);
      // One by one: a batch may have more records than a function can take arguments.
      for (const record of await readBatchFrame(frame, { fetchOffset, capacity })) records.push(record);
      bounds = { fetchOffset, endOffset, nextOffset: frame.lastOffset + 1 };
    } catch (error) {
      if (!(error instanceof CorruptRecordsError)) throw error;
      if (!isBeforeFetchOffset(remaining, bounds))
        return stopAtUnreadable(records, bounds, { ...unreadableOffsetsOf(remaining, bounds), reason: error.message });
    }
    start += batchBytesOf(remaining);
  }
  return { records };
};

/** Of records before those that were asked for, kafkajs would move on by one offset each time. */
const stopAtUnreadable = (
  records: readonly FetchedRecord[],
  { fetchOffset }: OffsetBounds,
  unreadable: UnreadableOffsets,
): FetchedBatches => (Number(records.at(-1)?.offset ?? -1) >= fetchOffset ? { records } : { records: [], unreadable });
