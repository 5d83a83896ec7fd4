import { describe, expect, it } from "vitest";

import type { Json, JsonObject } from "../../../src/core/json/json.ts";
import type { Decoded } from "../../../src/decoding/decoded.ts";
import { createDecoder } from "../../../src/decoding/decoder.ts";
import { normalDecoded } from "../normal.ts";

const decoder = createDecoder({ format: "json" });
const decode = (value: unknown): Decoded => decoder.decode(Buffer.from(JSON.stringify(value)));
const normal = (value: unknown): Decoded => normalDecoded(decode(value));
const refused = (error: string) => ({ kind: "undecodable", error });

const track: JsonObject = { type: "track", userId: "u1", event: "Order Completed", properties: { total: 5 } };
const page: JsonObject = { type: "page", userId: "u2" };
const connect = (payload: unknown, schema: unknown = null) => ({ schema, payload });
const cloudEvent = (data: unknown, more: object = {}) => ({
  specversion: "1.0",
  type: "com.example.tracked",
  source: "/crm",
  id: "1",
  data,
  ...more,
});
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
const strung = (value: unknown, times: number): unknown =>
  times === 0 ? value : JSON.stringify(strung(value, times - 1));

describe("a wrapper around one event is taken off", () => {
  const string = { type: "string", optional: false };
  it.each<[name: string, value: unknown, repairs: readonly string[]]>([
    ["an envelope of Kafka Connect without a schema", connect(track), ["connect_envelope"]],
    ["an envelope of Kafka Connect", connect(track, { type: "struct", fields: [] }), ["connect_envelope"]],
    ["one that holds JSON text", connect(JSON.stringify(track), string), ["connect_envelope", "json_string"]],
    ["one that holds bytes", connect(base64(track), { type: "bytes", optional: true }), ["connect_envelope"]],
    ["JSON in a JSON string", strung(track, 1), ["json_string"]],
    ["JSON in two JSON strings", strung(track, 2), ["json_string"]],
    ["a CloudEvent", cloudEvent(track), ["cloud_event"]],
    ["a CloudEvent whose type is a call's", cloudEvent(track, { type: "track" }), ["cloud_event"]],
    ["a CloudEvent of JSON text", cloudEvent(JSON.stringify(track)), ["cloud_event", "json_string"]],
    ["a CloudEvent of bytes", cloudEvent(undefined, { data_base64: base64(track) }), ["cloud_event"]],
    [
      "a CloudEvent in an envelope in a string",
      strung(connect(cloudEvent(track)), 1),
      ["json_string", "connect_envelope", "cloud_event"],
    ],
    ["two of a kind, named once", cloudEvent(connect(connect(track))), ["cloud_event", "connect_envelope"]],
  ])("%s", (_name, value, repairs) => {
    expect(decode(value)).toEqual({ kind: "event", event: track, repairs });
  });
});

describe("a wrapper around a list returns a list of any length", () => {
  it.each<[name: string, value: unknown, events: readonly JsonObject[], repairs: readonly string[]]>([
    ["a batch", { batch: [track, page] }, [track, page], ["batch"]],
    ["a batch of one", { batch: [track] }, [track], ["batch"]],
    ["an empty batch", { batch: [] }, [], ["batch"]],
    ["a batch whose type is null", { batch: [track], type: null }, [track], ["batch"]],
    ["an envelope of a list", connect([track, page]), [track, page], ["connect_envelope"]],
    ["an envelope of nothing, which is a tombstone", connect(null), [], ["connect_envelope"]],
    ["a list of one wrapper", [connect(track)], [track], ["connect_envelope"]],
    ["CloudEvents in batched mode", [cloudEvent(track), cloudEvent(page)], [track, page], ["cloud_event"]],
    ["a CloudEvent of a list", cloudEvent([page, track]), [page, track], ["cloud_event"]],
    ["a list of texts", [strung(track, 1), page, strung(page, 2)], [track, page, page], ["json_string"]],
    ["a batch in an envelope", connect({ batch: [track] }), [track], ["connect_envelope", "batch"]],
    ["a batch of envelopes", { batch: [connect(track), connect(page)] }, [track, page], ["batch", "connect_envelope"]],
  ])("%s", (_name, value, events, repairs) => {
    expect(decode(value)).toEqual({ kind: "events", events, repairs });
  });
});

