/** Behind the zero byte and the schema id of a registry. */
const FRAME_BYTES = 5;

const COMPRESSED = "want an event; set the producer's compression.type instead of compressing values";
const SERIALIZED = "want an event as JSON or Avro; set the producer's value.serializer";
const BARE = "want bare Avro, or the header of a Confluent registry";
const AS_UTF8 = "want JSON as UTF-8";

/** First bytes, in hexadecimal, that mean one thing alone. */
const marks: readonly (readonly [bytes: RegExp, sentence: string])[] = [
  [/^1f8b08/, `gzip bytes, ${COMPRESSED}`],
  [/^28b52ffd/, `zstd bytes, ${COMPRESSED}`],
  [/^(?:ff060000734e61507059|82534e4150505900)/, `snappy bytes, ${COMPRESSED}`],
  [/^(?:04224d18|4c5a34426c6f636b)/, `LZ4 bytes, ${COMPRESSED}`],
  [/^4f626a01/, "an Avro object container file, want one event, without the file's header"],
  [/^aced0005/, `a serialized Java object, ${SERIALIZED}`],
  [/^(?:fffe(?:7b|5b|22)00|feff00(?:7b|5b|22)|7b002200|5b007b00)/, `UTF-16 text, ${AS_UTF8}`],
  // Two bytes, and the fingerprint of a schema.
  [/^c301[\da-f]{16}/, `Avro's single-object encoding, ${BARE}`],
  // A version, the compression, and a random UUID.
  [/^030[05][\da-f]{12}4[\da-f]{3}[89ab]/, `a header of the AWS Glue registry, ${BARE}`],
];

const LONGEST = 16;

/** What a value is that could not be read, by its first bytes, also behind a registry's header; undefined unless that is certain. */
export function foreignBytes(value: Buffer): string | undefined {
  return named(value) ?? (value[0] === 0 ? named(value.subarray(FRAME_BYTES)) : undefined);
}

function named(value: Buffer): string | undefined {
  const start = value.toString("hex", 0, LONGEST);
  return marks.find(([bytes]) => bytes.test(start))?.[1];
}
