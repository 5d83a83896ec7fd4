import { type Codec, mayRunSync, loadCodec, tooLargeError } from "./codec.ts";

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const magic = 0x184d2204;
const frameFlags = { blockChecksum: 0x10, contentSize: 0x08, dictionary: 0x01 };
const uncompressedFlag = 0x80000000;
/** The size of a block, by its number in the frame's header. */
const blockBytes: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };
/** One byte of a block can stand for at most this many bytes. */
const maxExpansion = 255;

const readUInt32At = (compressed: Buffer, at: number): number => {
  if (at + 4 > compressed.length) throw new Error("it ends before its last block");
  return compressed.readUInt32LE(at);
};

interface FrameHeader {
  /** The position of the first block. */
  readonly headerBytes: number;
  /** How many bytes a block may hold. */
  readonly maxBlockBytes: number;
  /** How many bytes follow a block: its checksum. */
  readonly trailerBytes: number;
}

const readFrameHeader = (compressed: Buffer): FrameHeader => {
  if (readUInt32At(compressed, 0) !== magic) throw new Error("it does not begin with the lz4 magic number");
  const [flags = 0, sizes = 0] = compressed.subarray(4, 6);
  const maxBlockBytes = blockBytes[(sizes >> 4) & 7];
  if (maxBlockBytes === undefined) throw new Error("its block size is unknown");
  const length = 7 + (flags & frameFlags.contentSize ? 8 : 0) + (flags & frameFlags.dictionary ? 4 : 0);
  return { headerBytes: length, maxBlockBytes, trailerBytes: flags & frameFlags.blockChecksum ? 4 : 0 };
};

/** The largest size that the blocks can decompress to, by their headers. The content size in the frame's header may be wrong. */
const maxBytesOf = (compressed: Buffer): number => {
  const { headerBytes, maxBlockBytes, trailerBytes } = readFrameHeader(compressed);
  let maxBytes = 0;
  let at = headerBytes;
  for (let size = readUInt32At(compressed, at); size !== 0; size = readUInt32At(compressed, at)) {
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
  decompress: async (compressed, limitBytes) => {
    if (maxBytesOf(compressed) > limitBytes) throw tooLargeError("lz4", limitBytes);
    const { decompressFrame, decompressFrameSync } = await loadLz4();
    return mayRunSync(compressed) ? decompressFrameSync(compressed) : decompressFrame(compressed);
  },
};
