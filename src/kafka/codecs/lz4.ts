import { type Codec, isQuick, load, tooLarge } from "./codec.ts";

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const magic = 0x184d2204;
const flag = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 };
const plainBlock = 0x80000000;
/** By the number in the frame's header. */
const blockBytes: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
/** A byte of length stands for so many. */
const maxExpansion = 255;

const readAt = (packed: Buffer, at: number): number => {
  if (at + 4 > packed.length) throw new Error("it ends before its last block");
  return packed.readUInt32LE(at);
};

interface Header {
  /** Where the first block begins. */
  readonly length: number;
  /** What a block may hold. */
  readonly maxBlock: number;
  /** What stands behind a block. */
  readonly trailer: number;
}

const headerOf = (packed: Buffer): Header => {
  if (readAt(packed, 0) !== magic) throw new Error("it does not begin as a frame does");
  const [flags = 0, sizes = 0] = packed.subarray(4, 6);
  const maxBlock = blockBytes[(sizes >> 4) & 7];
  if (maxBlock === undefined) throw new Error("its blocks are of no known size");
  const length = 7 + (flags & flag.contentSize ? 8 : 0) + (flags & flag.dictionary ? 4 : 0);
  return { length, maxBlock, trailer: flags & flag.blockChecksum ? 4 : 0 };
};

/** No more than this comes out, by the headers of the blocks. What the frame claims as the size of its content counts for nothing. */
const maxBytesOf = (packed: Buffer): number => {
  const { length: from, maxBlock, trailer } = headerOf(packed);
  let maxBytes = 0;
  let at = from;
  for (let size = readAt(packed, at); size !== 0; size = readAt(packed, at)) {
    const length = size % plainBlock;
    maxBytes += size >= plainBlock ? length : Math.min(maxBlock, length * maxExpansion);
    at += 4 + length + trailer;
  }
  return maxBytes;
};

const open = () => load("lz4", () => import("lz4-napi"));

export const lz4Codec: Codec = {
  compress: async (raw) => {
    const { compressFrame, compressFrameSync } = await open();
    return isQuick(raw) ? compressFrameSync(raw) : compressFrame(raw);
  },
  decompress: async (packed, limitBytes) => {
    if (maxBytesOf(packed) > limitBytes) throw tooLarge("lz4", limitBytes);
    const { decompressFrame, decompressFrameSync } = await open();
    return isQuick(packed) ? decompressFrameSync(packed) : decompressFrame(packed);
  },
};
