import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { createDryRunCodec, createTopicEncoder, wireFormatOf } from "../../src/cli/send-wire.ts";
import { createSecret } from "../../src/config/secret.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { SchemaFileError } from "../../src/decoding/bare-avro/schema-files.ts";
import { createFakeRegistry } from "../decoding/registry/fake-registry.ts";

const schemaFile = "schemas/segment-event.avsc";
const schema = readFileSync(schemaFile, "utf8");
const decode = compileAvroSchema(schema);
const event = { type: "track", event: "A", userId: "u1", properties: { n: 1 } };
const latest = "GET /subjects/shop-value/versions/latest";

const encoderFor = (url: string, print: (line: string) => void = () => {}) =>
  createTopicEncoder({ input: { format: "registry", registry: { url }, schemaFile }, topic: "shop", print });

describe("wireFormatOf()", () => {
  const registry = { url: "http://127.0.0.1:1" };
  it.each([
    [{ format: "json" }, "json"],
    [{ format: "avro" }, "avro"],
    [{ format: "registry", registry }, "registry"],
    [{ format: "auto" }, "json"],
    [{ format: "auto", registry }, "registry"],
  ] as const)("writes for %j as %s", (input, wire) => {
    expect(wireFormatOf({ ...input, schemaFile })).toBe(wire);
  });
});

describe("createTopicEncoder()", () => {
  it("writes JSON", async () => {
    const encode = await createTopicEncoder({ input: { format: "auto", schemaFile }, topic: "shop", print: () => {} });
    expect(JSON.parse(encode(event).toString())).toEqual(event);
  });

  it("writes bare Avro", async () => {
    const encode = await createTopicEncoder({ input: { format: "avro", schemaFile }, topic: "shop", print: () => {} });
    expect(decode(encode(event))).toEqual(event);
  });

  it("writes with the latest schema of the topic", async () => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, version: 2, schema } } });
    const value = (await encoderFor(registry.url))(event);
    expect([...value.subarray(0, 5)]).toEqual([0, 0, 0, 0, 7]);
    expect(decode(value.subarray(5))).toEqual(event);
    expect(registry.requests).toEqual([latest]);
  });

  it("registers AVRO_SCHEMA_FILE if the topic has no schema, and says so", async () => {
    await using registry = await createFakeRegistry({
      "POST /subjects/shop-value/versions": { status: 200, body: { id: 9 } },
      "PUT /config/shop-value": { status: 200, body: {} },
      "POST /subjects/shop-value": { status: 200, body: { id: 9, version: 1 } },
    });
    const printed: string[] = [];
    const value = (await encoderFor(registry.url, (line) => void printed.push(line)))(event);
    expect(value.readUInt32BE(1)).toBe(9);
    expect(printed).toEqual(["Registered the schema of AVRO_SCHEMA_FILE under shop-value, id 9"]);
  });

  it("authenticates at the registry", async () => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, schema } } });
    const access = { url: registry.url, username: "me", password: createSecret("secret") };
    await createTopicEncoder({
      input: { format: "auto", registry: access, schemaFile },
      topic: "shop",
      print: () => {},
    });
    expect(registry.authorizations).toEqual([`Basic ${Buffer.from("me:secret").toString("base64")}`]);
  });

  const other = { type: "record", name: "Order", namespace: "com.acme", fields: [{ name: "id", type: "long" }] };
  const older = JSON.parse(schema) as { fields: object[] };
  const fewer = { ...older, fields: older.fields.slice(0, 5) };
  it.each([
    ["of another owner", JSON.stringify(other), "got 'com.acme.Order', want 'gainstream.SegmentEvent'"],
    ["that lacks some of our fields", JSON.stringify(fewer), "got 'gainstream.SegmentEvent', want"],
    ["of JSON", '{"type":"object"}', "got another kind of schema"],
    ["of Protobuf", 'syntax = "proto3";', "got another kind of schema"],
  ])("does not guess if the topic has a schema %s", async (_, text, words) => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, schema: text } } });
    const error = await encoderFor(registry.url).catch(String);
    expect(error).toContain("Cannot write events by the latest schema of shop-value (id 7): ");
    expect(error).toContain(words);
    expect(error).toContain("set INPUT_FORMAT=json to send JSON");
    expect(registry.requests).toEqual([latest]);
  });

  it("says that it cannot reach the registry, or that the registry refuses", async () => {
    await expect(encoderFor("http://127.0.0.1:1")).rejects.toThrow("Cannot reach the schema registry at 127.0.0.1:1");
    await using registry = await createFakeRegistry({ [latest]: { status: 403, body: { message: "Forbidden" } } });
    await expect(encoderFor(registry.url)).rejects.toThrow("got status 403: Forbidden");
  });

  it("reports an unreadable schema file as a mistake in the configuration", async () => {
    const input = { format: "avro", schemaFile: "no-such-file.avsc" } as const;
    await expect(createTopicEncoder({ input, topic: "shop", print: () => {} })).rejects.toThrow(SchemaFileError);
    expect(() => createDryRunCodec(input)).toThrow(SchemaFileError);
  });

  it.each(["avro", "registry"] as const)("needs one schema file to write %s, and no folder", (format) => {
    const input = { format, registry: { url: "http://127.0.0.1:1" }, schemaFile: "schemas" };
    expect(() => createDryRunCodec(input)).toThrow(
      "Cannot write Avro with AVRO_SCHEMA_FILE: got the folder 'schemas', want one schema file",
    );
  });
});
