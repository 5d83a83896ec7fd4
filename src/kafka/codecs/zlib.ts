import { promisify } from "node:util";
import zlib from "node:zlib";

import { type Codec, type CodecName, isQuick, tooLarge } from "./codec.ts";

const [gzip, gunzip, zstdCompress] = [promisify(zlib.gzip), promisify(zlib.gunzip), promisify(zlib.zstdCompress)];

const bounded = async (codec: CodecName, limitBytes: number, work: () => Promise<Buffer>): Promise<Buffer> => {
  try {
    return await work();
  } catch (error) {
    // Node's own is a RangeError, which would end kafkajs's consumer.
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(codec, limitBytes);
    throw error;
  }
};

export const gzipCodec: Codec = {
  compress: async (raw) => (isQuick(raw) ? zlib.gzipSync(raw) : gzip(raw)),
  decompress: (packed, limitBytes) =>
    bounded("gzip", limitBytes, async () => {
      const options = { maxOutputLength: limitBytes };
      return isQuick(packed) ? zlib.gunzipSync(packed, options) : gunzip(packed, options);
    }),
};

/** What Node gives with `info: true`; its types do not know that. */
interface Frame {
  readonly buffer: Buffer;
  /** `bytesWritten` is how many bytes were read of what was given. */
  readonly engine: { readonly bytesWritten: number };
}

type ReadFrame<R> = (packed: Buffer, options: zlib.ZstdOptions) => R;

const readFrameSync = zlib.zstdDecompressSync as unknown as ReadFrame<Frame>;
const readFrame = promisify(zlib.zstdDecompress) as unknown as ReadFrame<Promise<Frame>>;

/** Node ends with the first frame, and a producer may have written several. */
const readFrames = async (packed: Buffer, limitBytes: number): Promise<Buffer> => {
  const frames: Buffer[] = [];
  let [at, bytes] = [0, 0];
  do {
    const rest = packed.subarray(at);
    const options = { maxOutputLength: Math.max(limitBytes - bytes, 1), info: true };
    const { buffer, engine } = isQuick(rest) ? readFrameSync(rest, options) : await readFrame(rest, options);
    frames.push(buffer);
    at += engine.bytesWritten;
    bytes += buffer.length;
  } while (at < packed.length);
  return frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames);
};

export const zstdCodec: Codec = {
  compress: async (raw) => (isQuick(raw) ? zlib.zstdCompressSync(raw) : zstdCompress(raw)),
  decompress: (packed, limitBytes) => bounded("zstd", limitBytes, () => readFrames(packed, limitBytes)),
};
