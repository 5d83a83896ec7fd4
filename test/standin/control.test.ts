import { describe, expect, it } from "vitest";

import { createStandin, type Standin } from "../../src/standin/standin.ts";
import { accessKey, failureOf, sampleEvent, sendEvent, withStandin } from "./with-standin.ts";

const call = (standin: Standin, path: string, method = "GET", body?: string): Promise<Response> =>
  fetch(standin.url + path, body === undefined ? { method } : { method, body });

const read = async (standin: Standin, path: string): Promise<unknown> => (await call(standin, path)).json();

describe("the control routes", () => {
  it("add a fault, list it and end it", () =>
    withStandin(async (standin) => {
      const added = await call(standin, "/standin/faults", "POST", '{"kind":"outage","mode":"503"}');
      expect([added.status, await added.json()]).toEqual([201, { id: "f1", kind: "outage", mode: "503", used: 0 }]);
      expect((await sendEvent(standin)).status).toBe(503);
      expect(await read(standin, "/standin/faults")).toEqual([{ id: "f1", kind: "outage", mode: "503", used: 1 }]);
      expect((await call(standin, "/standin/faults/f1", "DELETE")).status).toBe(200);
      expect((await call(standin, "/standin/faults/f1", "DELETE")).status).toBe(404);
      expect((await sendEvent(standin)).status).toBe(200);
    }));

  it("end all faults at once", () =>
    withStandin(async (standin) => {
      for (let added = 0; added < 2; added += 1) standin.faults.add({ kind: "redirect" });
      expect(await (await call(standin, "/standin/faults", "DELETE")).json()).toEqual({ ended: 2 });
      expect(standin.faults.list()).toEqual([]);
    }));

  it.each([
    ["nonsense", "Cannot read the fault: want one JSON object"],
    ['{"kind":"latency","ms":"5"}', "Cannot use the fault's 'ms'"],
  ])("reject the fault %j with a sentence", (body, sentence) =>
    withStandin(async (standin) => {
      const response = await call(standin, "/standin/faults", "POST", body);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: expect.stringContaining(sentence) });
    }),
  );

  it("respond to the request that adds a refuse fault, then refuse connections", () =>
    withStandin(async (standin) => {
      const fault = '{"kind":"outage","mode":"refuse","durationMs":400}';
      expect((await call(standin, "/standin/faults", "POST", fault)).status).toBe(201);
      await expect.poll(() => failureOf(call(standin, "/")), { interval: 5 }).toBe("ECONNREFUSED");
      await expect.poll(() => failureOf(call(standin, "/")), { timeout: 4_000 }).toBe("no failure");
    }));

  it("stay reachable during every other fault, and are not counted", () =>
    withStandin(async (standin) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      expect(await read(standin, "/standin/stats")).toMatchObject({ total: 0 });
      expect((await call(standin, "/standin/nothing")).status).toBe(404);
      expect((await call(standin, "/standin/stats", "POST")).status).toBe(405);
      expect(standin.stats().total).toBe(0);
    }));

  it("list the calls, without traits and properties", () =>
    withStandin(async (standin) => {
      await sendEvent(standin);
      const text = JSON.stringify(await read(standin, "/standin/requests"));
      expect(JSON.parse(text)).toMatchObject([
        { status: 200, type: "track", messageId: "m1", userId: "u1", event: "Order Completed" },
      ]);
      expect(text).not.toContain("a1");
    }));

  it.each(["0", "1001", "x", "-1", ""])("reject last=%j", (last) =>
    withStandin(async (standin) => {
      const response = await call(standin, `/standin/requests?last=${last}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("want a whole number from 1 to 1000");
    }),
  );

  it("return the ledger as counts, or its ids one per line", () =>
    withStandin(async (standin) => {
      const ids = Array.from({ length: 2_500 }, (_, index) => `m${index}`);
      for (let from = 0; from < ids.length; from += 100) {
        const batch = ids.slice(from, from + 100);
        await Promise.all(batch.map((messageId) => sendEvent(standin, { ...sampleEvent, messageId })));
      }
      await sendEvent(standin);
      expect(await read(standin, "/standin/ledger")).toEqual({
        distinct: 2_500,
        duplicates: 1,
        inversions: 0,
        withoutMessageId: 0,
      });
      const response = await call(standin, "/standin/ledger?ids=true");
      expect(response.headers.get("content-type")).toContain("text/plain");
      const lines = (await response.text()).split("\n");
      expect(lines.pop()).toBe("");
      expect(new Set(lines)).toEqual(new Set(ids));
    }));

  it("clear the call log and the ledger on reset, and keep the faults", () =>
    withStandin(async (standin) => {
      await sendEvent(standin);
      standin.faults.add({ kind: "redirect" });
      expect((await call(standin, "/standin/reset", "POST")).status).toBe(200);
      expect(standin.stats()).toMatchObject({ total: 0, delivered: 0, distinct: 0 });
      expect(await read(standin, "/standin/requests")).toEqual([]);
      expect(standin.faults.list()).toHaveLength(1);
    }));

  it("list themselves at /", () =>
    withStandin(async (standin) => {
      expect(await (await call(standin, "/")).text()).toContain("POST   /standin/faults");
    }));
});

describe("createStandin()", () => {
  it("uses a free port below the range for outgoing connections", () =>
    withStandin(async (standin) => {
      expect(standin.port).toBeLessThan(32_768);
      await Promise.resolve();
    }));

  it("rejects if the port is in use", () =>
    withStandin(async ({ port }) => {
      await expect(createStandin({ accessKey, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    }));
});
