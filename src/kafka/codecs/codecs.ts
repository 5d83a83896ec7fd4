import kafkajs from "kafkajs";

import { isProgrammingError } from "../own-errors.ts";
import { UnreadableBatch } from "./codec-error.ts";
import { type Codec, type CodecName, codecNames } from "./codec.ts";
import { lz4Codec } from "./lz4.ts";
import { snappyCodec } from "./snappy.ts";
import { gzipCodec, zstdCodec } from "./zlib.ts";

export type Compression = "none" | CodecName;

/**
 * How many bytes a batch may hold after decompression. By default a broker accepts 1 MiB compressed (`message.max.bytes`), and JSON does
 * not compress to a sixty-fourth. Decompression needs twice the size for a moment, which the container's memory limit allows.
 */
export const maxBatchBytes = 64 * 1024 * 1024;

const codecs: Readonly<Record<CodecName, Codec>> = {
  gzip: gzipCodec,
  snappy: snappyCodec,
  lz4: lz4Codec,
  zstd: zstdCodec,
};

const compressionTypes = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const satisfies Record<
  Compression,
  number
>;

/** The number of a codec in a batch's attributes (https://kafka.apache.org/documentation/#recordbatch), which kafkajs uses too. */
export const compressionType = (compression: Compression): number => compressionTypes[compression];

/** The codec with this number; undefined if Kafka has none. */
export const codecOfType = (type: number): CodecName | undefined =>
  codecNames.find((name) => compressionTypes[name] === type);

/**
 * The codecs to try a write with, one after the other, until the topic accepts it: a record that its source accepted compressed may be
 * too large uncompressed. gzip comes before zstd since every broker and reader knows it; zstd compresses better, but needs Kafka 2.1.
 * Some servers of Kafka's protocol accept no codec.
 */
export const compressionFallbacks = (first: Compression): readonly Compression[] => [
  ...new Set<Compression>([first, "gzip", "zstd", "none"]),
];

/** Decompresses the records of a batch. Throws `UnreadableBatch` if they cannot be decompressed. */
export const decompress = async (
  codec: CodecName,
  compressed: Buffer,
  limitBytes: number = maxBatchBytes,
): Promise<Buffer> => {
  try {
    return await codecs[codec].decompress(compressed, limitBytes);
  } catch (cause) {
    if (cause instanceof UnreadableBatch || isProgrammingError(cause)) throw cause;
    throw new UnreadableBatch({ codec, reason: "corrupt", cause });
  }
};

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(compressed: Buffer): Promise<Buffer>;
}

type KafkajsCodecs = Record<number, () => KafkajsCodec>;

/** The numbers that fit into the three bits of a batch and that no codec has. kafkajs takes such a batch for an uncompressed one. */
const unassignedTypes = [5, 6, 7];

let isRegistered = false;

/** Registers all of Kafka's codecs with kafkajs, which has only gzip itself, and decompresses it without limit. */
export const registerCodecs = (): void => {
  if (isRegistered) return;
  isRegistered = true;
  const registered: KafkajsCodecs = kafkajs.CompressionCodecs;
  for (const name of codecNames) {
    const codec: KafkajsCodec = {
      compress: ({ buffer }) => codecs[name].compress(buffer),
      decompress: (compressed) => decompress(name, compressed),
    };
    registered[compressionType(name)] = () => codec;
  }
  for (const type of unassignedTypes)
    registered[type] = () => {
      throw new UnreadableBatch({ codec: String(type), reason: "unknown_codec" });
    };
};
