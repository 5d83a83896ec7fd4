import { readFileSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { type Arbitrary, array, assert, constant, constantFrom, nat, oneof, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { frame } from "../../../local/events.ts";
import { createHandler } from "../../../src/core/decide.ts";
import { retryHeaders } from "../../../src/core/outcome/headers.ts";
import type { Arrival } from "../../../src/core/parsed-record.ts";
import { compileAvro } from "../../../src/decoding/avro/avro.ts";
import { createDecoder } from "../../../src/decoding/decoder.ts";
import { decodeJsonEvents } from "../../../src/decoding/events.ts";
import { createReader } from "../../../src/intake/record-reader.ts";
import { noRules } from "../../core/no-rules.ts";
import { messageOf } from "../../intake/batches.ts";

interface Numbered {
  readonly type: string;
  readonly userId: string;
}

/** A value, the ids of the events in it by their order, and whether it makes a list. */
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

/** Each takes one value in. */
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

const handle = createHandler(noRules);
const readJson = createReader({ decoder: jsonDecoder, handle });
const here = { topic: "source", partition: 4 };

const arrivalsOf = (value: unknown, headers = {}, tier?: number): readonly Arrival[] => {
  const reading = readJson(messageOf(42, { value: bytesOf(value), headers }), { ...here, tier });
  return reading.kind === "arrivals" ? reading.arrivals : [];
};

describe("any nesting of wrappers around any list of events", () => {
  const readable = wrapped.filter(({ value }) => textsIn(value) <= 2);

  it("yields these events in their order", () => {
    assert(
      property(readable, ({ value, ids, isList }) => {
        const decoded = jsonDecoder.decode(bytesOf(value));
        const raws = decoded.kind === "event" ? [decoded.raw] : decoded.kind === "events" ? decoded.raws : undefined;
        expect(raws?.map(({ userId }) => userId)).toEqual(ids);
        expect(decoded.kind).toBe(isList ? "events" : "event");
      }),
      { numRuns: 1_000 },
    );
  });

  it("is read alike at each retry: the event of an index is the same one", () => {
    assert(
      property(readable, ({ value }) => {
        for (const { user, meaning, repairs, past } of arrivalsOf(value)) {
          const { origin, attempts, firstFailedAt } = past;
          const headers = retryHeaders(
            {},
            { origin, attempts: attempts + 1, firstFailedAt, reason: "timeout", error: "E" },
          );
          expect(arrivalsOf(value, headers, 0)).toMatchObject([
            { user, meaning, repairs, past: { origin, attempts: 1 } },
          ]);
        }
      }),
    );
  });
});

describe("the reader", () => {
  const timestamp = "2026-01-31T12:00:00.000Z";
  const events = ["a", "b"].map((userId) => ({ type: "track", event: "Opened", userId, timestamp }));

  it("names the wrappers among the repairs of each event in them", () => {
    const arrivals = arrivalsOf({ schema: null, payload: { batch: [events[0], { ...events[1], traits: "{}" }] } });
    expect(arrivals).toMatchObject([
      { user: "a", repairs: ["connect_envelope", "batch"], past: { origin: { id: "source-4-42#0", index: 0 } } },
      {
        user: "b",
        repairs: ["connect_envelope", "batch", "json_text"],
        past: { origin: { id: "source-4-42#1", index: 1 } },
      },
    ]);
  });

  it("takes a record from a tier that was one event to the version before as all of its events, with its past", () => {
    const origin = { topic: "source", partition: 4, offset: "42", timestamp: 1, id: "source-4-42" };
    const past = { origin, attempts: 1, firstFailedAt: 1, reason: "timeout", error: "E" } as const;
    expect(arrivalsOf({ batch: events }, retryHeaders({}, past), 0)).toMatchObject([
      { user: "a", past: { origin: { id: "source-4-42#0", index: 0 }, attempts: 1 } },
      { user: "b", past: { origin: { id: "source-4-42#1", index: 1 }, attempts: 1 } },
    ]);
  });

  it("gives a batch of one the index 0, and an event in an envelope none", () => {
    expect(arrivalsOf({ batch: [events[0]] })).toMatchObject([{ past: { origin: { id: "source-4-42#0" } } }]);
    expect(arrivalsOf({ schema: null, payload: events[0] })).toMatchObject([
      { past: { origin: { id: "source-4-42" } } },
    ]);
  });

  it.each([[{ batch: [] }], [{ schema: null, payload: null }], [{ schema: null, payload: [] }]])(
    "counts %j as a record without a value",
    (value) => {
      expect(arrivalsOf(value)).toMatchObject([{ meaning: { kind: "skipped", reason: "tombstone" } }]);
    },
  );

  it("reads a CloudEvent in binary mode as the event that its value is", () => {
    const headers = Object.fromEntries(
      Object.entries({
        ce_specversion: "1.0",
        ce_type: "t",
        ce_source: "/",
        ce_id: "1",
        "content-type": "application/json",
      }).map(([name, value]) => [name, Buffer.from(value)]),
    );
    expect(arrivalsOf(events[0], headers)).toMatchObject([
      { user: "a", meaning: { kind: "call" }, repairs: [], record: { headers } },
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
      { kind: "event", raw: track, repairs: ["cloud_event"] },
    ],
    [
      "a batch",
      {
        type: "record",
        name: "Batch",
        fields: [string("sentAt"), { name: "batch", type: { type: "array", items: eventRecord } }],
      },
      { sentAt: "2026-01-31T12:00:00Z", batch: [track] },
      { kind: "events", raws: [{ ...track, sentAt: "2026-01-31T12:00:00Z" }], repairs: ["batch"] },
    ],
    [
      "a change event of Debezium's",
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
    ["a text of JSON", "string", text, { kind: "event", raw: track, repairs: ["json_string"] }],
    [
      "a text of anything else",
      "string",
      "nonsense",
      { kind: "undecodable", error: expect.stringContaining("got string, want") as string },
    ],
    ["bytes of JSON", "bytes", Buffer.from(text), { kind: "event", raw: track, repairs: ["json_string"] }],
    [
      "bytes of anything else",
      "bytes",
      Buffer.from([0xff]),
      { kind: "undecodable", error: expect.stringContaining("UTF-8") as string },
    ],
    [
      "a text among others that looks like a wrapper",
      eventRecord,
      { ...track, event: '{"batch":[]}' },
      { kind: "event", raw: { ...track, event: '{"batch":[]}' } },
    ],
  ])("%s", (_name, schema, value, decoded) => {
    const source = { peek: () => compileAvro(schema), load: () => Promise.resolve({ kind: "unknown" } as const) };
    const payload = frame(1, avro.Type.forSchema(schema as Schema).toBuffer(value));
    expect(createDecoder({ format: "auto", source }).decode(payload)).toEqual(decoded);
  });

  it("takes the extra fields of our own record out of `extra` in a wrapper as well", () => {
    const ours: unknown = JSON.parse(readFileSync("schemas/segment-event.avsc", "utf8"));
    const batch = { type: "array", items: ours };
    const schema = { type: "record", name: "Batch", fields: [{ name: "batch", type: batch }] };
    const value = { batch: [{ type: "page", extra: { url: { string: "/" } } }] };
    const payload = avro.Type.forSchema(schema as Schema).toBuffer(value);
    expect(
      createDecoder({ format: "avro", bare: [{ name: "schema", decode: compileAvro(schema) }] }).decode(payload),
    ).toEqual({
      kind: "events",
      raws: [{ type: "page", url: "/" }],
      repairs: ["batch"],
    });
  });

  it("and in JSON of a registry", () => {
    const source = { peek: () => decodeJsonEvents, load: () => Promise.resolve({ kind: "unknown" } as const) };
    const payload = frame(1, bytesOf(JSON.stringify(cloudEvent({ batch: [track] }))));
    expect(createDecoder({ format: "auto", source }).decode(payload)).toMatchObject({
      kind: "events",
      raws: [track],
      repairs: ["json_string", "cloud_event", "batch"],
    });
  });
});
