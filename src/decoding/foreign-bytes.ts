import { frameHeaderBytes } from "./frame.ts";

const wantUncompressed = "want an event; set the producer's compression.type instead of compressing values";
const wantJsonOrAvro = "want an event as JSON or Avro; set the producer's value.serializer";
const wantBareOrConfluent = "want bare Avro, or the header of a Confluent registry";
const wantUtf8 = "want JSON as UTF-8";

/** First bytes, in hexadecimal, that identify a format. */
const signatures: readonly (readonly [bytes: RegExp, sentence: string])[] = [
  [/^1f8b08/, `gzip bytes, ${wantUncompressed}`],
  [/^28b52ffd/, `zstd bytes, ${wantUncompressed}`],
  [/^(?:ff060000734e61507059|82534e4150505900)/, `snappy bytes, ${wantUncompressed}`],
  [/^(?:04224d18|4c5a34426c6f636b)/, `LZ4 bytes, ${wantUncompressed}`],
  [/^4f626a01/, "an Avro object container file, want one event, without the file's header"],
  [/^aced0005/, `a serialized Java object, ${wantJsonOrAvro}`],
  [/^(?:fffe(?:7b|5b|22)00|feff00(?:7b|5b|22)|7b002200|5b007b00)/, `UTF-16 text, ${wantUtf8}`],
  // Two bytes and the fingerprint of a schema: https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding
  [/^c301[\da-f]{16}/, `Avro's single-object encoding, ${wantBareOrConfluent}`],
  // The version, the compression and a random UUID.
  [/^030[05][\da-f]{12}4[\da-f]{3}[89ab]/, `a header of the AWS Glue registry, ${wantBareOrConfluent}`],
];

const maxSignatureBytes = 16;

/**
 * Names the format of an undecodable value by its first bytes, also behind a frame's header. The text completes "got …" and says what
 * is wanted. Undefined if the format is not certain.
 */
export function describeForeignBytes(value: Buffer): string | undefined {
  return descriptionOf(value) ?? (value[0] === 0 ? descriptionOf(value.subarray(frameHeaderBytes)) : undefined);
}

function descriptionOf(value: Buffer): string | undefined {
  const firstBytes = value.toString("hex", 0, maxSignatureBytes);
  return signatures.find(([bytes]) => bytes.test(firstBytes))?.[1];
}
