import { describe, expect, it } from "vitest";

import { accessKey, sampleEvent, sendEvent, withStandin } from "./with-standin.ts";

const json = { "Content-Type": "application/json" };

describe("POST /clickstream/segmentio/event", () => {
  it("accepts a Segment event with 200 and an empty object", () =>
    withStandin(async (standin) => {
      const response = await sendEvent(standin);
      expect([response.status, await response.text()]).toEqual([200, "{}"]);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("content-length")).toBe("2");
      expect([...standin.ledger().messageIds]).toEqual(["m1"]);
      expect(standin.stats()).toMatchObject({ total: 1, delivered: 1, distinct: 1, byStatus: { 200: 1 } });
    }));

  it.each([
    ["a wrong key", { ...json, accessKey: "another" }, 401],
    ["no key", json, 401],
    ["no content type", { accessKey, "Content-Type": "" }, 415],
    ["another content type", { accessKey, "Content-Type": "text/plain" }, 415],
    ["a content type with a charset", { accessKey, "Content-Type": "application/json; charset=utf-8" }, 200],
  ])("checks the headers: %s", (_title, headers, status) =>
    withStandin(async (standin) => {
      const response = await sendEvent(standin, sampleEvent, { headers });
      expect(response.status).toBe(status);
      expect(await response.json()).toBeTypeOf("object");
      expect(standin.ledger().distinct).toBe(status === 200 ? 1 : 0);
    }),
  );

  it("accepts an event if the address has a query", () =>
    withStandin(async (standin) => {
      const url = `${standin.url}/clickstream/segmentio/event?source=test`;
      const body = JSON.stringify(sampleEvent);
      const response = await fetch(url, { method: "POST", headers: { ...json, accessKey }, body });
      expect([response.status, standin.stats().delivered]).toEqual([200, 1]);
    }));

  it("never repeats a key that it rejects", () =>
    withStandin(async (standin) => {
      const response = await sendEvent(standin, sampleEvent, { headers: { ...json, accessKey: "secret-of-mine" } });
      expect(await response.text()).not.toContain("secret-of-mine");
    }));

  it("accepts another key after a change", () =>
    withStandin(async (standin) => {
      standin.setAccessKey("next");
      expect((await sendEvent(standin)).status).toBe(401);
      expect((await sendEvent(standin, sampleEvent, { headers: { ...json, accessKey: "next" } })).status).toBe(200);
    }));

  it.each([
    ["{", "Cannot read the body: got no JSON, want one JSON object"],
    ["", "Cannot read the body: got no JSON, want one JSON object"],
    ["[]", "Cannot read the body: got a list, want one JSON object"],
    ["{}", "Cannot take the event: 'type' is nothing, want a string"],
    ['{"type":5}', "Cannot take the event: 'type' is a number, want a string"],
    ['{"type":"track"}', "Cannot take the event: 'timestamp' is nothing, want ISO 8601"],
    ['{"type":"track","timestamp":"secret"}', "Cannot take the event: 'timestamp' is text of another form"],
    [
      '{"type":"track","timestamp":"2026-13-01T00:00:00Z"}',
      "Cannot take the event: 'timestamp' is text of another form",
    ],
    ['{"type":"track","timestamp":1767225600}', "Cannot take the event: 'timestamp' is a number"],
  ])("rejects the body %j with 400 and a sentence", (body, sentence) =>
    withStandin(async (standin) => {
      const response = await sendEvent(standin, undefined, { body });
      const text = await response.text();
      expect(response.status).toBe(400);
      expect(text).toContain(sentence);
      expect(text).not.toContain("secret");
    }),
  );

  it.each([
    [1_048_576, 200],
    [1_048_577, 413],
    [3_000_000, 413],
  ])("responds to a body of %i bytes with %i", (bytes, status) =>
    withStandin(async (standin) => {
      const frame = JSON.stringify({ ...sampleEvent, pad: "" });
      const body = frame.replace('"pad":""', `"pad":"${"x".repeat(bytes - frame.length)}"`);
      expect((await sendEvent(standin, undefined, { body })).status).toBe(status);
      expect(standin.stats().byStatus).toEqual({ [status]: 1 });
    }),
  );

  it("counts duplicates and inversions over the wire", () =>
    withStandin(async (standin) => {
      await sendEvent(standin);
      await sendEvent(standin);
      await sendEvent(standin, { ...sampleEvent, messageId: "m0", timestamp: "2026-01-31T11:59:59.999Z" });
      expect(standin.ledger()).toMatchObject({ distinct: 2, duplicates: 1, inversions: 1 });
    }));

  it("responds to another method with 405 and to another path with 404, and counts both", () =>
    withStandin(async (standin) => {
      const get = await fetch(`${standin.url}/clickstream/segmentio/event`);
      expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
      expect((await fetch(`${standin.url}/v1/other`, { method: "POST", body: "{}" })).status).toBe(404);
      expect(standin.stats().byStatus).toEqual({ 404: 1, 405: 1 });
    }));
});
