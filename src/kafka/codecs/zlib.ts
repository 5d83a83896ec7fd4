import { promisify } from "node:util";
import zlib from "node:zlib";

import { type Codec, type CodecName, mayRunSync, tooLargeError } from "./codec.ts";

const [gzip, gunzip, zstdCompress] = [promisify(zlib.gzip), promisify(zlib.gunzip), promisify(zlib.zstdCompress)];

const withinLimit = async (codec: CodecName, limitBytes: number, work: () => Promise<Buffer>): Promise<Buffer> => {
  try {
    return await work();
  } catch (error) {
    // Node throws a RangeError, which would end kafkajs's consumer.
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLargeError(codec, limitBytes);
    throw error;
  }
};

export const gzipCodec: Codec = {
  compress: async (raw) => (mayRunSync(raw) ? zlib.gzipSync(raw) : gzip(raw)),
  decompress: (compressed, limitBytes) =>
    withinLimit("gzip", limitBytes, async () => {
      const options = { maxOutputLength: limitBytes };
      return mayRunSync(compressed) ? zlib.gunzipSync(compressed, options) : gunzip(compressed, options);
    }),
};

/** What Node returns with `info: true` (https://nodejs.org/api/zlib.html); its types lack it. */
interface ZstdFrame {
  readonly buffer: Buffer;
  /** `bytesWritten` is how many compressed bytes Node has read. */
  readonly engine: { readonly bytesWritten: number };
}

type ReadFrame<R> = (compressed: Buffer, options: zlib.ZstdOptions) => R;

const readFrameSync = zlib.zstdDecompressSync as unknown as ReadFrame<ZstdFrame>;
const readFrame = promisify(zlib.zstdDecompress) as unknown as ReadFrame<Promise<ZstdFrame>>;

/** Decompresses all frames: Node stops after the first, and a producer may write several. */
const readFrames = async (compressed: Buffer, limitBytes: number): Promise<Buffer> => {
  const frames: Buffer[] = [];
  let [at, bytes] = [0, 0];
  do {
    const remaining = compressed.subarray(at);
    const options = { maxOutputLength: Math.max(limitBytes - bytes, 1), info: true };
    const { buffer, engine } = mayRunSync(remaining)
      ? readFrameSync(remaining, options)
      : await readFrame(remaining, options);
    frames.push(buffer);
    at += engine.bytesWritten;
    bytes += buffer.length;
  } while (at < compressed.length);
  return frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames);
};

export const zstdCodec: Codec = {
  compress: async (raw) => (mayRunSync(raw) ? zlib.zstdCompressSync(raw) : zstdCompress(raw)),
  decompress: (compressed, limitBytes) => withinLimit("zstd", limitBytes, () => readFrames(compressed, limitBytes)),
};
