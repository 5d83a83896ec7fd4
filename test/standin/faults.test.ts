import { connect } from "node:net";

import { describe, expect, it } from "vitest";

import type { Fault } from "../../src/standin/fault.ts";
import { createStandin } from "../../src/standin/standin.ts";
import { accessKey, failureOf, sampleEvent, sendEvent, withStandin } from "./with-standin.ts";

describe("faults", () => {
  it.each<[Fault, number, string]>([
    [{ kind: "outage", mode: "503" }, 503, "Service Unavailable"],
    [{ kind: "status", status: 500 }, 500, '{"error":'],
    [{ kind: "status", status: 502, body: "html" }, 502, "<html>"],
    [{ kind: "revoked-key" }, 401, "Cannot accept the access key"],
    [{ kind: "body-false" }, 200, '"result":false,"errorCode":"GU_1101"'],
    [{ kind: "body-false", errorCode: "GSOBJ_1002" }, 200, '"result":false,"errorCode":"GSOBJ_1002"'],
    [{ kind: "redirect" }, 302, "{}"],
  ])("%j responds in place of Gainsight, and the event is not accepted", (fault, status, text) =>
    withStandin(async (standin) => {
      standin.faults.add(fault);
      const response = await sendEvent(standin);
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(text);
      expect(standin.stats()).toMatchObject({ total: 1, delivered: 0, distinct: 0, byStatus: { [status]: 1 } });
      await standin.faults.clear();
      expect((await sendEvent(standin)).status).toBe(200);
    }),
  );

  it.each([["30"], ["Wed, 21 Oct 2026 07:28:00 GMT"], ["soon"]])("sends Retry-After %j unchanged", (retryAfter) =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "status", status: 429, retryAfter });
      expect((await sendEvent(standin)).headers.get("retry-after")).toBe(retryAfter);
    }),
  );

  it("sends 429 without Retry-After if none is given, and redirects to the same path", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "status", status: 429, count: 1 });
      standin.faults.add({ kind: "redirect" });
      expect((await sendEvent(standin)).headers.has("retry-after")).toBe(false);
      expect((await sendEvent(standin)).headers.get("location")).toBe("/clickstream/segmentio/event");
    }));

  it("sends no response during a hang, and 503 when it ends", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "outage", mode: "hang", durationMs: 60 });
      const before = performance.now();
      expect((await sendEvent(standin)).status).toBe(503);
      expect(performance.now() - before).toBeGreaterThan(50);
      await sendEvent(standin);
      expect(standin.stats().byStatus).toEqual({ 503: 1, 200: 1 });
      expect(standin.ledger().distinct).toBe(1);
    }));

  it("records a client that disconnects during a hang", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      await expect(sendEvent(standin, sampleEvent, { signal: AbortSignal.timeout(40) })).rejects.toThrow("timeout");
      await expect.poll(() => standin.stats().byStatus, { timeout: 4_000 }).toEqual({ hang: 1 });
      await standin.faults.clear();
      expect(standin.stats().byStatus).toEqual({ hang: 1 });
    }));

  it("resets the connection on a reset", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "outage", mode: "reset", count: 1 });
      expect(await failureOf(sendEvent(standin))).toBe("ECONNRESET");
      expect((await sendEvent(standin)).status).toBe(200);
      expect(standin.stats()).toMatchObject({ byStatus: { reset: 1, 200: 1 }, delivered: 1 });
    }));

  it("refuses connections for a time, closes the open ones, and listens again on the same port", () =>
    withStandin(async (standin) => {
      const idle = connect(standin.port, "127.0.0.1");
      const isClosed = new Promise((resolve) => idle.once("close", resolve));
      await sendEvent(standin);
      standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 400 });
      expect(await failureOf(sendEvent(standin))).toBe("ECONNREFUSED");
      await isClosed;
      await expect.poll(() => failureOf(sendEvent(standin)), { timeout: 4_000 }).toBe("no failure");
      expect(standin.stats().delivered).toBe(2);
    }));

  it("does not listen until the last of two refuse faults has ended, and listens when they are cleared", () =>
    withStandin(async (standin) => {
      const { id } = standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 60_000 });
      standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 60_000 });
      await standin.faults.clear(id);
      expect(await failureOf(sendEvent(standin))).toBe("ECONNREFUSED");
      await standin.faults.clear();
      expect((await sendEvent(standin)).status).toBe(200);
    }));

  it("closes while it refuses, hangs or delays", async () => {
    const standin = await createStandin({ accessKey });
    standin.faults.add({ kind: "outage", mode: "hang", match: { userId: "u1" } });
    standin.faults.add({ kind: "latency", ms: 60_000 });
    const hanging = failureOf(sendEvent(standin));
    standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 60_000 });
    await hanging;
    await standin.close();
    await standin.close();
    expect(await failureOf(sendEvent(standin))).toBe("ECONNREFUSED");
  });

  it("accepts a delayed event, also if its sender has disconnected", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "latency", ms: 400 });
      await expect(sendEvent(standin, sampleEvent, { signal: AbortSignal.timeout(30) })).rejects.toThrow("timeout");
      expect(standin.ledger().distinct).toBe(0);
      await expect.poll(() => standin.ledger().distinct, { timeout: 4_000 }).toBe(1);
    }));

  it("accepts an event whose response body is slow", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "slow-body", ms: 300 });
      const response = await sendEvent(standin);
      const headersAt = performance.now();
      expect(await response.text()).toBe("{}");
      expect(performance.now() - headersAt).toBeGreaterThan(100);
      expect(standin.ledger().distinct).toBe(1);
    }));

  it.each([2, 65_538, 3_000_001])("accepts an event and responds with a body of %i bytes", (bytes) =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "oversize-body", bytes });
      const text = await (await sendEvent(standin)).text();
      expect(text).toHaveLength(bytes);
      expect(JSON.parse(text)).toBeTypeOf("string");
      expect(standin.ledger().distinct).toBe(1);
    }),
  );

  it("still refuses a wrong key while only the response body is spoilt", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "oversize-body", bytes: 100 });
      expect((await sendEvent(standin, sampleEvent, { headers: { accessKey: "wrong" } })).status).toBe(401);
    }));

  it("affects only the user in its match", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "status", status: 500, match: { userId: "u1" } });
      expect((await sendEvent(standin)).status).toBe(500);
      expect((await sendEvent(standin, { ...sampleEvent, userId: "u2" })).status).toBe(200);
    }));
});
