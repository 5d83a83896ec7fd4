import { type Codec, mayRunSync, loadCodec, tooLargeError } from "./codec.ts";

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const magic = 0x184d2204;
const frameFlags = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 };
const uncompressedFlag = 0x80000000;
/** By the number in the frame's header. */
const blockBytes: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
/** A byte of length stands for so many. */
const maxExpansion = 255;

const readUInt32At = (packed: Buffer, at: number): number => {
  if (at + 4 > packed.length) throw new Error("it ends before its last block");
  return packed.readUInt32LE(at);
};

interface FrameHeader {
  /** Where the first block begins. */
  readonly headerBytes: number;
  /** What a block may hold. */
  readonly maxBlockBytes: number;
  /** What stands behind a block. */
  readonly trailerBytes: number;
}

const readFrameHeader = (packed: Buffer): FrameHeader => {
  if (readUInt32At(packed, 0) !== magic) throw new Error("it does not begin as a frame does");
  const [flags = 0, sizes = 0] = packed.subarray(4, 6);
  const maxBlockBytes = blockBytes[(sizes >> 4) & 7];
  if (maxBlockBytes === undefined) throw new Error("its blocks are of no known size");
  const length = 7 + (flags & frameFlags.contentSize ? 8 : 0) + (flags & frameFlags.dictionary ? 4 : 0);
  return { headerBytes: length, maxBlockBytes, trailerBytes: flags & frameFlags.blockChecksum ? 4 : 0 };
};

/** No more than this comes out, by the headers of the blocks. What the frame claims as the size of its content counts for nothing. */
const maxBytesOf = (packed: Buffer): number => {
  const { headerBytes: from, maxBlockBytes, trailerBytes } = readFrameHeader(packed);
  let maxBytes = 0;
  let at = from;
  for (let size = readUInt32At(packed, at); size !== 0; size = readUInt32At(packed, at)) {
    const length = size % uncompressedFlag;
    maxBytes += size >= uncompressedFlag ? length : Math.min(maxBlockBytes, length * maxExpansion);
    at += 4 + length + trailerBytes;
  }
  return maxBytes;
};

const loadLz4 = () => loadCodec("lz4", () => import("lz4-napi"));

export const lz4Codec: Codec = {
  compress: async (raw) => {
    const { compressFrame, compressFrameSync } = await loadLz4();
    return mayRunSync(raw) ? compressFrameSync(raw) : compressFrame(raw);
  },
  decompress: async (packed, limitBytes) => {
    if (maxBytesOf(packed) > limitBytes) throw tooLargeError("lz4", limitBytes);
    const { decompressFrame, decompressFrameSync } = await loadLz4();
    return mayRunSync(packed) ? decompressFrameSync(packed) : decompressFrame(packed);
  },
};
