import { type BatchFrame, headerPositions, hasValidChecksum, readInt64At, readBatchFrame } from "./record-batch.ts";
import { CorruptRecordsError, type FetchedRecord, type ReadLimits } from "./records.ts";

/** Offsets of a partition that cannot be read, and why. */
export interface UnreadableOffsets {
  /** The first of them. */
  readonly offset: number;
  /** The last of them. */
  readonly lastOffset: number;
  /** A sentence, such as "Its checksum is wrong". */
  readonly reason: string;
  /** True if the records may be intact: the broker's disk has failed, and another broker can take over. They are never skipped. */
  readonly isUnskippable?: boolean;
}

/** The records that a fetch brought of one partition, up to the first batch that cannot be read and as far as the capacity allows. */
export interface FetchedBatches {
  readonly records: readonly FetchedRecord[];
  /** Set only if no record from the fetch offset on comes before it. */
  readonly unreadable?: UnreadableOffsets | undefined;
}

/** The offsets that a batch may have. */
interface OffsetBounds {
  /** The offset that was requested. */
  readonly fetchOffset: number;
  /** The end of the log. The broker reads it before the records, so records may lie beyond it. */
  readonly endOffset: number;
  /** The offset after the previous batch. */
  readonly nextOffset: number;
}

type RequestedRange = Pick<OffsetBounds, "fetchOffset" | "endOffset"> & Pick<ReadLimits, "capacity">;

/** A batch's length field counts the bytes from this position on. */
const lengthFieldEnd = 12;
const minBatchBytes: Readonly<Record<number, number>> = { 0: 26, 1: 34, 2: 61 };
const minBytesOfAnyBatch = 26;

const batchBytesOf = (bytes: Buffer): number => lengthFieldEnd + bytes.readInt32BE(headerPositions.length);

/** Whether the answer ends inside the batch: a broker cuts off the last batch if the answer is full. */
const isTruncated = (bytes: Buffer): boolean => bytes.length < minBytesOfAnyBatch || bytes.length < batchBytesOf(bytes);

/** Whether the batch has all its records. New batches have; compaction leaves gaps only in older ones. */
const isGapless = ({ bytes, baseOffset, lastOffset }: BatchFrame): boolean =>
  bytes.readInt8(headerPositions.magic) !== 2 ||
  bytes.readInt32BE(headerPositions.count) === lastOffset - baseOffset + 1;

const hasPlausibleOffsets = (frame: BatchFrame, { fetchOffset, endOffset, nextOffset }: OffsetBounds): boolean => {
  const { baseOffset, lastOffset } = frame;
  if (baseOffset < nextOffset || lastOffset < baseOffset) return false;
  return lastOffset < endOffset || (baseOffset <= Math.max(fetchOffset, nextOffset) && isGapless(frame));
};

const readFrameHeader = (bytes: Buffer, bounds: OffsetBounds): BatchFrame => {
  // A broker sends the first batch of a partition whole, however large it is (KIP-74).
  if (isTruncated(bytes)) throw new CorruptRecordsError("It is incomplete");
  const magic = bytes.readInt8(headerPositions.magic);
  if (batchBytesOf(bytes) < (minBatchBytes[magic] ?? minBytesOfAnyBatch))
    throw new CorruptRecordsError("Its length is wrong");
  const baseOffset = readInt64At(bytes, 0);
  const lastOffset = magic === 2 ? baseOffset + bytes.readInt32BE(headerPositions.lastOffsetDelta) : baseOffset;
  const frame = { bytes: bytes.subarray(0, batchBytesOf(bytes)), baseOffset, lastOffset };
  if (!hasPlausibleOffsets(frame, bounds)) throw new CorruptRecordsError("Its offsets are wrong");
  return frame;
};

/** The base offset in the header of the next batch; Infinity if the bytes hold none. */
const nextBaseOffset = (bytes: Buffer): number => {
  if (bytes.length < minBytesOfAnyBatch) return Infinity;
  const end = batchBytesOf(bytes);
  return end >= minBytesOfAnyBatch && bytes.length >= end + 8 ? readInt64At(bytes, end) : Infinity;
};

/** The offsets of a batch that cannot be read. Its header may be wrong too; in doubt the result has too few offsets, not too many. */
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

/** Whether the whole batch lies before the fetch offset. A batch may come first of which only the offset is wrong. */
const isBeforeFetchOffset = (bytes: Buffer, { fetchOffset, nextOffset }: OffsetBounds): boolean => {
  const end = nextBaseOffset(bytes);
  return end > nextOffset && end <= fetchOffset && hasValidChecksum(bytes.subarray(0, batchBytesOf(bytes)));
};

const isTruncatedTail = (start: number, remaining: Buffer): boolean => start > 0 && isTruncated(remaining);

/** Whether to stop reading: the capacity is used up, and at least one record from the fetch offset on was read. */
const isCapacityUsed = ({ fetchOffset, nextOffset }: OffsetBounds, { bytes }: ReadLimits["capacity"]): boolean =>
  bytes <= 0 && (nextOffset === 0 || nextOffset > fetchOffset);

/**
 * Reads the batches of one partition, up to the first that cannot be read. kafkajs checks no checksums, and a batch that it cannot read
 * fails the fetch of all partitions of a broker.
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
      // Not push(...records): a batch may hold more records than a call can have arguments.
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

/** Without the records before the fetch offset: with those alone kafkajs would move on by one offset per fetch. */
const stopAtUnreadable = (
  records: readonly FetchedRecord[],
  { fetchOffset }: OffsetBounds,
  unreadable: UnreadableOffsets,
): FetchedBatches => (Number(records.at(-1)?.offset ?? -1) >= fetchOffset ? { records } : { records: [], unreadable });
