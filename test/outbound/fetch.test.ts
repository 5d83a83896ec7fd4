import { describe, expect, it } from "vitest";

import { requestRegistry } from "../../src/decoding/registry/rest.ts";
import { createFetch } from "../../src/outbound/fetch.ts";
import { readUserAgent } from "../../src/outbound/user-agent.ts";
import { createFakeRegistry } from "../decoding/registry/fake-registry.ts";
import { withProxy } from "./with-proxy.ts";

const request = { method: "GET", path: "/subjects" } as const;
const userAgent = readUserAgent();

describe("createFetch()", () => {
  it("sends our name and version as user agent", async () => {
    expect(userAgent).toMatch(/^gainstream\/\d+\.\d+\.\d+/);
    await using registry = await createFakeRegistry({ "GET /subjects": { status: 200, body: {} } });
    await requestRegistry({ url: registry.url, fetch: createFetch({ userAgent }) }, request);
    expect(registry.headers).toMatchObject([{ "user-agent": userAgent, accept: "application/json" }]);
  });

  it("sends requests through a proxy, also with a body", () =>
    withProxy(async (proxy) => {
      await using registry = await createFakeRegistry({ "POST /subjects/a": { status: 200, body: { id: 7 } } });
      const target = { url: registry.url, fetch: createFetch({ userAgent, proxy: { origin: proxy.url } }) };
      for (let count = 0; count < 2; count++) {
        const reply = await requestRegistry(target, { method: "POST", path: "/subjects/a", body: { schema: "x" } });
        expect(reply).toEqual({ status: 200, body: { id: 7 } });
      }
      expect(new Set(proxy.asked)).toEqual(new Set([new URL(registry.url).host]));
      expect(proxy.forwards).toEqual([]);
    }));

  it("follows no redirect", async () => {
    await using registry = await createFakeRegistry({ "GET /subjects": { status: 302, location: "/elsewhere" } });
    const asking = requestRegistry({ url: registry.url, fetch: createFetch({ userAgent }) }, request);
    await expect(asking).rejects.toThrow("got a redirect (status 302), which is not followed");
    expect(registry.requests).toEqual(["GET /subjects"]);
  });

  it.each([
    [407, "requires credentials (407)"],
    [503, "cannot reach"],
    ["hang", "no answer within 80 ms"],
  ] as const)("explains in the error of the registry that the proxy does %j", (mood, text) =>
    withProxy(async (proxy) => {
      proxy.mood = mood;
      await using registry = await createFakeRegistry();
      const fetch = createFetch({ userAgent, proxy: { origin: proxy.url }, connectTimeoutMs: 100 });
      const asking = requestRegistry({ url: registry.url, fetch }, request);
      await expect(asking).rejects.toThrow(
        /^Cannot reach the schema registry at 127\.0\.0\.1:\d+: .*proxy 127\.0\.0\.1:\d+/,
      );
      await expect(asking).rejects.toThrow(text);
    }),
  );
});
