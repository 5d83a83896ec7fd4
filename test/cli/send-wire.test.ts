import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { createRehearsal, createWriter, wireOf } from "../../src/cli/send-wire.ts";
import { createSecret } from "../../src/config/secret.ts";
import { compileAvro } from "../../src/decoding/avro/avro.ts";
import { SchemaFileError } from "../../src/decoding/bare-avro/schema-files.ts";
import { createFakeRegistry } from "../decoding/registry/fake-registry.ts";

const schemaFile = "schemas/segment-event.avsc";
const schema = readFileSync(schemaFile, "utf8");
const decode = compileAvro(schema);
const event = { type: "track", event: "A", userId: "u1", properties: { n: 1 } };
const latest = "GET /subjects/shop-value/versions/latest";

const writerFor = (url: string, say: (line: string) => void = () => {}) =>
  createWriter({ input: { format: "registry", registry: { url }, schemaFile }, topic: "shop", say });

describe("wireOf()", () => {
  const registry = { url: "http://127.0.0.1:1" };
  it.each([
    [{ format: "json" }, "json"],
    [{ format: "avro" }, "avro"],
    [{ format: "registry", registry }, "registry"],
    [{ format: "auto" }, "json"],
    [{ format: "auto", registry }, "registry"],
  ] as const)("writes for %j as %s", (input, wire) => {
    expect(wireOf({ ...input, schemaFile })).toBe(wire);
  });
});

describe("createWriter()", () => {
  it("writes JSON", async () => {
    const encode = await createWriter({ input: { format: "auto", schemaFile }, topic: "shop", say: () => {} });
    expect(JSON.parse(encode(event).toString())).toEqual(event);
  });

  it("writes bare Avro", async () => {
    const encode = await createWriter({ input: { format: "avro", schemaFile }, topic: "shop", say: () => {} });
    expect(decode(encode(event))).toEqual(event);
  });

  it("writes by the newest schema of the topic", async () => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, version: 2, schema } } });
    const value = (await writerFor(registry.url))(event);
    expect([...value.subarray(0, 5)]).toEqual([0, 0, 0, 0, 7]);
    expect(decode(value.subarray(5))).toEqual(event);
    expect(registry.requests).toEqual([latest]);
  });

  it("registers AVRO_SCHEMA_FILE where the topic has no schema, and says so", async () => {
    await using registry = await createFakeRegistry({
      "POST /subjects/shop-value/versions": { status: 200, body: { id: 9 } },
      "PUT /config/shop-value": { status: 200, body: {} },
      "POST /subjects/shop-value": { status: 200, body: { id: 9, version: 1 } },
    });
    const said: string[] = [];
    const value = (await writerFor(registry.url, (line) => void said.push(line)))(event);
    expect(value.readUInt32BE(1)).toBe(9);
    expect(said).toEqual(["Registered the schema of AVRO_SCHEMA_FILE under shop-value, id 9"]);
  });

  it("shows the registry who it is", async () => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, schema } } });
    const access = { url: registry.url, username: "me", password: createSecret("secret") };
    await createWriter({ input: { format: "auto", registry: access, schemaFile }, topic: "shop", say: () => {} });
    expect(registry.authorizations).toEqual([`Basic ${Buffer.from("me:secret").toString("base64")}`]);
  });

  const other = { type: "record", name: "Order", namespace: "com.acme", fields: [{ name: "id", type: "long" }] };
  const older = JSON.parse(schema) as { fields: object[] };
  const fewer = { ...older, fields: older.fields.slice(0, 5) };
  it.each([
    ["of somebody else's", JSON.stringify(other), "got 'com.acme.Order', want 'gainstream.SegmentEvent'"],
    ["that lacks some of our fields", JSON.stringify(fewer), "got 'gainstream.SegmentEvent', want"],
    ["of JSON", '{"type":"object"}', "got another kind of schema"],
    ["of Protobuf", 'syntax = "proto3";', "got another kind of schema"],
  ])("does not guess where the topic has a schema %s", async (_, text, words) => {
    await using registry = await createFakeRegistry({ [latest]: { status: 200, body: { id: 7, schema: text } } });
    const error = await writerFor(registry.url).catch(String);
    expect(error).toContain("Cannot write events by the newest schema under shop-value (id 7): ");
    expect(error).toContain(words);
    expect(error).toContain("Set INPUT_FORMAT=json to send JSON");
    expect(registry.requests).toEqual([latest]);
  });

  it("says so where the registry is not there, or says no", async () => {
    await expect(writerFor("http://127.0.0.1:1")).rejects.toThrow("Cannot reach the schema registry at 127.0.0.1:1");
    await using registry = await createFakeRegistry({ [latest]: { status: 403, body: { message: "Forbidden" } } });
    await expect(writerFor(registry.url)).rejects.toThrow("got status 403: Forbidden");
  });

  it("calls a schema file that cannot be read a mistake of the configuration", async () => {
    const input = { format: "avro", schemaFile: "no-such-file.avsc" } as const;
    await expect(createWriter({ input, topic: "shop", say: () => {} })).rejects.toThrow(SchemaFileError);
    expect(() => createRehearsal(input)).toThrow(SchemaFileError);
  });

  it.each(["avro", "registry"] as const)("wants one file to write %s by, and no folder", (format) => {
    const input = { format, registry: { url: "http://127.0.0.1:1" }, schemaFile: "schemas" };
    expect(() => createRehearsal(input)).toThrow(
      "Cannot write Avro by AVRO_SCHEMA_FILE: got the folder 'schemas', want the one file",
    );
  });
});
