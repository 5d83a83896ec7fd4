/** Corrupt bytes; more bytes than the limit; a compression type that Kafka does not have; a codec whose package is not installed. */
export type UnreadableReason = "corrupt" | "too_large" | "unknown_codec" | "codec_missing";

interface UnreadableBatchOptions {
  /** The name of the codec in `compression.type`; its number if Kafka has no such codec. */
  readonly codec: string;
  readonly reason: UnreadableReason;
  /** The limit, if the batch holds more bytes. */
  readonly limitBytes?: number;
  readonly cause?: unknown;
}

const messageOf = ({ codec, reason, limitBytes, cause }: UnreadableBatchOptions): string => {
  const detail = cause instanceof Error ? cause.message : "its bytes are corrupt";
  switch (reason) {
    case "unknown_codec":
      return `Cannot decompress a batch: Kafka has no compression type ${codec}`;
    case "codec_missing":
      return `Cannot load the package for ${codec}: ${detail}; install the optional dependencies too`;
    case "too_large":
      return `Cannot decompress a ${codec} batch: it holds more than ${limitBytes} bytes`;
    case "corrupt":
      return `Cannot decompress a ${codec} batch: ${detail}`;
  }
};

/** A batch that cannot be decompressed, however often it is fetched. */
export class UnreadableBatch extends Error {
  override readonly name = "UnreadableBatch";
  readonly codec: string;
  readonly reason: UnreadableReason;
  readonly limitBytes: number | undefined;

  constructor(options: UnreadableBatchOptions) {
    super(messageOf(options), { cause: options.cause });
    this.codec = options.codec;
    this.reason = options.reason;
    this.limitBytes = options.limitBytes;
  }
}
