import { describe, expect, it } from "vitest";

import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import { createDecoder, type Decoder, type InputFormat } from "../../src/decoding/decoder.ts";
import { frame } from "../../src/decoding/frame.ts";
import { createDecoderCache } from "../../src/decoding/registry/decoder-cache.ts";
import { type AvroSchema, type Value, writeAvro } from "./avro-writer.ts";
import { createFakeRegistry } from "./registry/fake-registry.ts";

/** A schema whose bare records begin with the zero of `null`, followed by the length of a text. */
const schema = {
  type: "record",
  name: "E",
  fields: [
    { name: "messageId", type: ["null", "string"] },
    { name: "userId", type: "string" },
    { name: "type", type: "string" },
  ],
} as const;
const ours = { name: "e.avsc", decode: compileAvroSchema(schema) };
const event = { userId: "user-1", type: "identify" };
const value = (change: Value = event): Buffer => writeAvro(schema, change);
/** The schema id that the header seems to hold: the length of `user-1` and its first letters. */
const seemingId = value().readUInt32BE(1);
const asEvent: Decoded = { kind: "event", event };

type Field = readonly [name: string, type: AvroSchema];

const text = ["null", "string"] as const;
const recordOf = (...fields: readonly Field[]): AvroSchema => ({
  type: "record",
  name: "E",
  fields: fields.map(([name, type]) => ({ name, type })),
});
const map: AvroSchema = ["null", { type: "map", values: ["null", "boolean", "string"] }];
const ends: readonly Field[] = [
  ["type", "string"],
  ["userId", text],
];
const withText = [["a", text], ["b", text], ["c", text], ["d", text], ["groupId", "string"], ...ends] as const;
const withMap = [
  ["groupId", text],
  ["traits", map],
  ["channel", text],
  ["city", text],
  ["context", map],
  ...ends,
] as const;

/** Schemas that read the schema id and the beginning of a framed record as fields before `type`. */
const misreadings: readonly (readonly [string, { file: AvroSchema; id: number; schema: AvroSchema; event: Value }])[] =
  [
    [
      "by the same schema, as nulls and a text",
      {
        file: recordOf(...withText),
        id: 18,
        schema: recordOf(...withText),
        event: { groupId: "acme", type: "group", userId: "u1" },
      },
    ],
    [
      "by the version before, as nulls and a text",
      {
        file: recordOf(...withText),
        id: 20,
        schema: recordOf(["plan", text], ...withText),
        event: { groupId: "acme", type: "group", userId: "u1" },
      },
    ],
    [
      "by the same schema, as nulls and a map",
      {
        file: recordOf(...withMap),
        id: 2,
        schema: recordOf(...withMap),
        event: { groupId: "acme", channel: "web", type: "group", userId: "u1" },
      },
    ],
  ];

const withRegistry = async (
  story: (parts: {
    decoder: Decoder;
    registry: Awaited<ReturnType<typeof createFakeRegistry>>;
    advance: (ms: number) => void;
  }) => Promise<void>,
  format: InputFormat = "auto",
): Promise<void> => {
  await using registry = await createFakeRegistry();
  let now = 0;
  const decoderCache = createDecoderCache({ url: registry.url, monotonicNow: () => now });
  const advance = (ms: number): void => void (now += ms);
  await story({ decoder: createDecoder({ format, decoderCache, bareSchemas: [ours] }), registry, advance });
};

const pathOf = (id: number): string => `GET /schemas/ids/${id}`;

