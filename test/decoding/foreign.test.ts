import { gzipSync, zstdCompressSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { frame } from "../../local/events.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { createDecoder } from "../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../src/decoding/events.ts";

const schema = { type: "record", name: "Event", fields: [{ name: "type", type: "string" }] };
const decoderCache = {
  peek: (id: number) => [compileAvroSchema(schema), decodeJsonEvents][id],
  load: () => Promise.resolve({ kind: "unknown" } as const),
};
const [auto, json, registry, bare] = (["auto", "json", "registry", "avro"] as const).map((format) =>
  createDecoder({ format, decoderCache, bareSchemas: [{ name: "schema", decode: compileAvroSchema(schema) }] }),
);
const event = { type: "track", userId: "u1", event: "Opened" };
const eventBytes = Buffer.from(JSON.stringify(event));

describe("the error names another system's envelope", () => {
  const row = { id: 1, email: "ada@example.com" };
  const change = { before: null, after: row, op: "c", source: { db: "crm" }, ts_ms: 1 };

  it.each<[value: object, name: string]>([
    [change, "a Debezium change event"],
    [{ before: row, op: "d", source: {} }, "a Debezium change event"],
    [{ schema: { type: "struct", fields: [] }, payload: change }, "a Debezium change event"],
    [{ specversion: "1.0", id: "1", data: { schema: null, payload: change } }, "a Debezium change event"],
    [[change], "a Debezium change event"],
    [{ op: "t", source: { connector: "postgresql" } }, "a Debezium change event"],
    [{ database: "crm", table: "users", type: "insert", ts: 1, xid: 2, data: row }, "a Maxwell change event"],
    [{ database: "crm", table: "users", type: "delete", ts: 1, data: row }, "a Maxwell change event"],
    [{ version: "0", "detail-type": "Order", source: "shop", detail: row }, "an Amazon EventBridge event"],
    [{ Type: "Notification", TopicArn: "arn:aws:sns:x", Message: "{}" }, "an Amazon SNS notification"],
    [{ Records: [{ eventSource: "aws:sqs", body: "{}" }] }, "the `Records` of an AWS service"],
    [{ Records: [{ EventSource: "aws:sns", Sns: {} }] }, "the `Records` of an AWS service"],
    [{ schema: "iglu:com.example/order/jsonschema/1-0-0", data: row }, "a self-describing JSON of Snowplow's"],
    [{ "@timestamp": "2026-01-31T12:00:00Z", "@version": "1", message: "{}" }, "a line of Logstash's or Beats'"],
    [{ records: [{ key: "u", value: row }] }, "a request of Kafka's REST proxy"],
  ])("%j", (value, name) => {
    const decoded = json?.decode(Buffer.from(JSON.stringify(value)));
    expect(decoded).toEqual({
      kind: "undecodable",
      error: expect.stringMatching(`^Cannot read an event: got ${name}, want`) as string,
    });
    expect(JSON.stringify(decoded)).not.toContain("ada@");
  });

  it.each<[name: string, event: object]>([
    ["an event with such properties", { ...event, ...change }],
    [
      "one whose kind is in capitals",
      { ...event, ...change, type: "TRACK", table: "users", database: "crm", ts: 1, data: row },
    ],
    ["one of a kind that is skipped", { type: "merge", op: "c", source: "crm", detail: row, "detail-type": "t" }],
    ...["TRACK", "audiencelist", "", 5, true, {}, ["track"]].map((type): [string, object] => [
      `one of the type ${JSON.stringify(type)} with whatever properties`,
      {
        ...change,
        type,
        schema: null,
        payload: row,
        data: row,
        batch: [event],
        detail: row,
        "detail-type": "t",
        Records: [{ eventSource: "aws:s3" }],
        records: [{ value: row }],
        "@timestamp": "2026-01-31",
        message: "m",
      },
    ]),
    ["one whose type is missing", { op: "c", userId: "u" }],
    ["one with a table and a database", { type: "record", database: "crm", table: "users" }],
    ["records of its own", { records: [], Records: [row] }],
    ["a message of its own", { message: "hello", subscription: "gold", schema: "v1", data: row }],
  ])("%s is not named", (_name, value) => {
    expect(json?.decode(Buffer.from(JSON.stringify(value)))).toEqual({ kind: "event", event: value });
  });
});

describe("the error names another format by its first bytes", () => {
  const hex = (text: string): Buffer => Buffer.concat([Buffer.from(text, "hex"), Buffer.alloc(20, 0x41)]);
  const container = Buffer.concat([Buffer.from("Obj\u0001"), Buffer.alloc(40)]);
  const formats: readonly (readonly [name: string, value: Buffer])[] = [
    ["gzip bytes", gzipSync(eventBytes)],
    ["zstd bytes", zstdCompressSync(eventBytes)],
    ["snappy bytes", hex("ff060000734e61507059")],
    ["snappy bytes", hex("82534e4150505900")],
    ["LZ4 bytes", hex("04224d18")],
    ["LZ4 bytes", Buffer.from("LZ4Block and more")],
    ["an Avro object container file", container],
    ["a serialized Java object", hex("aced0005")],
    ["UTF-16 text", Buffer.from(`\uFEFF${JSON.stringify(event)}`, "utf16le")],
    ["UTF-16 text", Buffer.from(JSON.stringify(event), "utf16le")],
    ["Avro's single-object encoding", hex("c301")],
    ["a header of the AWS Glue registry", hex("03003f2504e04f8941d39a0c0305e82c3301")],
  ];

  it.each(formats)("%s: %#", (name, value) => {
    const named = {
      kind: "undecodable",
      error: expect.stringMatching(`^Cannot read the record: got ${name}, want`) as string,
    };
    for (const decoder of [auto, json, registry, bare]) expect(decoder?.decode(value)).toEqual(named);
    for (const id of [0, 1]) expect(auto?.decode(frame(id, value))).toEqual(named);
  });

  it.each(formats)("bare Avro that begins like %s is decoded: %#", (_name, value) => {
    const note = { type: "fixed", name: "Note", size: value.length };
    const fileSchema = { type: "record", name: "Event", fields: [{ name: "note", type: note }] };
    const decoded = createDecoder({
      format: "avro",
      bareSchemas: [{ name: "schema", decode: compileAvroSchema(fileSchema) }],
    }).decode(value);
    expect(decoded).toEqual({ kind: "event", event: { note: value.toString("base64") } });
  });

  it("other bytes are not named", () => {
    expect(auto?.decode(Buffer.from("nonsense"))).toEqual({
      kind: "undecodable",
      error: expect.not.stringContaining("got gzip") as string,
    });
    expect(json?.decode(Buffer.from("4f626a02", "hex"))).toMatchObject({
      error: expect.stringContaining("Cannot read JSON") as string,
    });
  });
});
