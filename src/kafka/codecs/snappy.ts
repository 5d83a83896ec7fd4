import { type Codec, isQuick, load, tooLarge } from "./codec.ts";

/**
 * What Java writes begins so, then with two versions of 4 bytes; blocks follow, each behind its length
 * (https://github.com/xerial/snappy-java#compatibility-notes). Other producers write one block and nothing else.
 */
const magic = Buffer.from("\x82SNAPPY\0", "latin1");
const headerBytes = magic.length + 8;

/** A copy of 64 bytes takes 3. */
const maxExpansion = 22;

const blocksOf = (packed: Buffer): Buffer[] => {
  if (!packed.subarray(0, magic.length).equals(magic)) return [packed];
  const blocks: Buffer[] = [];
  for (let at = headerBytes; at < packed.length;) {
    const from = at + 4;
    const length = from <= packed.length ? packed.readInt32BE(at) : -1;
    if (length < 0 || from + length > packed.length) throw new Error("a block ends beyond the batch");
    at = from + length;
    blocks.push(packed.subarray(from, at));
  }
  return blocks;
};

/** The length that a block begins with, 7 bits a byte; a block has to be long enough for what it claims. */
const claimOf = (block: Buffer): number => {
  let claim = 0;
  for (const [index, byte] of block.subarray(0, 5).entries()) {
    claim += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (claim > block.length * maxExpansion) break;
    return claim;
  }
  throw new Error("a block claims a length that it cannot have");
};

const open = () => load("snappy", () => import("snappy"));

export const snappyCodec: Codec = {
  compress: async (raw) => {
    const { compress, compressSync } = await open();
    return isQuick(raw) ? compressSync(raw) : compress(raw);
  },
  decompress: async (packed, limitBytes) => {
    const blocks = blocksOf(packed);
    const bytes = blocks.reduce((sum, block) => sum + claimOf(block), 0);
    if (bytes > limitBytes) throw tooLarge("snappy", limitBytes);
    const { uncompress, uncompressSync } = await open();
    const read = async (block: Buffer): Promise<Buffer> =>
      (isQuick(packed) ? uncompressSync(block) : await uncompress(block)) as Buffer;
    const [first, ...more] = await Promise.all(blocks.map((block) => read(block)));
    return first && more.length === 0 ? first : Buffer.concat(first ? [first, ...more] : []);
  },
};
