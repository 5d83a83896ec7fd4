import { type Frame, at, isIntact, longAt, readFrame } from "./record-batch.ts";
import { BrokenRecords, type FetchedRecord, type Window } from "./records.ts";

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
interface Limits {
  /** The first offset that was asked for. */
  readonly from: number;
  /** The end of the log. The broker takes it down before it reads, so that more may have come. */
  readonly high: number;
  /** Behind the batch before. */
  readonly next: number;
}

type Asked = Pick<Limits, "from" | "high"> & Pick<Window, "room">;

/** From a batch's first byte to where its length counts from. */
const beforeLength = 12;
const smallest: Readonly<Record<number, number>> = { 0: 26, 1: 34, 2: 61 };
const smallestOfAll = 26;

const sizeOf = (bytes: Buffer): number => beforeLength + bytes.readInt32BE(at.length);

/** The answer ends in the middle of it, because it has become large enough. */
const isCut = (bytes: Buffer): boolean => bytes.length < smallestOfAll || bytes.length < sizeOf(bytes);

/** Compaction has left no gap in it, as in every batch that has just come. */
const isFull = ({ bytes, baseOffset, lastOffset }: Frame): boolean =>
  bytes.readInt8(at.magic) !== 2 || bytes.readInt32BE(at.count) === lastOffset - baseOffset + 1;

const isPlausible = (frame: Frame, { from, high, next }: Limits): boolean => {
  const { baseOffset, lastOffset } = frame;
  if (baseOffset < next || lastOffset < baseOffset) return false;
  return lastOffset < high || (baseOffset <= Math.max(from, next) && isFull(frame));
};

const frameOf = (bytes: Buffer, limits: Limits): Frame => {
  // Kafka sends the first batch of a partition whole, however large it is (KIP-74).
  if (isCut(bytes)) throw new BrokenRecords("It is not whole");
  const magic = bytes.readInt8(at.magic);
  if (sizeOf(bytes) < (smallest[magic] ?? smallestOfAll)) throw new BrokenRecords("Its length is wrong");
  const baseOffset = longAt(bytes, 0);
  const lastOffset = magic === 2 ? baseOffset + bytes.readInt32BE(at.lastOffsetDelta) : baseOffset;
  const frame = { bytes: bytes.subarray(0, sizeOf(bytes)), baseOffset, lastOffset };
  if (!isPlausible(frame, limits)) throw new BrokenRecords("Its offsets are wrong");
  return frame;
};

/** Where the next batch begins, by its own word. */
const following = (bytes: Buffer): number => {
  if (bytes.length < smallestOfAll) return Infinity;
  const end = sizeOf(bytes);
  return end >= smallestOfAll && bytes.length >= end + 8 ? longAt(bytes, end) : Infinity;
};

/** The offsets of a batch that cannot be read, as far as what is left of it can be believed; too few of them rather than too many. */
const extentOf = (bytes: Buffer, { from, high, next }: Limits): Omit<UnreadableOffsets, "reason"> => {
  const claimed = bytes.length < smallestOfAll ? next : longAt(bytes, 0);
  const offset = Math.max(from, claimed >= next && claimed < high ? claimed : next);
  const last = bytes.length < smallestOfAll ? offset : claimed + bytes.readInt32BE(at.lastOffsetDelta);
  const ends = [last, following(bytes) - 1].filter((end) => end >= offset && end < high);
  return { offset, lastOffset: ends.length > 0 ? Math.min(...ends) : offset };
};

/** Nothing of it was asked for: a batch of which only the offset is broken may stand before what was. */
const isBefore = (bytes: Buffer, { from, next }: Limits): boolean => {
  const end = following(bytes);
  return end > next && end <= from && isIntact(bytes.subarray(0, sizeOf(bytes)));
};

const isCutBehind = (start: number, rest: Buffer): boolean => start > 0 && isCut(rest);

/** There is no room for more, and what was read is progress: nothing of what comes before what was asked for is. */
const isOver = ({ from, next }: Limits, { bytes }: Window["room"]): boolean =>
  bytes <= 0 && (next === 0 || next > from);

/**
 * Reads the batches of one partition. kafkajs checks no checksums, and one batch that it cannot read fails the fetch of all
 * partitions of a broker; here it only ends what is read of its own partition.
 */
export const readBatches = async (bytes: Buffer, { from, high, room }: Asked): Promise<FetchedBatches> => {
  const records: FetchedRecord[] = [];
  let limits: Limits = { from, high, next: 0 };
  for (let start = 0; start < bytes.length;) {
    const rest = bytes.subarray(start);
    if (isCutBehind(start, rest) || isOver(limits, room)) break;
    try {
      const frame = frameOf(rest, limits);
      // One by one: a batch may have more records than a function can take arguments.
      for (const record of await readFrame(frame, { from, room })) records.push(record);
      limits = { from, high, next: frame.lastOffset + 1 };
    } catch (error) {
      if (!(error instanceof BrokenRecords)) throw error;
      if (!isBefore(rest, limits)) return upTo(records, limits, { ...extentOf(rest, limits), reason: error.message });
    }
    start += sizeOf(rest);
  }
  return { records };
};

/** Of records before those that were asked for, kafkajs would move on by one offset each time. */
const upTo = (records: readonly FetchedRecord[], { from }: Limits, unreadable: UnreadableOffsets): FetchedBatches =>
  Number(records.at(-1)?.offset ?? -1) >= from ? { records } : { records: [], unreadable };
