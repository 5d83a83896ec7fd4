import { describe, expect, it } from "vitest";

import { compareWithLatest, registerSchema } from "../../../src/decoding/registry/register.ts";
import { createFakeRegistry, type FakeReply } from "./fake-registry.ts";

const schema = '{"type":"string"}';
const subject = "segment-events-value";
const latest = `GET /subjects/${subject}/versions/latest`;
const lookup = `POST /subjects/${subject}`;
const post = `POST /subjects/${subject}/versions`;
const config = `PUT /config/${subject}`;
const compatibility = `POST /compatibility/subjects/${subject}/versions/latest?verbose=true`;
const found: FakeReply = { status: 200, body: { subject, id: 4, version: 2 } };

describe("registerSchema()", () => {
  it("registers under a new subject and makes it BACKWARD compatible", async () => {
    await using registry = await createFakeRegistry({
      [post]: found,
      [config]: { status: 200, body: {} },
      [lookup]: found,
    });
    expect(await registerSchema({ url: registry.url, subject, schema })).toEqual({ subject, id: 4, version: 2 });
    expect(registry.requests).toEqual([latest, post, config, lookup]);
  });

  it("does not change the compatibility of an existing subject", async () => {
    await using registry = await createFakeRegistry({ [latest]: found, [post]: found, [lookup]: found });
    await registerSchema({ url: registry.url, subject, schema });
    expect(registry.requests).toEqual([latest, post, lookup]);
  });

  it("passes on the registry's message if it refuses", async () => {
    const refusal = { status: 409, body: { error_code: 409, message: "Schema is incompatible" } };
    await using registry = await createFakeRegistry({ [latest]: found, [post]: refusal });
    const registering = registerSchema({ url: registry.url, subject, schema });
    await expect(registering).rejects.toThrow("got status 409: Schema is incompatible");
  });

  it("explains in one sentence if nothing listens", async () => {
    const closed = await createFakeRegistry();
    await closed[Symbol.asyncDispose]();
    const registering = registerSchema({ url: closed.url, subject, schema });
    await expect(registering).rejects.toThrow(/^Cannot reach the schema registry at .*: ECONNREFUSED; is it running/);
  });

  it("does not quote an address that is no URL", async () => {
    const registering = registerSchema({ url: "user:secret@nowhere", subject, schema });
    await expect(registering).rejects.toThrow(/^Cannot use the schema registry's address: want a URL such as/);
  });
});

describe("compareWithLatest()", () => {
  const isCompatible = (is_compatible: boolean, messages?: string[]): FakeReply => ({
    status: 200,
    body: { is_compatible, messages },
  });

  it.each<[kind: string, replies: Record<string, FakeReply>, comparison: object]>([
    ["new", {}, { kind: "new" }],
    ["same", { [latest]: found, [lookup]: found }, { kind: "same", version: 2 }],
    ["compatible", { [latest]: found, [compatibility]: isCompatible(true) }, { kind: "compatible", version: 2 }],
    [
      "compatible if it is an older version again",
      { [latest]: found, [lookup]: { status: 200, body: { id: 1, version: 1 } }, [compatibility]: isCompatible(true) },
      { kind: "compatible", version: 2 },
    ],
    [
      "incompatible, with the registry's reasons",
      { [latest]: found, [compatibility]: isCompatible(false, ["no default for region"]) },
      { kind: "incompatible", version: 2, reasons: ["no default for region"] },
    ],
    [
      "incompatible without reasons, as Apicurio does",
      { [latest]: found, [compatibility]: isCompatible(false) },
      { kind: "incompatible", version: 2, reasons: ["the registry gives no reason"] },
    ],
  ])("returns %s", async (_kind, replies, comparison) => {
    await using registry = await createFakeRegistry(replies);
    expect(await compareWithLatest({ url: registry.url, subject, schema })).toEqual(comparison);
  });
});