describe("an object that is no wrapper stays an event", () => {
  it.each<[name: string, event: JsonObject]>([
    ["an event with a property named batch", { ...track, batch: [page] }],
    ["one of another kind with a property named batch", { type: "record", userId: "u", batch: [page] }],
    ["a batch that is no list", { batch: { size: 3 } }],
    ["a payload and more", { schema: null, payload: page, topic: "t" }],
    ["a payload beside the name of a schema", { schema: "v1", payload: page }],
    ["a payload alone", { payload: page }],
    ["data without specversion", { type: "com.example.tracked", data: page }],
    ["a CloudEvent without data", { type: "com.example.tracked", specversion: "1.0" }],
    ["a property that holds JSON text", { ...track, event: JSON.stringify(page) }],
  ])("%s", (_name, event) => {
    expect(decode(event)).toEqual({ kind: "event", event });
  });
});

describe("a batch", () => {
  const context = { ip: "127.0.0.1", app: { name: "shop" } };
  const all = {
    batch: [track],
    sentAt: "2026-01-31T12:00:00.000Z",
    context,
    integrations: { All: false },
    writeKey: "k",
    messageId: "m",
  };

  it("gives each event its sentAt, context and integrations, and nothing else", () => {
    const { sentAt, integrations } = all;
    expect(decode({ ...all, batch: [track, page] })).toMatchObject({
      events: [
        { ...track, sentAt, context, integrations },
        { ...page, sentAt, context, integrations },
      ],
    });
    expect(JSON.stringify(decode(all))).not.toMatch(/writeKey|messageId/);
  });

  it.each<[name: string, own: object, read: object]>([
    [
      "merges the context by key, and the event's own key wins",
      { context: { app: null, os: "x" } },
      { context: { ip: "127.0.0.1", app: null, os: "x" } },
    ],
    [
      "merges integrations too",
      { integrations: { Gainsight: true } },
      { integrations: { All: false, Gainsight: true } },
    ],
    ["merges into JSON text", { context: '{"ip":"::1"}' }, { context: { ...context, ip: "::1" } }],
    ["takes null for none", { sentAt: null, context: null, integrations: null }, {}],
    ["takes empty text for none", { sentAt: "", context: "", integrations: "" }, {}],
    ["takes PHP's empty list for none", { context: [], integrations: [] }, {}],
    ["does not let a part that is no object hide what is refused", { integrations: "none" }, {}],
    ["leaves an event its own sentAt", { sentAt: "2025-01-01T00:00:00.000Z" }, { sentAt: "2025-01-01T00:00:00.000Z" }],
    ["leaves it in snake_case too", { sent_at: "2025-01-01T00:00:00.000Z" }, { sentAt: "2025-01-01T00:00:00.000Z" }],
    ["takes the write key away that libraries repeat in each event", { writeKey: "k", write_key: "k" }, {}],
  ])("%s", (_name, own, read) => {
    const { sentAt, integrations } = all;
    expect(normal({ ...all, batch: [{ ...track, ...own }] })).toMatchObject({
      kind: "events",
      events: [{ ...track, sentAt, context, integrations, ...read }],
    });
    expect(JSON.stringify(normal({ ...all, batch: [{ ...track, ...own }] }))).not.toMatch(/write/);
  });

  it("may have parts in JSON text and names in snake_case", () => {
    const batch = { batch: [track], sent_at: all.sentAt, context: JSON.stringify(context), integrations: "nonsense" };
    expect(decode(batch)).toEqual({
      kind: "events",
      events: [{ ...track, sentAt: all.sentAt, context }],
      repairs: ["batch"],
    });
  });

  const adsOff = { consent: { categoryPreferences: { ads: false, analytics: true } } };
  const adsOffText = { consent: JSON.stringify(adsOff.consent) };

  it.each<[name: string, given: Json, own: Json, read: Json]>([
    ["by an event's other context", adsOff, { ip: "::1" }, { ip: "::1", ...adsOff }],
    ["by consent that says nothing", adsOff, { consent: {} }, adsOff],
    ["by consent that is null", adsOff, { consent: null }, adsOff],
    ["by preferences that are null", adsOff, { consent: { categoryPreferences: null } }, adsOff],
    [
      "by an answer about another category",
      adsOff,
      { consent: { categoryPreferences: { news: true } } },
      { consent: { categoryPreferences: { ads: false, analytics: true, news: true } } },
    ],
    [
      "but by the event's own answer",
      adsOff,
      { consent: { categoryPreferences: { ads: true } } },
      { consent: { categoryPreferences: { ads: true, analytics: true } } },
    ],
    [
      "nor is the event's own refusal by the batch",
      { consent: { categoryPreferences: { ads: true } } },
      adsOff,
      adsOff,
    ],
    [
      "by an answer in JSON text",
      adsOffText,
      { consent: '{"categoryPreferences":{"news":true}}' },
      { consent: '{"categoryPreferences":{"ads":false,"analytics":true,"news":true}}' },
    ],
    [
      "by a context in JSON text",
      adsOffText,
      '{"consent":{"categoryPreferences":"{}"}}',
      JSON.stringify({ consent: { categoryPreferences: JSON.stringify(adsOff.consent.categoryPreferences) } }),
    ],
    [
      "by a context in JSON text twice",
      adsOff,
      JSON.stringify('{"ip":"::1"}'),
      JSON.stringify({ ...adsOff, ip: "::1" }),
    ],
    ["by consent that cannot be read, which refuses by itself", adsOff, { consent: "no" }, { consent: "no" }],
    ["by a context that cannot be read, which refuses by itself", adsOff, "no", "no"],
    ["nor is a context of the batch that cannot be read by no context", "no", null, "no"],
  ])("'s refused consent is not hidden %s", (_name, given, own, read) => {
    expect(decode({ batch: [{ ...page, context: own }], context: given })).toMatchObject({
      events: [{ context: read }],
    });
  });

  it("switches an integration off even if the event has null for it", () => {
    const integrations = { Gainsight: false };
    const own = { Gainsight: null, Kafka: null };
    expect(decode({ batch: [{ ...page, integrations: own }], integrations })).toMatchObject({
      events: [{ integrations: { Gainsight: false, Kafka: null } }],
    });
  });

  it("parses an event's integrations that are JSON text encoded twice", () => {
    const own = JSON.stringify('{"Gainsight":false}');
    expect(decode({ batch: [{ ...page, integrations: own }], integrations: { All: true } })).toMatchObject({
      events: [{ integrations: '{"All":true,"Gainsight":false}' }],
    });
  });

  it("does not replace an event's own null", () => {
    expect(decode({ batch: [{ ...page, context: { ip: null } }], context })).toMatchObject({
      events: [{ context: { ...context, ip: null } }],
    });
  });

  it("keeps the name __proto__ as data", () => {
    const own = JSON.parse('{"type":"page","context":{"__proto__":{"a":1}}}') as object;
    expect(JSON.stringify(decode({ batch: [own], context: { ip: "::1" } }))).toContain(
      '{"ip":"::1","__proto__":{"a":1}}',
    );
  });
});

