import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { assert, constantFrom, integer, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";

import { createEvents, encodeEvent, frame } from "../../local/events.ts";
import { type Random, createRandom } from "../../local/random.ts";
import { type Decide, createDecide } from "../../src/core/decide.ts";
import { compileAvroSchema } from "../../src/decoding/avro/avro.ts";
import { type InputFormat, createDecoder } from "../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../src/decoding/events.ts";
import { type RecordReader, createRecordReader } from "../../src/intake/record-reader.ts";
import { noRules } from "../core/no-rules.ts";
import { messageOf } from "../intake/batches.ts";
import { type AvroSchema, writeAvro } from "./avro-writer.ts";
import { logicalEvent, logicalSchema } from "./avro/logical-event.ts";

// For any bytes: nothing throws, nothing takes long, and a record that cannot be delivered keeps its bytes.
const limitMs = 50;
const rounds = 250;
const recordsPerRound = 450;
const arbitraryRecords = 10_000;

const scalars = ["null", "boolean", "long", "double", "string"] as const;
const recursive: AvroSchema = {
  type: "record",
  name: "AnyValue",
  fields: [
    {
      name: "value",
      type: [...scalars, { type: "array", items: "AnyValue" }, { type: "map", values: "AnyValue" }],
    },
  ],
};
const anyMap: AvroSchema = { type: "map", values: recursive };
const loose: AvroSchema = {
  type: "array",
  items: {
    type: "record",
    name: "Event",
    fields: [
      { name: "type", type: { type: "enum", name: "Kind", symbols: ["identify", "track", "group", "page"] } },
      { name: "user_id", type: ["null", "string"] },
      { name: "timestamp", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "traits", type: "string" },
      { name: "nothings", type: { type: "array", items: "null" } },
    ],
  },
};
const ourSchema = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8")) as Schema;
const ourType = avro.Type.forSchema(ourSchema);
const decoders = [
  ...[ourSchema, anyMap, loose].map(compileAvroSchema),
  decodeJsonEvents,
  compileAvroSchema(logicalSchema),
];
const decoderCache = {
  peek: (id: number) => decoders[id] ?? (id < 100 ? ("unknown" as const) : undefined),
  load: () => Promise.resolve({ kind: "unknown" } as const),
};

const everyRule = createDecide({
  ...noRules,
  events: ["Feature Used", "Order Completed"],
  consent: { categories: ["Advertising"] },
  filters: [
    { action: "drop_property", path: "context.*.version" },
    { action: "drop_event", when: { path: "properties.plan", matches: "*a*b*" } },
    { action: "sample", percent: 50 },
  ],
  traits: { types: { logins: "number", isAdmin: "boolean" } },
  properties: { types: { value: "number" } },
  pii: { drop: ["context.ip", "traits.*.city"], hash: ["traits.email", "userId"] },
});
const formats: readonly InputFormat[] = ["auto", "registry", "avro", "json"];
const readerOf = (format: InputFormat, decide: Decide): RecordReader =>
  createRecordReader({
    decoder: createDecoder({
      format,
      decoderCache,
      bareSchemas: [{ name: "ours", decode: compileAvroSchema(ourSchema) }],
    }),
    decide,
  });
const readers = [createDecide(noRules), everyRule].flatMap((decide) =>
  formats.map((format) => readerOf(format, decide)),
);

const wrapped = (event: object): readonly object[] => [
  { schema: null, payload: event },
  { batch: [event, event], sentAt: "2026-01-01T00:00:00Z", context: { ip: "127.0.0.1" } },
  { specversion: "1.0", type: "t", source: "/", id: "1", data: event },
  { op: "c", after: event, source: { connector: "mysql" } },
];
const events = [...createEvents({ users: 7, count: 30, seed: 5, startAt: Date.UTC(2026, 0, 1) })];
const good: readonly Buffer[] = [
  ...events.flatMap((event) => {
    const [bare, json] = [encodeEvent(event, ourType), Buffer.from(JSON.stringify(event))];
    return [frame(0, bare), bare, json, frame(3, json), frame(1, writeAvro(anyMap, event))];
  }),
  ...events.slice(0, 4).flatMap((event) => {
    const wrappers = [...wrapped(event), ...wrapped({ batch: wrapped(event) }), [JSON.stringify(wrapped(event))]];
    return [...wrappers, JSON.stringify(wrappers[0])].map((value) => Buffer.from(JSON.stringify(value)));
  }),
  Buffer.from(JSON.stringify(events.slice(0, 4))),
  frame(3, Buffer.from(JSON.stringify(events.slice(4, 7)))),
  frame(4, logicalEvent),
  frame(2, writeAvro(loose, [{ type: "track", user_id: "u", timestamp: 0, traits: {}, nothings: [null, null] }])),
];
const pieces = [
  '{"__proto__":{"type":"track"}},',
  '"type":"track",',
  '"traits":',
  "1e999",
  "-0",
  "9".repeat(400),
  "[".repeat(1_001),
  '{"a":'.repeat(1_001),
  "\u0000",
  "\\ud800",
  '{"batch":[',
  '{"schema":null,"payload":',
  '"data":{',
  '"specversion":"1.0",',
  '\\"',
  "]}",
].map((piece) => Buffer.from(piece));
const extremes = [[0xff], [0x80], [0x00], [0x01], [0xfe, 0xff, 0xff, 0xff, 0x1f], Array<number>(12).fill(0xff)].map(
  (bytes) => Buffer.from(bytes),
);

const pick = <T>(from: readonly T[], random: Random): T => {
  const picked = from[random.below(from.length)];
  if (picked === undefined) throw new Error("Nothing to pick from");
  return picked;
};

type Change = (value: Buffer, random: Random) => Buffer;

const replaced = (value: Buffer, at: number, { by, skip = 0 }: { by: Buffer; skip?: number }): Buffer =>
  Buffer.concat([value.subarray(0, at), by, value.subarray(at + skip)]);
const changes: readonly Change[] = [
  (value, random) => {
    const changed = Buffer.from(value);
    if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
    return changed;
  },
  (value, random) => value.subarray(0, random.below(value.length + 1)),
  (value, random) => value.subarray(random.below(value.length + 1)),
  (value, random) => replaced(value, random.below(value.length + 1), { by: pick(extremes, random), skip: 1 }),
  (value, random) => replaced(value, random.below(value.length + 1), { by: pick(pieces, random) }),
  (value, random) => replaced(value, random.below(value.length + 1), { by: pick(good, random), skip: 200 }),
  (value, random) => frame(random.below(decoders.length + 2), value),
];

const mutant = (random: Random): Buffer => {
  let value = pick(good, random);
  for (let left = random.below(4); left > 0; left--) value = pick(changes, random)(value, random);
  return value;
};

const place = { topic: "source", partition: 0, tier: undefined };
const seen = { records: 0, slowestMs: 0, kinds: new Set<string>() };

const timed = (read: RecordReader, value: Buffer) => {
  const before = performance.now();
  const reading = read(messageOf(1, { value }), place);
  return { reading, ms: performance.now() - before };
};

/** The machine may pause for another reason, so only a value that is slow every time counts as slow. */
const slowest = (read: RecordReader, value: Buffer, ms: number): number =>
  ms <= limitMs ? ms : Math.min(...Array.from({ length: 5 }, () => timed(read, value).ms));

const check = (read: RecordReader, value: Buffer): void => {
  const before = Buffer.from(value);
  const { reading, ms } = timed(read, value);
  seen.records += 1;
  seen.slowestMs = Math.max(seen.slowestMs, slowest(read, value, ms));
  if (reading.kind === "needs_schema") {
    seen.kinds.add(reading.kind);
    return;
  }
  if (reading.parsedRecords.length === 0) throw new Error("A record that nothing became of");
  for (const { record, decision } of reading.parsedRecords) {
    seen.kinds.add(decision.kind);
    if (record.value !== value || !before.equals(value)) throw new Error("The record's bytes are not the same");
  }
};

it("100,000 damaged records each become a call, skipped, dead or waiting for a schema, within 50 ms", () => {
  assert(
    property(integer(), (seed) => {
      const random = createRandom(seed);
      for (let left = recordsPerRound; left > 0; left--) check(pick(readers, random), mutant(random));
    }),
    { numRuns: rounds, seed: 5, endOnFailure: true },
  );
  expect(seen.records).toBeGreaterThanOrEqual(100_000);
  expect([...seen.kinds].toSorted()).toEqual(["call", "dead", "needs_schema", "retry", "skipped"]);
  expect(seen.slowestMs).toBeLessThanOrEqual(limitMs);
}, 60_000);

it("so do arbitrary bytes", () => {
  assert(
    property(uint8Array({ maxLength: 300 }), constantFrom(...readers), (bytes, read) =>
      check(read, Buffer.from(bytes)),
    ),
    { numRuns: arbitraryRecords, seed: 5 },
  );
  expect(seen.slowestMs).toBeLessThanOrEqual(limitMs);
}, 60_000);

describe("a huge record", () => {
  const event = (properties: string): Buffer =>
    Buffer.from(`{"type":"track","userId":"u","event":"Feature Used","properties":${properties}}`);
  const many = (count: number, write: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => write(index)).join(",");
  /** Keys of 20 letters whose hashes (sums of powers of 31) are equal. */
  const colliding = (index: number): string =>
    Array.from({ length: 10 }, (_, bit) => ((index >> bit) & 1 ? "Aa" : "BB")).join("");
  const flood = Object.fromEntries(Array.from({ length: 1_024 }, (_, index) => [colliding(index), 1]));
  const [auto] = readers;

  it.each<[name: string, value: Buffer, kind: "call" | "skipped" | "dead"]>([
    ["of 10 MB of text", event(`{"a":"${"x".repeat(1e7)}"}`), "call"],
    ["of 10 MB of text beyond ASCII", event(`{"a":"${"é".repeat(5e6)}"}`), "call"],
    ["of 10 MB of brackets", Buffer.from("[".repeat(1e7)), "dead"],
    ["of 10 MB of space", event(" ".repeat(1e7)), "dead"],
    ["of 100,000 keys", event(`{${many(100_000, (index) => `"k${index}":1`)}}`), "call"],
    ["of 100,000 keys that are numbers", event(`{${many(100_000, (index) => `"${index * 7_919}":1`)}}`), "call"],
    ["of 100,000 times __proto__", event(`{${many(100_000, () => '"__proto__":{}')}}`), "call"],
    ["of 100,000 large integers", event(`{"a":[${many(100_000, () => "9007199254740993")}]}`), "call"],
    ["of one number of a million digits", event(`{"a":${"9".repeat(1e6)}}`), "call"],
    ["of half a million dots", event(`{"a":${"1.".repeat(5e5)}}`), "dead"],
    [
      "of keys that share a hash",
      frame(1, writeAvro(anyMap, { type: "identify", userId: "u", traits: flood })),
      "call",
    ],
    ["of a million nulls", frame(1, Buffer.alloc(1_000_000, 2)), "dead"],
    ["of 1,000 events", Buffer.from(`[${many(1_000, () => '{"type":"page"}')}]`), "skipped"],
    [
      "of 100,000 empty batches",
      Buffer.from(`[${many(100, () => `{"batch":[${many(1_000, () => '{"batch":[]}')}]}`)}]`),
      "dead",
    ],
    [
      "of 1,000 events in wrappers",
      Buffer.from(`[${many(1_000, () => '{"schema":null,"payload":{"type":"page"}}')}]`),
      "skipped",
    ],
    [
      "of 10 MB in two JSON strings",
      Buffer.from(JSON.stringify(JSON.stringify(event(`{"a":"${"x".repeat(1e7)}"}`).toString()))),
      "call",
    ],
    [
      "of strings in strings",
      Buffer.from(Array.from({ length: 12 }).reduce<string>((text) => JSON.stringify(text), "{}")),
      "dead",
    ],
    [
      "of 1,000 events in a batch of 10,000 keys",
      Buffer.from(
        `{"context":{${many(10_000, (index) => `"k${index}":1`)}},"batch":[${many(1_000, () => '{"type":"page"}')}]}`,
      ),
      "dead",
    ],
    [
      "of 1,000 events in a batch of 150 keys, with JSON text of their own",
      Buffer.from(
        `{"context":{${many(150, (index) => `"k${index}":1`)}},"batch":[${many(1_000, () => '{"type":"page","context":"{}"}')}]}`,
      ),
      "skipped",
    ],
    [
      "of 1,000 events by a schema of 10,000 fields",
      Buffer.from(
        `{"schema":{"type":"array","items":{"type":"struct","fields":[${many(10_000, (index) => `{"field":"f${index}"}`)}]}},"payload":[${many(1_000, () => '{"type":"page"}')}]}`,
      ),
      "skipped",
    ],
    ["of a million events", Buffer.from(`[${many(1_000_000, () => "{}")}]`), "dead"],
  ])("%s is read in linear time", (_name, value, kind) => {
    const { reading, ms } = auto ? timed(auto, value) : { reading: undefined, ms: Number.NaN };
    expect(reading?.kind === "parsed" && reading.parsedRecords[0]?.decision.kind).toBe(kind);
    expect(ms).toBeLessThan(1_000);
  });
});
