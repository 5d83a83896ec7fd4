import { UnreadableBatch } from "./codec-error.ts";

/** As Kafka's `compression.type` names them. */
export const codecNames = ["gzip", "snappy", "lz4", "zstd"] as const;

export type CodecName = (typeof codecNames)[number];

/** How the records of a batch are packed. What is wrong with the bytes is thrown as an Error in plain words. */
export interface Codec {
  readonly compress: (raw: Buffer) => Promise<Buffer>;
  /** Gives out `limitBytes` at most, whatever a header claims; throws `UnreadableBatch` for more. */
  readonly decompress: (packed: Buffer, limitBytes: number) => Promise<Buffer>;
}

/** A few milliseconds of work, unless it is a bomb: to hand it to another thread would take longer. */
const quickBytes = 64 * 1024;

export const isQuick = ({ length }: Buffer): boolean => length <= quickBytes;

export const tooLarge = (codec: CodecName, limitBytes: number): UnreadableBatch =>
  new UnreadableBatch({ codec, reason: "too_large", limitBytes });

/** Opens a package that is only loaded if its codec is met: it comes with a binary, which this machine may lack. */
export const load = async <T>(codec: CodecName, open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (cause) {
    throw new UnreadableBatch({ codec, reason: "codec_missing", cause });
  }
};
