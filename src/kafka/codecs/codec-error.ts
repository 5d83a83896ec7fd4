/** Why the records of a batch cannot be had: broken bytes, more than we take, a number that nobody knows, a package that is not here. */
export type UnreadableReason = "corrupt" | "too_large" | "unknown_codec" | "codec_missing";

interface UnreadableBatchOptions {
  /** As `compression.type` names it; its number if nobody knows it. */
  readonly codec: string;
  readonly reason: UnreadableReason;
  /** How many bytes a batch may hold, if this one holds more. */
  readonly limitBytes?: number;
  readonly cause?: unknown;
}

const sentenceOf = ({ codec, reason, limitBytes, cause }: UnreadableBatchOptions): string => {
  const why = cause instanceof Error ? cause.message : "its bytes are corrupt";
  switch (reason) {
    case "unknown_codec":
      return `Cannot decompress a batch: its compression type is ${codec}, which Kafka does not know`;
    case "codec_missing":
      return `Cannot load the package for ${codec}: ${why}; install the optional dependencies too`;
    case "too_large":
      return `Cannot decompress a ${codec} batch: it holds more than ${limitBytes} bytes`;
    case "corrupt":
      return `Cannot decompress a ${codec} batch: ${why}`;
  }
};

/** A batch whose records cannot be had, however often it is fetched. */
export class UnreadableBatch extends Error {
  override readonly name = "UnreadableBatch";
  readonly codec: string;
  readonly reason: UnreadableReason;
  readonly limitBytes: number | undefined;

  constructor(options: UnreadableBatchOptions) {
    super(sentenceOf(options), { cause: options.cause });
    this.codec = options.codec;
    this.reason = options.reason;
    this.limitBytes = options.limitBytes;
  }
}
