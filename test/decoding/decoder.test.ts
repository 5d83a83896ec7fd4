import { readFileSync } from "node:fs";

import avro from "avsc";
import { array, assert, constantFrom, nat, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";

import { createEvents, encodeEvent, frame, poisonRecords } from "../../local/events.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import { createDecoder, type InputFormat } from "../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../src/decoding/events.ts";
import { type DecoderCache, createDecoderCache } from "../../src/decoding/registry/decoder-cache.ts";
import { createFakeRegistry } from "./registry/fake-registry.ts";

const fileSchema: unknown = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8"));
const type = avro.Type.forSchema(fileSchema as avro.Type);
const ours = compileAvroSchema(fileSchema);
const decoderCache: Pick<DecoderCache, "peek" | "load"> = {
  peek: (id) => ({ 7: ours, 8: decodeJsonEvents, 9: "unknown" as const })[id],
  load: () => Promise.resolve({ kind: "unknown" }),
};
const formats: readonly InputFormat[] = ["auto", "registry", "avro", "json"];

const event = { type: "track", userId: "u1", event: "Feature Used" };
const bare = encodeEvent(event, type);
const json = Buffer.from(JSON.stringify(event));
const list = (count: number): Buffer => Buffer.from(`[${Array(count).fill("{}").join(",")}]`);
const inString = (text: Buffer, before = ""): Buffer => Buffer.from(`${before}${JSON.stringify(text.toString())}`);
const asEvent: Decoded = { kind: "event", event };
const undecodable = (text: string) => ({ kind: "undecodable", error: expect.stringContaining(text) as string });

describe("createDecoder()", () => {
  const decoders = Object.fromEntries(
    formats.map((format) => [
      format,
      createDecoder({ format, decoderCache, bareSchemas: [{ name: "ours", decode: ours }] }),
    ]),
  );

  it.each<[format: InputFormat, what: string, value: Buffer | null, decoded: unknown]>([
    ["auto", "a framed record", frame(7, bare), asEvent],
    ["auto", "framed JSON", frame(8, json), asEvent],
    ["auto", "JSON", json, asEvent],
    ["auto", "JSON after space", Buffer.concat([Buffer.from(" \r\n\t"), json]), asEvent],
    ["auto", "JSON after a byte order mark", Buffer.from(`\uFEFF\n${json.toString()}`), asEvent],
    ["auto", "bare Avro that begins with a line feed", bare, asEvent],
    ["auto", "a tombstone", null, { kind: "tombstone" }],
    ["auto", "nothing", Buffer.alloc(0), undecodable("got an empty value")],
    ["auto", "a schema not asked for yet", frame(1, bare), { kind: "needs_schema", schemaId: 1 }],
    ["auto", "the highest schema id", frame(2 ** 32 - 1, bare), { kind: "needs_schema", schemaId: 2 ** 32 - 1 }],
    ["auto", "a schema the registry does not know", frame(9, bare), { kind: "unknown_schema", schemaId: 9 }],
    ["auto", "a short header", Buffer.from([0, 0, 0, 7]), undecodable("got 4 bytes")],
    ["auto", "a list of events", Buffer.from("[{},{}]"), { kind: "events", events: [{}, {}] }],
    ["auto", "an empty list", Buffer.from(" [ ]"), { kind: "events", events: [] }],
    ["auto", "a framed list", frame(8, Buffer.from('[{"userId":"u"}]')), { kind: "events", events: [{ userId: "u" }] }],
    ["auto", "a thousand events", list(1_000), { kind: "events", events: Array.from({ length: 1_000 }, () => ({})) }],
    ["auto", "more than a thousand events", list(1_001), undecodable("got 1001, want 1000 at most")],
    ["auto", "a list in a list", Buffer.from("[{},[{}]]"), undecodable("got array at index 1, want an object")],
    ["auto", "a list with null", Buffer.from("[null]"), undecodable("got null at index 0, want an object")],
    [
      "auto",
      "Segment's batch form",
      Buffer.from('{"batch":[{}]}'),
      { kind: "events", events: [{}], repairs: ["batch"] },
    ],
    ["auto", "JSON in a JSON string", inString(json), { ...asEvent, repairs: ["json_string"] }],
    [
      "auto",
      "JSON in two of them, after space",
      inString(inString(json), " "),
      { ...asEvent, repairs: ["json_string"] },
    ],
    [
      "auto",
      "a framed wrapper",
      frame(8, Buffer.from('{"batch":[]}')),
      { kind: "events", events: [], repairs: ["batch"] },
    ],
    ["registry", "a framed record", frame(7, bare), asEvent],
    [
      "registry",
      "a record without header",
      json,
      undecodable("want a zero byte, a schema id of 4 bytes and the event"),
    ],
    ["avro", "bare Avro", bare, asEvent],
    ["avro", "a framed record", frame(7, bare), undecodable("Cannot read")],
    ["json", "JSON", json, asEvent],
    ["json", "a framed record", frame(7, bare), undecodable("Cannot read")],
    ["json", "a tombstone", null, { kind: "tombstone" }],
  ])("%s decodes %s", (format, _what, value, decoded) => {
    expect(decoders[format]?.decode(value)).toEqual(decoded);
  });

  it("names the missing setting", async () => {
    const decoder = createDecoder({ format: "auto" });
    expect(decoder.decode(frame(7, bare))).toEqual(undecodable("SCHEMA_REGISTRY_URL"));
    expect(decoder.decode(bare)).toEqual(undecodable("AVRO_SCHEMA_FILE"));
    expect(await decoder.loadSchema(7)).toEqual(undecodable("SCHEMA_REGISTRY_URL"));
    await expect(decoder.prewarm(["segment-events"])).resolves.toBeUndefined();
  });

  it("asks the registry again 500 ms after it gave up a record whose schema is unknown", async () => {
    await using registry = await createFakeRegistry();
    let now = 1_000;
    const cache = createDecoderCache({ url: registry.url, monotonicNow: () => now });
    const decoder = createDecoder({ format: "registry", decoderCache: cache });
    const decode = () => decoder.decode(frame(7, bare)).kind;
    expect(decode()).toBe("needs_schema");
    await decoder.loadSchema(7);
    now += 60_000;
    expect([decode(), decode()]).toEqual(["unknown_schema", "unknown_schema"]);
    now += 500;
    expect(decode()).toBe("needs_schema");
  });

  it("finds nothing to deliver in any poison record", () => {
    for (const { reason, name, value } of poisonRecords(12)) {
      const { kind } = decoders["auto"]?.decode(value) ?? {};
      const kinds = { undecodable: "undecodable", unknown_schema: "needs_schema", invalid_event: "event" };
      expect([name, kind]).toEqual([name, kinds[reason]]);
    }
  });

  it.each(['{"ip":"1"}', '{"a":1,"b":2}   ', '{"ip":"10.0.0.1"}'])(
    "auto decodes bare Avro that begins with the text %s",
    (text) => {
      const fields = ["context", "type", "userId"].map((name) => ({ name, type: "string" }));
      const schema = { type: "record", name: "Event", fields } as const;
      const page = { context: text, type: "page", userId: "u" };
      const decoder = createDecoder({
        format: "auto",
        decoderCache,
        bareSchemas: [{ name: "schema", decode: compileAvroSchema(schema) }],
      });
      const value = avro.Type.forSchema(schema).toBuffer(page);
      expect(decoder.decode(value)).toEqual({ kind: "event", event: page });
      expect(decoder.decode(Buffer.from('"{ a text'))).toEqual(undecodable("not valid JSON"));
    },
  );

  it("never throws, whatever the bytes", () => {
    assert(
      property(uint8Array({ maxLength: 400 }), constantFrom(...formats), (bytes, format) => {
        expect(decoders[format]?.decode(Buffer.from(bytes))).toHaveProperty("kind");
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws on damaged records, and errors never quote them", () => {
    const [...events] = createEvents({ users: 5, count: 20, seed: 3, startAt: 0 });
    const values = events.flatMap((good) => [frame(7, encodeEvent(good, type)), Buffer.from(JSON.stringify(good))]);
    const damage = array(tuple(nat(), nat(255)), { minLength: 1, maxLength: 4 });
    assert(
      property(constantFrom(...values), damage, nat(), (value, changes, cut) => {
        const broken = Buffer.from(value.subarray(0, cut % 3 === 0 ? cut % value.length : value.length));
        for (const [at, byte] of changes) if (broken.length > 0) broken[at % broken.length] = byte;
        const decoded = decoders["auto"]?.decode(broken);
        const said = decoded?.kind === "undecodable" ? decoded.error : "Cannot be: nothing was wrong";
        expect(said).toMatch(/^Cannot [^@{}]*$/);
      }),
      { numRuns: 3_000 },
    );
  });
});
