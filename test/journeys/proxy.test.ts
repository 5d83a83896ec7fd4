import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Type } from "avsc";
import { describe, inject } from "vitest";

import { encodeEvent, frame } from "../../local/events.ts";
import { shippedSchema } from "../../src/config/shipped-schema.ts";
import { registerSchema } from "../../src/decoding/registry/register.ts";
import { readUserAgent } from "../../src/outbound/user-agent.ts";
import { type Proxy, createProxy } from "../outbound/with-proxy.ts";
import { createAuthority } from "../security/certificates.ts";
import { encrypt } from "../security/encrypt.ts";
import { type Story, deliveredIds, journey, patient, recordCalls, trackEvent, tracks } from "./story.ts";

const startProxy = async ({ onEnd }: Story): Promise<Proxy> => {
  const proxy = await createProxy();
  onEnd(proxy.close);
  return proxy;
};

/** The recording server in front of the stand-in and the proxy, both with TLS, and their certificate authority. */
const startHttps = async (story: Story, proxy: Proxy) => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-proxy-"));
  story.onEnd(() => rm(folder, { recursive: true }));
  const { ca, sign } = await createAuthority(folder, "ours");
  const { url, calls } = await recordCalls(story);
  const certificate = await sign("both");
  const [gainsight, secure] = await Promise.all([
    encrypt(story, url, certificate),
    encrypt(story, proxy.url, certificate),
  ]);
  return { ca, calls, gainsightUrl: gainsight.url, proxyUrl: secure.url };
};

describe.concurrent("a proxy on the way out", () => {
  /*
   * All outgoing traffic must use a proxy with credentials: Gainsight over https, the registry over http, and the proxy
   * itself over both. Every event arrives, and each request has our User-Agent. Then the proxy rejects the credentials:
   * the service holds, no event loses an attempt, and it continues by itself.
   */
  journey("accepts credentials; the service holds while it rejects them", async ({ story, expect }) => {
    const proxy = await startProxy(story);
    proxy.credentials = "paul:first-Secret";
    const https = await startHttps(story, proxy);
    const schema = readFileSync(shippedSchema.path, "utf8");
    const { id } = await registerSchema({ url: inject("registryUrl"), subject: `${story.source}-value`, schema });
    const type = Type.forSchema(JSON.parse(schema));
    const produce = (first: number, count: number): Promise<void> =>
      story.produce(
        Array.from({ length: count }, (_, index) => ({
          key: "u1",
          value: frame(id, encodeEvent(trackEvent("u1", first + index), type)),
        })),
      );
    await produce(1, 20);
    const withCredentials = (url: string): string => url.replace("//", "//paul:first-Secret@");
    const service = await story.start({
      GAINSIGHT_URL: https.gainsightUrl,
      HTTPS_PROXY: withCredentials(proxy.url),
      http_proxy: withCredentials(https.proxyUrl),
      NODE_EXTRA_CA_CERTS: https.ca,
      INPUT_FORMAT: "registry",
      BREAKER_MIN_CALLS: "1",
      BREAKER_PROBE_MAX: "400ms",
    });
    await expect.poll(() => deliveredIds(story).length, patient).toBe(20);
    expect(new Set(proxy.asked)).toEqual(
      new Set([new URL(https.gainsightUrl).host, new URL(inject("registryUrl")).host]),
    );
    expect(proxy.forwards).toEqual([]);
    const wanted = { "user-agent": readUserAgent(), accept: "application/json", "content-type": "application/json" };
    for (const { headers } of https.calls) {
      expect(headers).toMatchObject(wanted);
      expect(headers).not.toHaveProperty("proxy-authorization");
    }

    proxy.credentials = "paul:second-Secret";
    // A call on a connection that the service still considers open would fail for that reason, not for the credentials.
    await proxy.hangUp();
    await produce(21, 20);
    const error = `The proxy ${proxy.host} refuses the credentials (407)`;
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: ["target_down"] });
    expect(service.logs).toContainEqual(expect.objectContaining({ level: "warn", hold: "target_down", error }));
    proxy.credentials = "paul:first-Secret";
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(40);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    expect(await service.stop()).toBe(0);
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
    expect(await story.read(story.deadLetters)).toEqual([]);
    expect(JSON.stringify(service.logs) + service.errors()).not.toMatch(/first-Secret|paul|Basic /);
  });

  /*
   * The configured proxy is unreachable. The service holds, and the log names the proxy. With NO_PROXY the service
   * reaches the same address directly.
   */
  journey("that is unreachable holds delivery, and NO_PROXY bypasses it", async ({ story, expect }) => {
    const proxy = await startProxy(story);
    await proxy.close();
    await story.produce(tracks("u1", 1, 3));
    const env = { HTTP_PROXY: proxy.url, BREAKER_MIN_CALLS: "1", INPUT_FORMAT: "json" };
    const service = await story.start(env);
    await expect.poll(() => service.readiness(), patient).toMatchObject({ holds: ["target_down"] });
    const { host } = new URL(story.standin.url);
    const error = `Cannot reach ${host} through the proxy ${proxy.host} (ECONNREFUSED)`;
    expect(service.logs).toContainEqual(expect.objectContaining({ hold: "target_down", error }));
    expect(await service.stop()).toBe(0);

    const around = await story.start({ ...env, NO_PROXY: "127.0.0.0/8" });
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await around.stop()).toBe(0);
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
  });

  /*
   * The address of the proxy is invalid. The service does not start. It names the variable to correct, without the
   * password.
   */
  journey("that is configured wrongly is named at the start", async ({ story, expect }) => {
    const service = await story.launch({ https_proxy: "socks5://paul:first-Secret@proxy:1080" });
    expect(await service.exit).toBe(78);
    expect(service.errors()).toMatch(/https_proxy: got '\*\*\*@proxy:1080', want an http:\/\/ or https:\/\/ address/);
    expect(service.errors()).not.toContain("first-Secret");
  });
});
