import { type Codec, mayRunSync, loadCodec, tooLargeError } from "./codec.ts";

/**
 * Java producers write this magic number, two versions of 4 bytes each, and blocks, each after its length
 * (https://github.com/xerial/snappy-java#compatibility-notes). Other producers write a single block.
 */
const magic = Buffer.from("\x82SNAPPY\0", "latin1");
const headerBytes = magic.length + 8;

/** A copy of 64 bytes takes 3 bytes (https://github.com/google/snappy/blob/main/format_description.txt). */
const maxExpansion = 22;

const splitBlocks = (compressed: Buffer): Buffer[] => {
  if (!compressed.subarray(0, magic.length).equals(magic)) return [compressed];
  const blocks: Buffer[] = [];
  for (let at = headerBytes; at < compressed.length;) {
    const start = at + 4;
    const length = start <= compressed.length ? compressed.readInt32BE(at) : -1;
    if (length < 0 || start + length > compressed.length) throw new Error("a block ends beyond the batch");
    at = start + length;
    blocks.push(compressed.subarray(start, at));
  }
  return blocks;
};

/** The decompressed length at the start of a block, 7 bits a byte. Throws if the block is too short to decompress to it. */
const claimedLengthOf = (block: Buffer): number => {
  let length = 0;
  for (const [index, byte] of block.subarray(0, 5).entries()) {
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (length > block.length * maxExpansion) break;
    return length;
  }
  throw new Error("a block claims a length that it cannot have");
};

const loadSnappy = () => loadCodec("snappy", () => import("snappy"));

export const snappyCodec: Codec = {
  compress: async (raw) => {
    const { compress, compressSync } = await loadSnappy();
    return mayRunSync(raw) ? compressSync(raw) : compress(raw);
  },
  decompress: async (compressed, limitBytes) => {
    const blocks = splitBlocks(compressed);
    const bytes = blocks.reduce((sum, block) => sum + claimedLengthOf(block), 0);
    if (bytes > limitBytes) throw tooLargeError("snappy", limitBytes);
    const { uncompress, uncompressSync } = await loadSnappy();
    const uncompressBlock = async (block: Buffer): Promise<Buffer> =>
      (mayRunSync(compressed) ? uncompressSync(block) : await uncompress(block)) as Buffer;
    const [first, ...others] = await Promise.all(blocks.map((block) => uncompressBlock(block)));
    return first && others.length === 0 ? first : Buffer.concat(first ? [first, ...others] : []);
  },
};
