import { describe, expect, it } from "vitest";

import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { createDecoder, type Decoder } from "../../src/decoding/decoder.ts";
import { frame } from "../../src/decoding/frame.ts";
import { createDecoderCache } from "../../src/decoding/registry/decoder-cache.ts";
import { type AvroSchema, type Value, jsonText, writeAvro } from "./avro-writer.ts";
import { normalDecoded } from "./normal.ts";
import { createFakeRegistry, type FakeReply } from "./registry/fake-registry.ts";

// One event as many producers write it. Every form is decoded to the same JSON.
const event = {
  type: "track",
  messageId: "m-1",
  userId: "u-1",
  event: "Order Completed",
  timestamp: "2026-02-25T06:13:20.123Z",
  properties: {
    plan: "pro",
    seats: 3,
    score: 1.5,
    isTrial: false,
    orderNumber: 9_007_199_254_740_993n,
    tags: ["a", "b"],
    items: [{ sku: "x-1", price: 9.5 }],
    card: { last4: "4242" },
  },
};
const normal = { ...event, properties: { ...event.properties, orderNumber: "9007199254740993" } };

type Fields = Readonly<Record<string, AvroSchema>>;

const record = (name: string, fields: Fields) => ({
  type: "record",
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
});
const nullable = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, ["null", type]]));
const map = (values: AvroSchema): AvroSchema => ({ type: "map", values });
const array = (items: AvroSchema): AvroSchema => ({ type: "array", items });

const envelope: Fields = {
  type: "string",
  messageId: "string",
  userId: "string",
  event: "string",
  timestamp: "string",
};
const items = array(record("Item", { sku: "string", price: "double" }));
const propertyFields: Fields = {
  plan: "string",
  seats: "long",
  score: "double",
  isTrial: "boolean",
  orderNumber: "long",
  tags: array("string"),
  items,
  card: map("string"),
};
const fixed = record("Properties", propertyFields);
const nullableFixed = record("Properties", nullable({ ...propertyFields, coupon: "string" }));

const scalars = ["null", "boolean", "long", "double", "string"] as const;
const unions = (depth: number): AvroSchema =>
  depth === 0 ? scalars : [...scalars, array(unions(depth - 1)), map(unions(depth - 1))];
const recursive = record("AnyValue", { value: [...scalars, array("AnyValue"), map("AnyValue")] });
const pair = { ...record("Pair", { key: ["null", "string"], value: recursive }), "connect.internal.type": "MapEntry" };
const unnamedPair = record("MapEntry", { key: ["null", "string"], value: recursive });
const connectEvent = {
  ...record("ConnectDefault", { ...envelope, properties: array(unnamedPair) }),
  namespace: "io.confluent.connect.avro",
};
const debezium = (type: string, name: string): AvroSchema => ({ type, "connect.name": `io.debezium.${name}` });

const wrapped = (value: AvroSchema) => record("Wrapper", { value });

const eventOf = (fields: Fields) => record("Event", { ...envelope, properties: fixed, ...fields });
const propertiesAs = (properties: AvroSchema): AvroSchema => eventOf({ properties });
const timestampAs = (timestamp: AvroSchema): AvroSchema => eventOf({ timestamp });
const identify = record("Identify", { type: "string", traits: "string" });
const kind = { type: "enum", name: "Kind", symbols: ["identify", "track"] };
/** A schema that Java's Avro accepts and avsc refuses. */
const javaOnly = {
  ...eventOf({
    type: { ...kind, name: "com.my-company.Outer$Kind", default: "page" },
    previousType: ["null", "com.my-company.Outer$Kind"],
  }),
  name: "Outer$Event",
  namespace: "com.my-company.2nd",
  aliases: ["old-event"],
};

const snake = <T>({ messageId, userId, ...rest }: Readonly<Record<string, T>>) => ({
  ...rest,
  ...(messageId !== undefined && { message_id: messageId }),
  ...(userId !== undefined && { user_id: userId }),
});
const snakeEnvelope = snake(envelope);

type Shape = [name: string, schema: AvroSchema, value?: Value];

const shapes: readonly Shape[] = [
  ["a fixed record", eventOf({})],
  [
    "a fixed record where everything may be null",
    record("Event", nullable({ ...envelope, properties: nullableFixed })),
  ],
  ["fields that are null", eventOf(nullable({ groupId: "string", traits: "Properties", context: map("string") }))],
  ["a map of unions with long and double", propertiesAs(map(unions(2)))],
  ["a map of unions that may be null", propertiesAs(["null", map(unions(2))])],
  ["a recursive JSON value", propertiesAs(recursive)],
  ["a map of recursive JSON values", propertiesAs(map(recursive))],
  ["JSON text", propertiesAs("string")],
  [
    "JSON text that may be null",
    record("Event", { ...envelope, properties: ["null", "string"], context: ["null", "string"] }),
  ],
  ["JSON text by its logical type", propertiesAs({ type: "string", logicalType: "json" })],
  ["JSON text as Debezium names it", propertiesAs(debezium("string", "data.Json"))],
  [
    "JSON text inside of a fixed record",
    propertiesAs(record("Properties", { ...propertyFields, card: { type: "string", logicalType: "json" } })),
  ],
  ["a map as Kafka Connect writes it when its keys may be null", propertiesAs(array(pair))],
  ["the same in a record without a name of its own", connectEvent],
  ["a record per type", [identify, propertiesAs(recursive)]],
  ["a record per type, or null", ["null", identify, propertiesAs("string")]],
  ["snake_case names", record("Event", { ...snakeEnvelope, properties: fixed }), snake(event)],
  ["snake_case names beside JSON text", record("Event", { ...snakeEnvelope, properties: "string" }), snake(event)],
  ["a timestamp in milliseconds", timestampAs({ type: "long", logicalType: "timestamp-millis" })],
  [
    "a timestamp in microseconds that may be null",
    timestampAs(["null", { type: "long", logicalType: "timestamp-micros" }]),
  ],
  ["a timestamp as Debezium names it", timestampAs(debezium("long", "time.Timestamp"))],
  ["a timestamp in microseconds as Debezium names it", timestampAs(debezium("long", "time.MicroTimestamp"))],
  ["an enum for the type", eventOf({ type: kind })],
  ["names, an alias and a default that only Java takes", javaOnly],
  ["a map at the root", map(recursive)],
  ["a map of strings at the root", map("string")],
  [
    "a map of strings at the root as Kafka Connect writes it",
    array({ ...pair, ...record("Pair", { key: "string", value: "string" }) }),
  ],
  ["JSON text in a wrapper", wrapped(propertiesAs(["null", "string"]))],
  ["a map of strings in a wrapper, where all may be null", wrapped(["null", map(["null", "string"])])],
  ["a wrapper in a wrapper", record("Outer", { value: wrapped(propertiesAs("string")) })],
  ["JSON text at the root", { type: "string", logicalType: "json" }],
];

