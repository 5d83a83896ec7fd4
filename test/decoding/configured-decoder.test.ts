import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { SchemaFileError, readSchemaFiles } from "../../src/decoding/bare-avro/schema-files.ts";
import { createConfiguredDecoder } from "../../src/decoding/configured-decoder.ts";
import { type AvroSchema, writeAvro } from "./avro-writer.ts";

const root = mkdtempSync(join(tmpdir(), "gainstream-input-"));

afterAll(() => rmSync(root, { recursive: true }));

const fileWith = (text: string): string => {
  const path = join(root, "schema.avsc");
  writeFileSync(path, text);
  return path;
};

/** A temporary folder with these files, by their paths in it. */
const folderWith = (files: Readonly<Record<string, unknown>>): string => {
  const folder = mkdtempSync(join(root, "folder-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
};

const record = (name: string, ...fields: readonly (readonly [string, AvroSchema])[]) => ({
  type: "record",
  name,
  fields: fields.map(([field, type]) => ({ name: field, type })),
});
const track = record("Track", ["type", "string"], ["userId", "string"], ["event", "string"]);
const identify = record("Identify", ["type", "string"], ["userId", "string"], ["age", "double"]);

const namesIn = (folder: string): readonly string[] => readSchemaFiles(folder).map(({ name }) => name);

it.each([
  ["no JSON", "{"],
  ["no Avro schema", `{ "type": "recordd" }`],
])("names the variable and the file if the schema file holds %s", (_, text) => {
  const schemaFile = fileWith(text);
  const create = (): unknown => createConfiguredDecoder({ format: "auto", schemaFile });
  expect(create).toThrow(SchemaFileError);
  expect(create).toThrow(`Cannot use AVRO_SCHEMA_FILE: got '${schemaFile}'`);
});

it("accepts a schema file with a byte order mark", () => {
  const decoder = createConfiguredDecoder({ format: "auto", schemaFile: fileWith(`\uFEFF${JSON.stringify(track)}`) });
  const event = { type: "track", userId: "u1", event: "Paid" };
  expect(decoder.decode(writeAvro(track, event))).toEqual({ kind: "event", event });
});

it("does not read the schema file if the format needs none", () => {
  const decoder = createConfiguredDecoder({ format: "json", schemaFile: "/nowhere" });
  expect(decoder.decode(Buffer.from(`{"type":"track"}`))).toEqual({ kind: "event", event: { type: "track" } });
});

describe("a folder as AVRO_SCHEMA_FILE", () => {
  it.each(["avro", "auto"] as const)("decodes records of each schema with INPUT_FORMAT=%s", (format) => {
    const decoder = createConfiguredDecoder({
      format,
      schemaFile: folderWith({ "a.avsc": track, "b.avsc": identify }),
    });
    const events = [
      { type: "track", userId: "u1", event: "Paid" },
      { type: "identify", userId: "u1", age: 40 },
    ];
    const values = [writeAvro(track, events[0]), writeAvro(identify, events[1])];
    expect(values.map((value) => decoder.decode(value))).toEqual(events.map((event) => ({ kind: "event", event })));
  });

  it("reads its *.avsc in order, and no other files, folders or hidden files", () => {
    const folder = folderWith({
      "b.avsc": track,
      "a.avsc": identify,
      "README.md": "# none",
      "a.json": "{",
      ".a.avsc": "{",
      "old/c.avsc": "{",
      "sub.avsc/d.avsc": "{",
    });
    expect(namesIn(folder)).toEqual(["a.avsc", "b.avsc"]);
  });

  it("reads a file that Kubernetes mounts from a ConfigMap once", () => {
    const folder = folderWith({ "..2026_01_31/a.avsc": track, "..2026_01_31/b.avsc": identify });
    symlinkSync("..2026_01_31", join(folder, "..data"));
    for (const name of ["a.avsc", "b.avsc"]) symlinkSync(join("..data", name), join(folder, name));
    expect(namesIn(folder)).toEqual(["a.avsc", "b.avsc"]);
  });

  it("reads a file with two names once", () => {
    const folder = folderWith({ "v1.avsc": track });
    symlinkSync("v1.avsc", join(folder, "latest.avsc"));
    expect(namesIn(folder)).toEqual(["latest.avsc"]);
  });

  it("accepts two versions of one record", () => {
    const next = { ...track, fields: [...track.fields, { name: "plan", type: "string" }] };
    const decoder = createConfiguredDecoder({
      format: "avro",
      schemaFile: folderWith({ "v1.avsc": track, "v2.avsc": next }),
    });
    const event = { type: "track", userId: "u1", event: "Paid", plan: "pro" };
    expect(decoder.decode(writeAvro(next, event))).toEqual({ kind: "event", event });
  });

  it.each<[fault: string, file: string, content: unknown]>([
    ["no JSON", "b.avsc", "{"],
    ["no Avro schema", "b.avsc", { type: "recordd" }],
    ["nothing", "b.avsc", ""],
    ["a name that none defines", "b.avsc", record("B", ["at", "com.acme.Address"])],
  ])("names the file that holds %s", (_, file, content) => {
    const schemaFile = folderWith({ "a.avsc": track, [file]: content });
    const create = (): unknown => createConfiguredDecoder({ format: "auto", schemaFile });
    expect(create).toThrow(SchemaFileError);
    expect(create).toThrow(`Cannot use AVRO_SCHEMA_FILE: got '${join(schemaFile, file)}' (`);
  });

  it("names a broken link", () => {
    const schemaFile = folderWith({ "a.avsc": track });
    symlinkSync("gone", join(schemaFile, "b.avsc"));
    expect(() => createConfiguredDecoder({ format: "auto", schemaFile })).toThrow(
      `got '${join(schemaFile, "b.avsc")}' (ENOENT`,
    );
  });

  it("refuses an empty folder", () => {
    const schemaFile = folderWith({ "a.json": "{}" });
    expect(() => createConfiguredDecoder({ format: "avro", schemaFile })).toThrow(
      `Cannot use AVRO_SCHEMA_FILE: got the folder '${schemaFile}' without schemas, want *.avsc in it`,
    );
  });
});

describe("schemas of a folder that refer to each other", () => {
  const address = { ...record("Address", ["city", "string"], ["next", ["null", "Address"]]), namespace: "com.acme" };
  const country = { type: "enum", name: "Country", namespace: "com.acme.geo", symbols: ["AT", "CH"] };
  const order = {
    ...record(
      "Order",
      ["type", "string"],
      ["userId", "string"],
      ["to", "Address"],
      ["from", ["null", "Address"]],
      ["country", "geo.Country"],
    ),
    namespace: "com.acme",
  };

  it("find the records of other files in any order, also recursive ones", () => {
    const files = { "z-address.avsc": address, "a-order.avsc": { ...order, fields: order.fields.slice(0, 4) } };
    const decoder = createConfiguredDecoder({ format: "avro", schemaFile: folderWith(files) });
    const inline = JSON.parse(
      JSON.stringify(files["a-order.avsc"]).replace(`"type":"Address"`, `"type":${JSON.stringify(address)}`),
    ) as AvroSchema;
    const event = { type: "track", userId: "u1", to: { city: "Wien", next: { city: "Graz" } }, from: { city: "Linz" } };
    expect(decoder.decode(writeAvro(inline, event))).toEqual({ kind: "event", event });
  });

  it("find names by their namespace, and nested definitions", () => {
    const home = { ...record("Home", ["country", country]), namespace: "com.acme" };
    const user = record("User", ["type", "string"], ["userId", "string"], ["country", "com.acme.geo.Country"]);
    const decoder = createConfiguredDecoder({
      format: "avro",
      schemaFile: folderWith({ "home.avsc": home, "user.avsc": user }),
    });
    const inline = record("User", ["type", "string"], ["userId", "string"], ["country", country]);
    const event = { type: "identify", userId: "u1", country: "CH" };
    expect(decoder.decode(writeAvro(inline, event))).toEqual({ kind: "event", event });
  });

  it("are refused if two files define a name differently, and accepted if they define it alike", () => {
    const user = record("User", ["type", "string"], ["at", "com.acme.Address"]);
    const other = { ...address, fields: address.fields.slice(0, 1) };
    const same = folderWith({ "a.avsc": address, "b.avsc": address, "user.avsc": user });
    expect(() => createConfiguredDecoder({ format: "avro", schemaFile: same })).not.toThrow();
    const different = folderWith({ "a.avsc": address, "b.avsc": other, "user.avsc": user });
    expect(() => createConfiguredDecoder({ format: "avro", schemaFile: different })).toThrow(
      `got '${join(different, "user.avsc")}' (a.avsc and b.avsc define 'com.acme.Address' differently)`,
    );
  });
});

describe("the warning of bare Avro that may begin with a zero byte", () => {
  const registry = { url: "http://127.0.0.1:1" };
  const doubtful = record("D", ["messageId", ["null", "string"]], ["type", "string"]);
  const warningsOf = (options: Partial<Parameters<typeof createConfiguredDecoder>[0]>): readonly string[] => {
    const warnings: string[] = [];
    const schemaFile = folderWith({ "a.avsc": track, "b.avsc": doubtful });
    createConfiguredDecoder({
      format: "auto",
      schemaFile,
      registry,
      ...options,
      warn: (text) => void warnings.push(text),
    });
    return warnings;
  };

  it("names the schema if there is a registry", () => {
    expect(warningsOf({})).toEqual([
      expect.stringMatching(/^Bare Avro of b\.avsc may begin with a zero byte.*INPUT_FORMAT=avro$/),
    ]);
  });

  it.each([
    ["there is no registry", { registry: undefined }],
    ["all records are bare", { format: "avro" }],
    ["the schema is our own", { schemaFile: "schemas/segment-event.avsc" }],
  ] as const)("is not given if %s", (_, options) => {
    expect(warningsOf(options)).toEqual([]);
  });
});
