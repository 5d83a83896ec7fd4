/** Behind the zero byte and the schema id of a registry. */
const FRAME_HEADER_BYTES = 5;

const WANT_UNCOMPRESSED = "want an event; set the producer's compression.type instead of compressing values";
const WANT_JSON_OR_AVRO = "want an event as JSON or Avro; set the producer's value.serializer";
const WANT_BARE_OR_CONFLUENT = "want bare Avro, or the header of a Confluent registry";
const WANT_UTF8 = "want JSON as UTF-8";

/** First bytes, in hexadecimal, that mean one thing alone. */
const signatures: readonly (readonly [bytes: RegExp, sentence: string])[] = [
  [/^1f8b08/, `gzip bytes, ${WANT_UNCOMPRESSED}`],
  [/^28b52ffd/, `zstd bytes, ${WANT_UNCOMPRESSED}`],
  [/^(?:ff060000734e61507059|82534e4150505900)/, `snappy bytes, ${WANT_UNCOMPRESSED}`],
  [/^(?:04224d18|4c5a34426c6f636b)/, `LZ4 bytes, ${WANT_UNCOMPRESSED}`],
  [/^4f626a01/, "an Avro object container file, want one event, without the file's header"],
  [/^aced0005/, `a serialized Java object, ${WANT_JSON_OR_AVRO}`],
  [/^(?:fffe(?:7b|5b|22)00|feff00(?:7b|5b|22)|7b002200|5b007b00)/, `UTF-16 text, ${WANT_UTF8}`],
  // Two bytes, and the fingerprint of a schema.
  [/^c301[\da-f]{16}/, `Avro's single-object encoding, ${WANT_BARE_OR_CONFLUENT}`],
  // A version, the compression, and a random UUID.
  [/^030[05][\da-f]{12}4[\da-f]{3}[89ab]/, `a header of the AWS Glue registry, ${WANT_BARE_OR_CONFLUENT}`],
];

const MAX_SIGNATURE_BYTES = 16;

/** What a value is that could not be read, by its first bytes, also behind a registry's header; undefined unless that is certain. */
export function describeForeignBytes(value: Buffer): string | undefined {
  return descriptionOf(value) ?? (value[0] === 0 ? descriptionOf(value.subarray(FRAME_HEADER_BYTES)) : undefined);
}

function descriptionOf(value: Buffer): string | undefined {
  const firstBytes = value.toString("hex", 0, MAX_SIGNATURE_BYTES);
  return signatures.find(([bytes]) => bytes.test(firstBytes))?.[1];
}