/** A decoder that has fetched these schemas from a registry, with the ids 1, 2 and so on. */
const decoderOf = async (schemas: readonly AvroSchema[]): Promise<Decoder> => {
  const replies = schemas.map((schema, index): [string, FakeReply] => [
    `GET /schemas/ids/${index + 1}`,
    { status: 200, body: { schema: JSON.stringify(schema) } },
  ]);
  await using registry = await createFakeRegistry(Object.fromEntries(replies));
  const decoder = createDecoder({ format: "auto", decoderCache: createDecoderCache({ url: registry.url }) });
  await Promise.all(schemas.map((_schema, index) => decoder.loadSchema(index + 1)));
  return decoder;
};

describe.each<Shape>(shapes)("%s", (_name, schema, value = event) => {
  it("is decoded by the registry's schema", async () => {
    const decoder = await decoderOf([schema]);
    expect(normalDecoded(decoder.decode(frame(1, writeAvro(schema, value))))).toStrictEqual({
      kind: "event",
      event: normal,
    });
  });

  it("is decoded as bare Avro, by the schema of the file", () => {
    const decoder = createDecoder({
      format: "avro",
      bareSchemas: [{ name: "file", decode: compileAvroSchema(schema) }],
    });
    expect(normalDecoded(decoder.decode(writeAvro(schema, value)))).toStrictEqual({ kind: "event", event: normal });
  });

  it("is decoded in a list", async () => {
    const list = array(schema);
    const decoder = await decoderOf([list]);
    const decoded = normalDecoded(decoder.decode(frame(1, writeAvro(list, [value, value]))));
    expect(decoded).toStrictEqual({ kind: "events", events: [normal, normal] });
  });
});

describe("plain JSON", () => {
  const text = jsonText(event);
  it.each([
    ["as it is", text],
    ["with snake_case names", jsonText(snake(event))],
    ["over several lines", text.replaceAll(",", ",\r\n\t ")],
    ["after a byte order mark", `\uFEFF${text}`],
    [
      "with everything escaped",
      text.replaceAll(/[a-z](?=[^"]*":)/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
    ],
  ])("%s is the same event", (_name, json) => {
    const decoded = normalDecoded(createDecoder({ format: "json" }).decode(Buffer.from(json)));
    expect(decoded).toStrictEqual({ kind: "event", event: normal });
  });
});

describe("a map of strings", () => {
  const texts = { plan: "pro", seats: "3", isTrial: "false", note: '{"a":1}', coupon: null };
  it.each<[name: string, values: AvroSchema]>([
    ["that may be null", ["null", "string"]],
    ["beside other types", scalars],
  ])("%s keeps every value unchanged, and null", (_name, values) => {
    const schema = propertiesAs(map(values));
    const decoder = createDecoder({
      format: "avro",
      bareSchemas: [{ name: "file", decode: compileAvroSchema(schema) }],
    });
    const bytes = writeAvro(schema, { ...event, properties: texts });
    expect(normalDecoded(decoder.decode(bytes))).toStrictEqual({
      kind: "event",
      event: { ...normal, properties: texts },
    });
  });
});

it("unknown fields are kept", () => {
  const more = { anythingElse: "x", nested: { deep: [1, 2] } };
  const schema = eventOf({ anythingElse: "string", nested: record("Nested", { deep: array("long") }) });
  const decoder = createDecoder({ format: "avro", bareSchemas: [{ name: "file", decode: compileAvroSchema(schema) }] });
  const decoded = normalDecoded(decoder.decode(writeAvro(schema, { ...event, ...more })));
  expect(decoded).toStrictEqual({ kind: "event", event: { ...normal, ...more } });
});

it("each record is decoded by its own schema if schemas change within a partition", async () => {
  const old = eventOf({});
  const renamed = record("Event", { ...snakeEnvelope, properties: map(recursive), region: ["null", "string"] });
  const decoder = await decoderOf([old, renamed]);
  const moved = { ...snake(event), region: "emea" };
  for (let round = 0; round < 3; round++) {
    expect(normalDecoded(decoder.decode(frame(1, writeAvro(old, event))))).toStrictEqual({
      kind: "event",
      event: normal,
    });
    const decoded = normalDecoded(decoder.decode(frame(2, writeAvro(renamed, moved))));
    expect(decoded).toStrictEqual({ kind: "event", event: { ...normal, region: "emea" } });
  }
});
