import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { type Arbitrary, array, assert, constant, constantFrom, nat, oneof, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { frame } from "../../../local/events.ts";
import { createDecide } from "../../../src/core/decide.ts";
import { retryHeaders } from "../../../src/core/outcome/failure-headers.ts";
import type { ParsedRecord } from "../../../src/core/parsed-record.ts";
import { compileAvroSchema } from "../../../src/decoding/avro/avro.ts";
import { createDecoder } from "../../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../../src/decoding/events.ts";
import { createRecordReader } from "../../../src/intake/record-reader.ts";
import { noRules } from "../../core/no-rules.ts";
import { messageOf } from "../../intake/batches.ts";

interface Numbered {
  readonly type: string;
  readonly userId: string;
}

/** A value, the ids of its events in order, and whether it returns a list. */
interface Wrapped {
  readonly value: unknown;
  readonly ids: readonly string[];
  readonly isList: boolean;
}

const jsonDecoder = createDecoder({ format: "json" });
const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const cloudEvent = (data: unknown) => ({
  specversion: "1.0",
  type: "t",
  source: "/",
  id: "1",
  time: "2026-01-31T12:00:00Z",
  data,
});

/** Each wraps one value. */
const around: readonly ((value: unknown) => unknown)[] = [
  (payload) => ({ schema: null, payload }),
  (payload) => ({ schema: { type: "struct", fields: [] }, payload }),
  cloudEvent,
  (value) => JSON.stringify(value),
];

const event: Arbitrary<Wrapped> = nat().map((id) => ({
  value: { type: "page", userId: String(id) } satisfies Numbered,
  ids: [String(id)],
  isList: false,
}));

const wrap = (inner: Arbitrary<Wrapped>): Arbitrary<Wrapped> =>
  tuple(array(constantFrom(...around), { maxLength: 3 }), inner).map(([wraps, { value, ids, isList }]) => ({
    value: wraps.reduce((held, take) => take(held), value),
    ids,
    isList,
  }));

const list: Arbitrary<Wrapped> = tuple(constantFrom("list", "batch"), array(wrap(event), { maxLength: 4 })).map(
  ([kind, items]) => {
    const values = items.map(({ value }) => value);
    return {
      value: kind === "list" ? values : { batch: values, context: { ip: "127.0.0.1" } },
      ids: items.flatMap(({ ids }) => ids),
      isList: true,
    };
  },
);

const wrapped = wrap(oneof(event, list, constant({ value: { schema: null, payload: null }, ids: [], isList: true })));

const textsIn = (value: unknown): number => {
  if (typeof value === "string") return /^["[{]/.test(value) ? 1 + textsIn(JSON.parse(value)) : 0;
  if (typeof value !== "object" || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(textsIn));
};

const decide = createDecide(noRules);
const readJson = createRecordReader({ decoder: jsonDecoder, decide });
const here = { topic: "source", partition: 4 };

const parsedRecordsOf = (value: unknown, headers = {}, tier?: number): readonly ParsedRecord[] => {
  const reading = readJson(messageOf(42, { value: bytesOf(value), headers }), { ...here, tier });
  return reading.kind === "parsed" ? reading.parsedRecords : [];
};

describe("any nesting of wrappers around any list of events", () => {
  const readable = wrapped.filter(({ value }) => textsIn(value) <= 2);

  it("returns these events in their order", () => {
    assert(
      property(readable, ({ value, ids, isList }) => {
        const decoded = jsonDecoder.decode(bytesOf(value));
        const events =
          decoded.kind === "event" ? [decoded.event] : decoded.kind === "events" ? decoded.events : undefined;
        expect(events?.map(({ userId }) => userId)).toEqual(ids);
        expect(decoded.kind).toBe(isList ? "events" : "event");
      }),
      { numRuns: 1_000 },
    );
  });

  it("returns the same event for an index at each retry", () => {
    assert(
      property(readable, ({ value }) => {
        for (const { user, decision, repairs, retryState } of parsedRecordsOf(value)) {
          const { source, attempts, firstFailedAt } = retryState;
          const headers = retryHeaders(
            {},
            { source, attempts: attempts + 1, firstFailedAt, reason: "timeout", error: "E" },
          );
          expect(parsedRecordsOf(value, headers, 0)).toMatchObject([
            { user, decision, repairs, retryState: { source, attempts: 1 } },
          ]);
        }
      }),
    );
  });
});

describe("the reader", () => {
  const timestamp = "2026-01-31T12:00:00.000Z";
  const events = ["a", "b"].map((userId) => ({ type: "track", event: "Opened", userId, timestamp }));

  it("counts the wrappers as repairs of each event in them", () => {
    const parsedRecords = parsedRecordsOf({
      schema: null,
      payload: { batch: [events[0], { ...events[1], traits: "{}" }] },
    });
    expect(parsedRecords).toMatchObject([
      { user: "a", repairs: ["connect_envelope", "batch"], retryState: { source: { id: "source-4-42#0", index: 0 } } },
      {
        user: "b",
        repairs: ["connect_envelope", "batch", "json_text"],
        retryState: { source: { id: "source-4-42#1", index: 1 } },
      },
    ]);
  });

  it("reads a record from a retry topic that was one event to the version before as all of its events, with its retry state", () => {
    const source = { topic: "source", partition: 4, offset: "42", timestamp: 1, id: "source-4-42" };
    const failure = { source, attempts: 1, firstFailedAt: 1, reason: "timeout", error: "E" } as const;
    expect(parsedRecordsOf({ batch: events }, retryHeaders({}, failure), 0)).toMatchObject([
      { user: "a", retryState: { source: { id: "source-4-42#0", index: 0 }, attempts: 1 } },
      { user: "b", retryState: { source: { id: "source-4-42#1", index: 1 }, attempts: 1 } },
    ]);
  });

  it("gives a batch of one the index 0, and an event in an envelope none", () => {
    expect(parsedRecordsOf({ batch: [events[0]] })).toMatchObject([
      { retryState: { source: { id: "source-4-42#0" } } },
    ]);
    expect(parsedRecordsOf({ schema: null, payload: events[0] })).toMatchObject([
      { retryState: { source: { id: "source-4-42" } } },
    ]);
  });

  it.each([[{ batch: [] }], [{ schema: null, payload: null }], [{ schema: null, payload: [] }]])(
    "counts %j as a record without a value",
    (value) => {
      expect(parsedRecordsOf(value)).toMatchObject([{ decision: { kind: "skipped", reason: "tombstone" } }]);
    },
  );

  it("reads the value of a CloudEvent in binary mode as the event", () => {
    const headers = Object.fromEntries(
      Object.entries({
        ce_specversion: "1.0",
        ce_type: "t",
        ce_source: "/",
        ce_id: "1",
        "content-type": "application/json",
      }).map(([name, value]) => [name, Buffer.from(value)]),
    );
    expect(parsedRecordsOf(events[0], headers)).toMatchObject([
      { user: "a", decision: { kind: "call" }, repairs: [], record: { headers } },
    ]);
  });
});

describe("wrappers in Avro", () => {
  const track = { type: "track", userId: "u1", event: "Opened" };
  const string = (name: string) => ({ name, type: "string" });
  const eventRecord = { type: "record", name: "Event", fields: [string("type"), string("userId"), string("event")] };
  const text = JSON.stringify(track);

  it.each<[name: string, schema: unknown, value: unknown, decoded: object]>([
    [
      "a CloudEvent",
      {
        type: "record",
        name: "CloudEvent",
        fields: [string("specversion"), string("type"), { name: "data", type: eventRecord }],
      },
      { specversion: "1.0", type: "t", data: track },
      { kind: "event", event: track, repairs: ["cloud_event"] },
    ],
    [
      "a batch",
      {
        type: "record",
        name: "Batch",
        fields: [string("sentAt"), { name: "batch", type: { type: "array", items: eventRecord } }],
      },
      { sentAt: "2026-01-31T12:00:00Z", batch: [track] },
      { kind: "events", events: [{ ...track, sentAt: "2026-01-31T12:00:00Z" }], repairs: ["batch"] },
    ],
    [
      "a change event of Debezium",
      {
        type: "record",
        name: "Envelope",
        fields: [
          string("op"),
          { name: "after", type: ["null", eventRecord] },
          { name: "source", type: { type: "record", name: "Source", fields: [string("db")] } },
        ],
      },
      { op: "c", after: track, source: { db: "crm" } },
      { kind: "undecodable", error: expect.stringContaining("got a Debezium change event") as string },
    ],
    ["a text of JSON", "string", text, { kind: "event", event: track, repairs: ["json_string"] }],
    [
      "a text of something else",
      "string",
      "nonsense",
      { kind: "undecodable", error: expect.stringContaining("got string, want") as string },
    ],
    ["bytes of JSON", "bytes", Buffer.from(text), { kind: "event", event: track, repairs: ["json_string"] }],
    [
      "bytes of something else",
      "bytes",
      Buffer.from([0xff]),
      { kind: "undecodable", error: expect.stringContaining("UTF-8") as string },
    ],
    [
      "a text among others that looks like a wrapper",
      eventRecord,
      { ...track, event: '{"batch":[]}' },
      { kind: "event", event: { ...track, event: '{"batch":[]}' } },
    ],
  ])("%s", (_name, schema, value, decoded) => {
    const decoderCache = {
      peek: () => compileAvroSchema(schema),
      load: () => Promise.resolve({ kind: "unknown" } as const),
    };
    const payload = frame(1, avro.Type.forSchema(schema as Schema).toBuffer(value));
    expect(createDecoder({ format: "auto", decoderCache }).decode(payload)).toEqual(decoded);
  });

  it("also moves the fields of `extra` to the top level in a wrapper", () => {
    const ours: unknown = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8"));
    const batch = { type: "array", items: ours };
    const schema = { type: "record", name: "Batch", fields: [{ name: "batch", type: batch }] };
    const value = { batch: [{ type: "page", extra: { url: { string: "/" } } }] };
    const payload = avro.Type.forSchema(schema as Schema).toBuffer(value);
    expect(
      createDecoder({ format: "avro", bareSchemas: [{ name: "schema", decode: compileAvroSchema(schema) }] }).decode(
        payload,
      ),
    ).toEqual({
      kind: "events",
      events: [{ type: "page", url: "/" }],
      repairs: ["batch"],
    });
  });

  it("also in JSON with a schema id", () => {
    const decoderCache = { peek: () => decodeJsonEvents, load: () => Promise.resolve({ kind: "unknown" } as const) };
    const payload = frame(1, bytesOf(JSON.stringify(cloudEvent({ batch: [track] }))));
    expect(createDecoder({ format: "auto", decoderCache }).decode(payload)).toMatchObject({
      kind: "events",
      events: [track],
      repairs: ["json_string", "cloud_event", "batch"],
    });
  });
});