describe("a value that begins with a zero byte", () => {
  it("is bare if there is no registry and the file reads it as an event; otherwise the error stays", () => {
    const decoder = createDecoder({ format: "auto", bareSchemas: [ours] });
    expect(decoder.decode(value())).toEqual(asEvent);
    expect(decoder.decode(value({ userId: "u", type: "7" }))).toMatchObject({
      error: expect.stringContaining("SCHEMA_REGISTRY_URL"),
    });
    expect(decoder.decode(frame(7, Buffer.from("x")))).toMatchObject({
      error: expect.stringContaining("SCHEMA_REGISTRY_URL"),
    });
    expect(decoder.decode(Buffer.from([0, 0, 0]))).toMatchObject({ kind: "undecodable" });
  });

  it("is bare if the registry, which is asked first, has no schema of that id", () =>
    withRegistry(async ({ decoder, registry }) => {
      expect(decoder.decode(value())).toEqual({ kind: "needs_schema", schemaId: seemingId });
      expect(await decoder.loadSchema(seemingId)).toEqual({ kind: "unknown" });
      expect(decoder.decode(value())).toEqual(asEvent);
      expect(registry.requests).toEqual([pathOf(seemingId)]);
    }));

  it("is bare without another request while the file reads values that begin so", () =>
    withRegistry(async ({ decoder, advance }) => {
      await decoder.loadSchema(seemingId);
      expect(decoder.decode(value())).toEqual(asEvent);
      advance(3_600_000);
      expect(decoder.decode(value())).toEqual(asEvent);
      expect(decoder.decode(value({ ...event, type: "group" }))).toEqual({
        kind: "event",
        event: { ...event, type: "group" },
      });
      expect(decoder.decode(value().subarray(0, -1))).toEqual({ kind: "needs_schema", schemaId: seemingId });
    }));

  it("keeps 50,000 such ids, and asks about the oldest again", () => {
    let known: "unknown" | undefined = "unknown";
    const decoderCache = { peek: () => known, load: () => Promise.resolve({ kind: "unknown" } as const) };
    const decoder = createDecoder({ format: "auto", decoderCache, bareSchemas: [ours] });
    const letter = (n: number): string => String.fromCharCode(48 + (n % 40));
    const values = Array.from({ length: 50_001 }, (_, n) =>
      value({ ...event, userId: `${letter(n)}${letter(n / 40)}${letter(n / 1_600)}abc` }),
    );
    const kindsOf = (): readonly string[] => values.map((one) => decoder.decode(one).kind);
    expect(new Set(kindsOf())).toEqual(new Set(["event"]));
    known = undefined;
    const [oldest, ...others] = kindsOf();
    expect([oldest, new Set(others)]).toEqual(["needs_schema", new Set(["event"])]);
  });

  it("is framed if the registry's schema reads it, even if the file reads it too", () =>
    withRegistry(async ({ decoder, registry }) => {
      registry.replies.set(pathOf(seemingId), { status: 200, body: { schema: JSON.stringify(schema) } });
      await decoder.loadSchema(seemingId);
      expect(decoder.decode(frame(seemingId, value()))).toEqual(asEvent);
      expect(decoder.decode(frame(seemingId, value().subarray(1)))).toMatchObject({ kind: "undecodable" });
    }));

  it.each<[what: string, body: object]>([
    ["another producer's schema", { schema: JSON.stringify({ ...schema, fields: schema.fields.toReversed() }) }],
    ["a schema of keys", { schema: '"string"' }],
    ["a schema that cannot be used", { schemaType: "PROTOBUF", schema: 'syntax = "proto3";' }],
  ])("is bare at every attempt, also if its id has become that of %s", (_, body) =>
    withRegistry(async ({ decoder, registry, advance }) => {
      await decoder.loadSchema(seemingId);
      expect(decoder.decode(value())).toEqual(asEvent);
      registry.replies.set(pathOf(seemingId), { status: 200, body });
      advance(3_600_000);
      await decoder.loadSchema(seemingId);
      expect(decoder.decode(value())).toEqual(asEvent);
    }),
  );

  it("waits for its schema if the file does not read it as an event", () =>
    withRegistry(async ({ decoder }) => {
      const framed = frame(9, value());
      expect(decoder.decode(framed)).toEqual({ kind: "needs_schema", schemaId: 9 });
      await decoder.loadSchema(9);
      expect(decoder.decode(framed)).toEqual({ kind: "unknown_schema", schemaId: 9 });
    }));

  it.each(misreadings)("waits for its schema if the file misreads it: %s", (_, given) => {
    const { file, id, schema: writer, event: written } = given;
    const bare = [{ name: "e.avsc", decode: compileAvroSchema(file) }];
    const decoderCache = { peek: () => "unknown" as const, load: () => Promise.resolve({ kind: "unknown" } as const) };
    const framed = frame(id, writeAvro(writer, written));
    expect(createDecoder({ format: "avro", bareSchemas: bare }).decode(framed)).toMatchObject({
      event: { type: "group", userId: "u1" },
    });
    expect(createDecoder({ format: "auto", decoderCache, bareSchemas: bare }).decode(framed)).toEqual({
      kind: "unknown_schema",
      schemaId: id,
    });
  });

  it("waits while the registry is down: it may know the id", () =>
    withRegistry(async ({ decoder, registry }) => {
      registry.replies.set(pathOf(seemingId), { status: 500 });
      expect(await decoder.loadSchema(seemingId)).toMatchObject({ kind: "registry_down" });
      expect(decoder.decode(value())).toEqual({ kind: "needs_schema", schemaId: seemingId });
    }));

  it.each<[InputFormat, object]>([
    ["avro", asEvent],
    ["registry", { kind: "unknown_schema", schemaId: seemingId }],
  ])("is decoded as INPUT_FORMAT=%s asks", (format, decoded) =>
    withRegistry(async ({ decoder }) => {
      await decoder.loadSchema(seemingId);
      expect(decoder.decode(value())).toEqual(decoded);
    }, format),
  );
});
