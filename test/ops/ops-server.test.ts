import { createHash } from "node:crypto";
import { request } from "node:http";

import { afterEach, describe, expect, test } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { createOpsServer } from "../../src/ops/ops-server.ts";
import type { OpsServer, OpsServerOptions } from "../../src/ops/ops-server.ts";

const servers: OpsServer[] = [];

const start = async (options: Partial<OpsServerOptions> = {}): Promise<OpsServer> => {
  const server = await createOpsServer({
    host: "127.0.0.1",
    port: 0,
    live: () => ({ ok: true, detail: "moving" }),
    ready: () => ({ ok: true, reasons: [], holds: ["target_down"] }),
    status: () => ({ ready: true, holds: [], totals: { delivered: 3 } }),
    metrics: createMetrics(),
    log: createLog({ level: "silent" }),
    ...options,
  });
  servers.push(server);
  return server;
};

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe("createOpsServer()", () => {
  test("serves the results of the probes, and a hold does not make it unready", async () => {
    const { url } = await start();
    const [live, ready] = await Promise.all([fetch(`${url}/livez`), fetch(`${url}/readyz?verbose`)]);
    expect([live.status, await live.json()]).toEqual([200, { ok: true, detail: "moving" }]);
    expect([ready.status, await ready.json()]).toEqual([200, { ok: true, reasons: [], holds: ["target_down"] }]);
  });

  test("responds with 503 and the reasons while it is not ready", async () => {
    const { url } = await start({
      live: () => ({ ok: false, detail: "no progress for 60s" }),
      ready: () => ({ ok: false, reasons: ["not in the group"], holds: [] }),
    });
    const [live, ready] = await Promise.all([fetch(`${url}/livez`), fetch(`${url}/readyz`)]);
    expect([live.status, await live.json()]).toEqual([503, { ok: false, detail: "no progress for 60s" }]);
    expect([ready.status, await ready.json()]).toEqual([503, { ok: false, reasons: ["not in the group"], holds: [] }]);
  });

  test("serves metrics and status", async () => {
    const { url } = await start();
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await metrics.text()).toContain("gainstream_breaker_state 0");
    const status = await fetch(`${url}/api/status`);
    expect(await status.json()).toEqual({ ready: true, holds: [], totals: { delivered: 3 } });
  });

  test("serves a page whose policy allows its own style and script only", async () => {
    const response = await fetch((await start()).url);
    const policy = response.headers.get("content-security-policy") ?? "";
    const page = await response.text();
    for (const [, tag, content] of page.matchAll(/<(style|script)>([^]*?)<\/\1>/g)) {
      const hash = createHash("sha256").update(content!).digest("base64");
      expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test("serves HEAD without a body, other methods with 405 and other paths with 404", async () => {
    const { url } = await start();
    const head = await fetch(`${url}/api/status`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await fetch(`${url}/livez`, { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  test("responds with 500 and continues if the status throws", async () => {
    const { url } = await start({
      status: () => {
        throw new Error("Inner secret");
      },
    });
    const broken = await fetch(`${url}/api/status`);
    expect([broken.status, await broken.text()]).toEqual([500, "Cannot answer this request; see the log\n"]);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  test("names the port that is in use and the variable that changes it", async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(start({ port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: the port is in use, choose another with HTTP_PORT`,
    );
  });

  test("closes at once although a client keeps its connection open", async () => {
    const server = await start();
    const client = request(server.url, { headers: { connection: "keep-alive" } });
    const ended = new Promise((resolve) => {
      client.once("error", resolve);
      client.once("response", (response) => response.once("close", resolve));
    });
    client.flushHeaders();
    await server.close();
    await ended;
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow("fetch failed");
  });
});