describe("a CloudEvent", () => {
  const time = "2026-01-31T12:00:00.000Z";
  it.each<[name: string, own: object, read: object]>([
    ["gives its time to an event that has none", {}, { timestamp: time }],
    [
      "leaves an event its timestamp",
      { timestamp: "2025-01-01T00:00:00.000Z" },
      { timestamp: "2025-01-01T00:00:00.000Z" },
    ],
    ["leaves it to the originalTimestamp to be the time", { original_timestamp: "2025-01-01T00:00:00.000Z" }, {}],
  ])("%s", (_name, own, read) => {
    expect(decode(cloudEvent({ ...track, ...own }, { time }))).toStrictEqual({
      kind: "event",
      event: { ...track, ...own, ...read },
      repairs: ["cloud_event"],
    });
  });

  it("never uses its id as messageId: two sources may use the same id, and one event would be lost", () => {
    expect(JSON.stringify(decode(cloudEvent(track, { id: "7" })))).not.toContain("messageId");
  });
});

describe("an envelope of Kafka Connect is decoded by its schema", () => {
  const field = (name: string, type: object) => ({ field: name, optional: true, ...type });
  const struct = (...fields: readonly object[]) => ({ type: "struct", fields });
  const traitOf = (type: object, x: unknown): unknown => {
    const schema = struct(field("type", { type: "string" }), field("traits", struct(field("x", type))));
    const decoded = decode(connect({ type: "identify", traits: { x } }, schema));
    return decoded.kind === "event" ? decoded.event["traits"] : decoded;
  };
  const logical = (type: string, name: string) => ({ type, name: `org.apache.kafka.connect.data.${name}` });
  const variableScale = { type: "struct", name: "io.debezium.data.VariableScaleDecimal", fields: [] };
  const decimal = (scale: number) => ({ ...logical("bytes", "Decimal"), parameters: { scale: String(scale) } });

  it.each<[name: string, type: object, value: unknown, read: object]>([
    ["a field that is null is absent", { type: "string" }, null, {}],
    [
      "a null in a map clears",
      { type: "map", keys: { type: "string" }, values: { type: "string" } },
      { a: null },
      { x: { a: null } },
    ],
    ["a null in an array stays", { type: "array", items: { type: "string" } }, ["a", null], { x: ["a", null] }],
    [
      "a field in a struct in an array",
      { type: "array", items: struct(field("a", { type: "string" })) },
      [{ a: null }],
      { x: [{}] },
    ],
    [
      "a map whose keys are numbers",
      { type: "map", keys: { type: "int32" }, values: { type: "string" } },
      [
        [1, "a"],
        ["b", null],
      ],
      { x: { "1": "a", b: null } },
    ],
    ["a timestamp", logical("int64", "Timestamp"), 1_769_860_800_123, { x: "2026-01-31T12:00:00.123Z" }],
    ["a date", logical("int32", "Date"), 20_484, { x: "2026-01-31" }],
    ["a time of day", logical("int32", "Time"), 43_200_000, { x: "12:00:00.000" }],
    [
      "a timestamp beyond 2^53",
      { type: "int64", name: "io.debezium.time.NanoTimestamp" },
      "1769860800123456789",
      { x: "2026-01-31T12:00:00.123456789Z" },
    ],
    ["a timestamp that is no number", logical("int64", "Timestamp"), "soon", { x: "soon" }],
    ["a timestamp that no date can say", logical("int64", "Timestamp"), 9e15, { x: 9e15 }],
    ["a decimal", decimal(2), "AOYb", { x: "589.07" }],
    ["a negative decimal", decimal(2), "/w==", { x: "-0.01" }],
    ["a decimal with more zeros", decimal(-2), "BQ==", { x: "500" }],
    ["a decimal that is a number", decimal(2), 12.5, { x: 12.5 }],
    ["a decimal that is text, but not of bytes", decimal(2), "12.50", { x: "12.50" }],
    ["a decimal whose text is cut off", decimal(2), "AOYbA", { x: "AOYbA" }],
    ["a decimal without padding", decimal(2), "/w", { x: "-0.01" }],
    ["a decimal with a scale of its own", variableScale, { scale: 3, value: "AOYb" }, { x: "58.907" }],
    ["one that is null", variableScale, null, {}],
    ["one whose bytes are none", variableScale, { scale: 3, value: "1.5" }, { x: { scale: 3, value: "1.5" } }],
    ["one of no scale", variableScale, { value: "AOYb" }, { x: { value: "AOYb" } }],
    ["a decimal of no scale", logical("bytes", "Decimal"), "AOYb", { x: "AOYb" }],
    ["a decimal of more bytes than are spelled out", decimal(2), "A".repeat(400), { x: "A".repeat(400) }],
    ["an empty decimal", decimal(2), "", { x: "" }],
    ["JSON text that is marked", { type: "string", name: "io.debezium.data.Json" }, '{"a":1}', { x: { a: 1 } }],
    ["other text", { type: "string" }, '{"a":1}', { x: '{"a":1}' }],
    ["what is not as its schema says", struct(), "a", { x: "a" }],
    ["what is not as its schema says in a map", { type: "map" }, [1], { x: [1] }],
    ["what is not as its schema says in an array", { type: "array" }, { a: null }, { x: { a: null } }],
  ])("%s", (_name, type, value, read) => {
    expect(traitOf(type, value)).toStrictEqual(read);
  });

  it("also keeps a field that the schema does not have", () => {
    const event = { ...track, note: null };
    expect(decode(connect(event, struct()))).toMatchObject({ event: event });
  });
});

