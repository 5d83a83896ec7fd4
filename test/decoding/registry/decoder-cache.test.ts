import { describe, expect, it, vi } from "vitest";

import { createDecoderCache } from "../../../src/decoding/registry/decoder-cache.ts";
import { createFakeRegistry, type FakeReply } from "./fake-registry.ts";

const schema = JSON.stringify({ type: "record", name: "E", fields: [{ name: "type", type: "string" }] });
const payload = Buffer.from([2, 0x61]);
const path = "GET /schemas/ids/1";

describe("createDecoderCache()", () => {
  it("fetches a schema once and keeps it", async () => {
    await using registry = await createFakeRegistry({ [path]: { status: 200, body: { schema } } });
    const source = createDecoderCache({ url: `${registry.url}/` });
    expect(source.peek(1)).toBeUndefined();
    const [first, second] = await Promise.all([source.load(1), source.load(1)]);
    expect(second).toBe(first);
    const decode = source.peek(1);
    expect(typeof decode === "function" && decode(payload)).toEqual({ type: "a" });
    expect(registry.requests).toEqual([path]);
  });

  it("follows a schema's references", async () => {
    const rent = { type: "fixed", name: "Rent", size: 2, logicalType: "decimal", precision: 4, scale: 2 };
    const fields = [
      { name: "zip", type: "long" },
      { name: "rent", type: rent },
    ];
    const address = JSON.stringify({ type: "record", name: "Address", fields });
    const main = JSON.stringify({ type: "record", name: "E", fields: [{ name: "a", type: ["null", "Address"] }] });
    await using registry = await createFakeRegistry({
      [path]: {
        status: 200,
        body: { schema: main, references: [{ name: "Address", subject: "address", version: 3 }] },
      },
      "GET /subjects/address/versions/3?name=Address": { status: 200, body: { schema: address, id: 2 } },
    });
    const source = createDecoderCache({ url: registry.url });
    await source.load(1);
    const decode = source.peek(1);
    expect(typeof decode === "function" && decode(Buffer.from([2, 14, 0x0a, 0xbe]))).toEqual({
      a: { zip: 7, rent: "27.50" },
    });
  });

  it("keeps a schema unknown until 500 ms after the first record was given up, however late that is", async () => {
    await using registry = await createFakeRegistry();
    let now = 1_000;
    const source = createDecoderCache({ url: registry.url, monotonicNow: () => now });
    await source.load(1);
    now += 60_000;
    expect(source.peek(1)).toBe("unknown");
    source.reportUnknown(1);
    now += 499;
    source.reportUnknown(1);
    expect(source.peek(1)).toBe("unknown");
    now += 1;
    expect(source.peek(1)).toBeUndefined();
  });

  it("forgets that a schema is unknown when a newer answer has replaced that one", async () => {
    await using registry = await createFakeRegistry();
    const source = createDecoderCache({ url: registry.url });
    await source.load(1);
    registry.replies.set(path, { status: 503, body: null });
    await source.load(1);
    expect(source.peek(1)).toBeUndefined();
  });

  it("uses the monotonic clock", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await using registry = await createFakeRegistry();
    const source = createDecoderCache({ url: registry.url });
    await source.load(1);
    source.reportUnknown(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(source.peek(1)).toBe("unknown");
    vi.useRealTimers();
  });

  it("asks again for an unknown schema 500 ms after a record was given up", async () => {
    await using registry = await createFakeRegistry();
    let now = 1_000;
    const source = createDecoderCache({ url: registry.url, monotonicNow: () => now });
    expect(await source.load(1)).toEqual({ kind: "unknown" });
    expect(source.peek(1)).toBe("unknown");
    source.reportUnknown(1);
    now += 500;
    expect(source.peek(1)).toBeUndefined();
    registry.replies.set(path, { status: 200, body: { schema } });
    expect((await source.load(1)).kind).toBe("decoder");
  });

  it.each<[name: string, reply: FakeReply, error: string]>([
    ["500", { status: 500, body: { message: "oops" } }, "got status 500, want a schema"],
    ["503 with the body null", { status: 503, body: null }, "got status 503"],
    ["401", { status: 401, raw: "" }, "got status 401"],
    ["403", { status: 403, body: {} }, "got status 403"],
    ["429", { status: 429, body: {} }, "got status 429"],
    ["400", { status: 400, body: {} }, "got status 400"],
    ["404 from another server", { status: 404, raw: "<html>" }, "got status 404"],
    ["a page instead of a schema", { status: 200, raw: "<html>" }, "got status 200, want a schema"],
    ["an answer that breaks off", "break", "Cannot reach"],
    ["no answer in time", "hang", "no answer in time"],
  ])("reports the registry as down on %s, and asks again next time", async (_name, reply, error) => {
    await using registry = await createFakeRegistry({ [path]: reply });
    const source = createDecoderCache({ url: registry.url, timeoutMs: 500 });
    const result = await source.load(1);
    expect(result).toEqual({ kind: "registry_down", error: expect.stringContaining(error) as string });
    expect(source.peek(1)).toBeUndefined();
    registry.replies.set(path, { status: 200, body: { schema } });
    expect((await source.load(1)).kind).toBe("decoder");
  });

  it("reports the registry as down if nothing listens, without the secrets in its address", async () => {
    const closed = await createFakeRegistry();
    await closed[Symbol.asyncDispose]();
    const { host } = new URL(closed.url);
    const result = await createDecoderCache({ url: `http://user:secret@${host}/x` }).load(1);
    expect(result).toEqual({ kind: "registry_down", error: expect.stringMatching(`${host}: ECONNREFUSED`) as string });
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  it.each([
    [{ username: "ada", password: { read: () => "s3cret" } }, "Basic YWRhOnMzY3JldA=="],
    [{}, undefined],
  ])("sends the given credentials: %j", async (credentials, authorization) => {
    await using registry = await createFakeRegistry({ [path]: { status: 200, body: { schema } } });
    await createDecoderCache({ url: registry.url, ...credentials }).load(1);
    expect(registry.authorizations).toEqual([authorization]);
  });

  it("uses the current password", async () => {
    await using registry = await createFakeRegistry();
    let password = "old";
    const source = createDecoderCache({ url: registry.url, username: "ada", password: { read: () => password } });
    await source.load(1);
    password = "new";
    await source.load(2);
    expect(registry.authorizations).toEqual([`Basic ${btoa("ada:old")}`, `Basic ${btoa("ada:new")}`]);
  });

  it.each([301, 302, 307, 308])("does not follow a redirect with status %i", async (status) => {
    await using stranger = await createFakeRegistry({ [path]: { status: 200, body: { schema } } });
    await using registry = await createFakeRegistry({ [path]: { status, location: `${stranger.url}/schemas/ids/1` } });
    const source = createDecoderCache({ url: registry.url, username: "ada", password: { read: () => "s3cret" } });
    const error = expect.stringContaining(`got a redirect (status ${status}), which is not followed`) as string;
    expect(await source.load(1)).toEqual({ kind: "registry_down", error });
    expect(stranger.requests).toEqual([]);
  });

  it("cuts off a response that is too long", async () => {
    const long = { status: 200, raw: `{"schema":"${"x".repeat(11 * 1024 * 1024)}"}` };
    await using registry = await createFakeRegistry({ [path]: long });
    const error = expect.stringContaining("got an answer of more than 10485760 bytes") as string;
    expect(await createDecoderCache({ url: registry.url }).load(1)).toEqual({ kind: "registry_down", error });
  });

  it("decodes records of a JSON schema as JSON without validation", async () => {
    await using registry = await createFakeRegistry({
      [path]: { status: 200, body: { schemaType: "JSON", schema: '{"type":"x?"}' } },
    });
    const source = createDecoderCache({ url: registry.url });
    await source.load(1);
    const decode = source.peek(1);
    expect(typeof decode === "function" && decode(Buffer.from('{"type":"track"}'))).toEqual({ type: "track" });
  });

  it.each<[name: string, body: object, error: string]>([
    [
      "Protobuf",
      { schemaType: "PROTOBUF", schema: 'syntax = "proto3"; message A {}' },
      "got type PROTOBUF, want AVRO or JSON",
    ],
    ["another kind", { schemaType: "XML", schema: "" }, "got type XML, want AVRO or JSON"],
    ["a broken Avro schema", { schema: '{"type":"nonsense"}' }, "Cannot use Avro schema 1"],
    ["an Avro schema that is no JSON", { schema: "{" }, "Cannot use Avro schema 1"],
  ])("makes every record of %s undecodable and asks once", async (_name, body, error) => {
    await using registry = await createFakeRegistry({ [path]: { status: 200, body } });
    const source = createDecoderCache({ url: registry.url });
    expect(await source.load(1)).toEqual({ kind: "undecodable", error: expect.stringContaining(error) as string });
    const decode = source.peek(1);
    expect(() => typeof decode === "function" && decode(payload)).toThrow(error);
  });

  it("keeps a thousand schemas at most", async () => {
    await using registry = await createFakeRegistry();
    const source = createDecoderCache({ url: registry.url });
    for (let id = 1; id <= 1_001; id++)
      registry.replies.set(`GET /schemas/ids/${id}`, { status: 200, body: { schema } });
    for (let id = 1; id <= 1_001; id++) await source.load(id);
    expect([source.peek(1), typeof source.peek(2), typeof source.peek(1_001)]).toEqual([
      undefined,
      "function",
      "function",
    ]);
  });
});

describe("prewarm()", () => {
  const latest = "GET /subjects/events-value/versions/latest";

  it("loads the newest value schema of every topic", async () => {
    await using registry = await createFakeRegistry({
      [latest]: { status: 200, body: { subject: "events-value", id: 1, version: 3, schema } },
      "GET /subjects/a%20b%2Fc-value/versions/latest": { status: 200, body: { id: 2, schema } },
      [path]: { status: 200, body: { schema } },
      "GET /schemas/ids/2": { status: 200, body: { schema } },
    });
    const source = createDecoderCache({ url: registry.url });
    await source.prewarm(["events", "a b/c", "nobody's"]);
    expect([typeof source.peek(1), typeof source.peek(2), source.peek(3)]).toEqual(["function", "function", undefined]);
  });

  it("does not ask again for a known schema, nor twice for a schema of two topics", async () => {
    await using registry = await createFakeRegistry({
      [latest]: { status: 200, body: { id: 1, schema } },
      "GET /subjects/more-value/versions/latest": { status: 200, body: { id: 1, schema } },
      [path]: { status: 200, body: { schema } },
    });
    const source = createDecoderCache({ url: registry.url });
    await source.prewarm(["events", "more"]);
    await source.prewarm(["events"]);
    expect(registry.requests.filter((request) => request === path)).toHaveLength(1);
  });

  it.each<[name: string, reply: FakeReply]>([
    ["500", { status: 500, body: null }],
    ["401", { status: 401, raw: "" }],
    ["a page", { status: 200, raw: "<html>" }],
    ["an id that is none", { status: 200, body: { id: "1" } }],
    ["an answer that breaks off", "break"],
    ["no answer in time", "hang"],
  ])("ignores %s, and a record may ask later", async (_name, reply) => {
    await using registry = await createFakeRegistry({ [latest]: reply, [path]: { status: 200, body: { schema } } });
    const source = createDecoderCache({ url: registry.url, timeoutMs: 300 });
    await expect(source.prewarm(["events"])).resolves.toBeUndefined();
    expect(source.peek(1)).toBeUndefined();
    expect((await source.load(1)).kind).toBe("decoder");
  });

  it("ignores a registry that does not listen, and an invalid address", async () => {
    const closed = await createFakeRegistry();
    await closed[Symbol.asyncDispose]();
    await expect(createDecoderCache({ url: closed.url }).prewarm(["events"])).resolves.toBeUndefined();
    await expect(createDecoderCache({ url: "nowhere" }).prewarm(["events"])).resolves.toBeUndefined();
  });
});
