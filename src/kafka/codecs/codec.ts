import { UnreadableBatch } from "./codec-error.ts";

/** The names of the codecs in Kafka's `compression.type`. */
export const codecNames = ["gzip", "snappy", "lz4", "zstd"] as const;

export type CodecName = (typeof codecNames)[number];

/** Compresses the records of a batch. If the bytes are corrupt, `decompress` throws an Error whose message says what is wrong. */
export interface Codec {
  readonly compress: (raw: Buffer) => Promise<Buffer>;
  /** Returns at most `limitBytes`, whatever size a header claims. Throws `UnreadableBatch` if the records are larger. */
  readonly decompress: (compressed: Buffer, limitBytes: number) => Promise<Buffer>;
}

/** So few bytes take a few milliseconds, unless they are a decompression bomb. Another thread would take longer. */
const maxSyncBytes = 64 * 1024;

export const mayRunSync = ({ length }: Buffer): boolean => length <= maxSyncBytes;

export const tooLargeError = (codec: CodecName, limitBytes: number): UnreadableBatch =>
  new UnreadableBatch({ codec, reason: "too_large", limitBytes });

/** Loads a codec's package at its first use: the package has a native binary, which this machine may lack. */
export const loadCodec = async <T>(codec: CodecName, importPackage: () => Promise<T>): Promise<T> => {
  try {
    return await importPackage();
  } catch (cause) {
    throw new UnreadableBatch({ codec, reason: "codec_missing", cause });
  }
};
