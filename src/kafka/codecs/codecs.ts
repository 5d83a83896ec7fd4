import kafkajs from "kafkajs";

import { isOwnError } from "../own-errors.ts";
import { UnreadableBatch } from "./codec-error.ts";
import { type Codec, type CodecName, codecNames } from "./codec.ts";
import { lz4Codec } from "./lz4.ts";
import { snappyCodec } from "./snappy.ts";
import { gzipCodec, zstdCodec } from "./zlib.ts";

export type Compression = "none" | CodecName;

/**
 * What a batch may hold once it is decompressed. A broker takes 1 MiB compressed by default (`message.max.bytes`), and no JSON
 * shrinks to a sixty-fourth. While it is put together it takes up twice that, which is what the container's limit leaves.
 */
export const maxBatchBytes = 64 * 1024 * 1024;

const codecs: Readonly<Record<CodecName, Codec>> = {
  gzip: gzipCodec,
  snappy: snappyCodec,
  lz4: lz4Codec,
  zstd: zstdCodec,
};

const typesByName = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const satisfies Record<Compression, number>;

/** kafkajs's number for it. */
export const compressionType = (compression: Compression): number => typesByName[compression];

/**
 * What a write is tried with, one after the other until it fits: what the source took compressed must not be too large for a topic of
 * ours. gzip comes first since every broker and every reader knows it; zstd packs tighter, but only since Kafka 2.1. Some that speak
 * Kafka's protocol take no codec at all.
 */
export const compressionsFrom = (first: Compression): readonly Compression[] => [
  ...new Set<Compression>([first, "gzip", "zstd", "none"]),
];

/** Unpacks the records of a batch. Throws `UnreadableBatch` if that cannot be done. */
export const decompress = async (
  codec: CodecName,
  packed: Buffer,
  limitBytes: number = maxBatchBytes,
): Promise<Buffer> => {
  try {
    return await codecs[codec].decompress(packed, limitBytes);
  } catch (cause) {
    if (cause instanceof UnreadableBatch || isOwnError(cause)) throw cause;
    throw new UnreadableBatch({ codec, reason: "corrupt", cause });
  }
};

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
}

type KafkajsCodecs = Record<number, () => KafkajsCodec>;

/** The numbers that fit into the three bits of a batch and that Kafka has not given away. To kafkajs they are plain batches. */
const unknownTypes = [5, 6, 7];

let isRegistered = false;

/** Gives kafkajs all of Kafka's codecs. Of its own it has only gzip, which unpacks without limit. */
export const registerCodecs = (): void => {
  if (isRegistered) return;
  isRegistered = true;
  const known: KafkajsCodecs = kafkajs.CompressionCodecs;
  for (const name of codecNames) {
    const codec: KafkajsCodec = {
      compress: ({ buffer }) => codecs[name].compress(buffer),
      decompress: (packed) => decompress(name, packed),
    };
    known[compressionType(name)] = () => codec;
  }
  for (const type of unknownTypes)
    known[type] = () => {
      throw new UnreadableBatch({ codec: String(type), reason: "unknown_codec" });
    };
};