describe("a value that cannot be unwrapped is refused", () => {
  const nested = (levels: number): unknown => (levels === 0 ? track : connect(nested(levels - 1)));
  const many = (count: number) => Array.from({ length: count }, () => page);

  it.each<[name: string, value: unknown, error: string]>([
    ["text that is no JSON", "track", "Cannot read an event: got string, want an object or a list of objects"],
    ["such text in a list", ["track"], "Cannot read a list of events: got string at index 0, want an object"],
    ["text that is broken JSON", "{", "Cannot read JSON: got 1 characters that are not valid JSON"],
    [
      "JSON in three JSON strings",
      strung(track, 3),
      "Cannot read an event: got more than 2 JSON strings around it, want 2 at most",
    ],
    [
      "a CloudEvent whose data is null",
      cloudEvent(null),
      "Cannot read an event: got a CloudEvent whose data is null, want an event in it",
    ],
    [
      "a CloudEvent of a number",
      cloudEvent(5),
      "Cannot read an event: got number, want an object or a list of objects",
    ],
    ["nine wrappers", nested(9), "Cannot read an event: got more than 8 wrappers around it, want 8 at most"],
    ["a list in a list", [[page]], "Cannot read a list of events: got array at index 0, want an object"],
    ["a list in a batch", { batch: [[page]] }, "Cannot read a list of events: got array at index 0, want an object"],
    ["a batch of more than 1,000", { batch: many(1_001) }, "Cannot read a list of events: got 1001, want 1000 at most"],
    // An index must mean the same event to a version that takes off more or fewer wrappers.
    [
      "a batch in a list",
      [page, { batch: [page] }],
      "Cannot read a list of events: got array at index 1, want an object",
    ],
    [
      "a batch in a batch",
      { batch: [{ batch: [] }] },
      "Cannot read a list of events: got array at index 0, want an object",
    ],
    [
      "a list in an envelope in a list",
      [connect([page]), page],
      "Cannot read a list of events: got array at index 0, want an object",
    ],
    [
      "a list in a text in a list",
      [strung([page], 1)],
      "Cannot read a list of events: got array at index 0, want an object",
    ],
    ["nothing in a list", [connect(null), page], "Cannot read a list of events: got null at index 0, want an object"],
    [
      "a batch of 1,000 with a context of 3 kB",
      { batch: many(1_000), context: { note: "x".repeat(3_000) } },
      "Cannot read a batch: got more than 2000000 characters of context for its events, want 2000000 at most",
    ],
  ])("%s", (_name, value, error) => {
    expect(decode(value)).toEqual(refused(error));
  });

  it("eight wrappers and 1,000 events are accepted", () => {
    expect(decode(nested(8))).toMatchObject({ kind: "event", event: track });
    expect(decode({ batch: many(1_000) })).toMatchObject({ kind: "events", events: many(1_000) });
  });
});
