import { type Codec, mayRunSync, loadCodec, tooLargeError } from "./codec.ts";

/**
 * What Java writes begins so, then with two versions of 4 bytes; blocks follow, each behind its length
 * (https://github.com/xerial/snappy-java#compatibility-notes). Other producers write one block and nothing else.
 */
const magic = Buffer.from("\x82SNAPPY\0", "latin1");
const headerBytes = magic.length + 8;

/** A copy of 64 bytes takes 3. */
const maxExpansion = 22;

const splitBlocks = (packed: Buffer): Buffer[] => {
  if (!packed.subarray(0, magic.length).equals(magic)) return [packed];
  const blocks: Buffer[] = [];
  for (let at = headerBytes; at < packed.length;) {
    const start = at + 4;
    const length = start <= packed.length ? packed.readInt32BE(at) : -1;
    if (length < 0 || start + length > packed.length) throw new Error("a block ends beyond the batch");
    at = start + length;
    blocks.push(packed.subarray(start, at));
  }
  return blocks;
};

/** The length that a block begins with, 7 bits a byte; a block has to be long enough for what it claims. */
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
  decompress: async (packed, limitBytes) => {
    const blocks = splitBlocks(packed);
    const bytes = blocks.reduce((sum, block) => sum + claimedLengthOf(block), 0);
    if (bytes > limitBytes) throw tooLargeError("snappy", limitBytes);
    const { uncompress, uncompressSync } = await loadSnappy();
    const uncompressBlock = async (block: Buffer): Promise<Buffer> =>
      (mayRunSync(packed) ? uncompressSync(block) : await uncompress(block)) as Buffer;
    const [first, ...others] = await Promise.all(blocks.map((block) => uncompressBlock(block)));
    return first && others.length === 0 ? first : Buffer.concat(first ? [first, ...others] : []);
  },
};
