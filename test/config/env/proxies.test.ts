import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { ConfigError } from "../../../src/config/config-error.ts";
import type { ProxyConfig } from "../../../src/config/env/proxies.ts";
import { type Environment, readConfig, readProxyFor } from "../../../src/config/env/read-config.ts";

const env = { HTTPS_PROXY: "http://s:1", HTTP_PROXY: "http://p:2" };

const shown = (proxy: ProxyConfig | undefined) => proxy && [proxy.origin, proxy.authorization?.read()];
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString("base64")}`;

const mistakesOf = (given: Environment): string => {
  try {
    readProxyFor(given, "https://a");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
};

describe("readProxyFor()", () => {
  test("goes by the scheme of the address, and by nothing else", () => {
    expect(shown(readProxyFor(env, "https://a"))).toEqual(["http://s:1", undefined]);
    expect(shown(readProxyFor(env, "http://a"))).toEqual(["http://p:2", undefined]);
    expect(readProxyFor({ HTTP_PROXY: "http://p:2" }, "https://a")).toBeUndefined();
    expect(readProxyFor({}, "https://a")).toBeUndefined();
  });

  test("leaves what is no address to whoever uses it", () => {
    expect(readProxyFor(env, "registry:8081")).toBeUndefined();
    expect(readProxyFor(env, "registry")).toBeUndefined();
  });

  test("takes the name in lower case before the other, unless it is empty", () => {
    const both = { https_proxy: "http://lower:1", HTTPS_PROXY: "http://upper:2" };
    expect(readProxyFor(both, "https://a")?.origin).toBe("http://lower:1");
    expect(readProxyFor({ ...both, https_proxy: " " }, "https://a")?.origin).toBe("http://upper:2");
    expect(readProxyFor({ ...both, no_proxy: "a", NO_PROXY: "b" }, "https://a")).toBeUndefined();
    expect(readProxyFor({ ...both, no_proxy: "a", NO_PROXY: "b" }, "https://b")).toBeDefined();
  });

  test.each([
    ["http://paul:secret@p:3128", "http://p:3128", basic("paul:secret")],
    ["http://paul@p:3128/", "http://p:3128", basic("paul:")],
    ["https://p%40ul:s%3Acr%2Fet@p", "https://p", basic("p@ul:s:cr/et")],
    ["http://[::1]:3128", "http://[::1]:3128", undefined],
  ])("parts %s into an address and credentials", (given, origin, authorization) => {
    expect(shown(readProxyFor({ HTTPS_PROXY: given }, "https://a"))).toEqual([origin, authorization]);
  });

  test.each([
    ["gainsight.com", true],
    ["event.gainsight.com", true],
    ["EVENT.Gainsight.com.", true],
    [".gainsight.com", true],
    ["*.gainsight.com", true],
    ["*.event.gainsight.com", false],
    ["*", true],
    ["*:8443", true],
    ["*:443", false],
    ["other, event.gainsight.com", true],
    ["other event.gainsight.com:8443", true],
    ["event.gainsight.com:443", false],
    ["sight.com", false],
    ["event.gainsight.com.other", false],
    ["10.0.0.0/8", false],
    ["", false],
    [",", false],
  ])("NO_PROXY=%j excepts https://event.gainsight.com:8443: %s", (NO_PROXY, isExcepted) => {
    const proxy = readProxyFor({ ...env, NO_PROXY }, "https://event.gainsight.com:8443/path");
    expect(proxy === undefined).toBe(isExcepted);
  });

  test.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.1.2.3/32", true],
    ["10.1.2.3", "10.1.2.3:80", true],
    ["10.1.2.3", "10.1.2.3:81", false],
    ["10.1.2.3", "10.0.0.0/33", false],
    ["10.1.2.3", "10.0.0.0/", false],
    ["10.1.2.3", "fd00::/8", false],
    ["[fd00::1]", "fd00::/8", true],
    ["[fd00::1]", "fd00::1", true],
    ["[fd00::1]", "[fd00::1]", true],
    ["[fd00::1]", "[fd00::1]:80", true],
    ["[fd00::1]", "[fd00::1]:81", false],
    ["registry.kafka.svc.cluster.local", ".svc.cluster.local", true],
    ["registry.", "registry", true],
  ])("finds http://%s in NO_PROXY=%s: %s", (host, NO_PROXY, isExcepted) => {
    expect(readProxyFor({ ...env, NO_PROXY }, `http://${host}`) === undefined).toBe(isExcepted);
  });

  test.each([
    ["proxy:3128", "'proxy:3128'"],
    ["proxy", "'proxy'"],
    ["socks5://proxy:1080", "'socks5://proxy:1080'"],
    ["http://proxy:3128/path", "***"],
    ["http://", "'http://'"],
    ["http://paul:hunter2@proxy:3128/path", "'***@proxy:3128/path'"],
    ["http://paul:hunter2@proxy:99999", "'***@proxy:99999'"],
    ["http://paul:%zzhunter2@proxy", "'***@proxy'"],
    ["http://paul:hunter2", "***"],
    ["paul:hunter2", "***"],
    ["http://proxy?hunter2", "***"],
  ])("refuses %s without showing a secret: got %s", (given, got) => {
    const message = mistakesOf({ https_proxy: given });
    expect(message).toContain(
      `https_proxy: got ${got}, want an http:// or https:// address, such as 'http://proxy:3128'`,
    );
    expect(message).not.toContain("hunter2");
  });
});

describe("readConfig()", () => {
  const least = { KAFKA_BROKERS: "kafka:9092", GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab" };

  test("finds the way to Gainsight and to the registry, each by its own address", () => {
    const given = { ...least, ...env, SCHEMA_REGISTRY_URL: "http://registry:8081" };
    const { gainsight, input } = readConfig(given);
    expect([gainsight.proxy, input.registry?.proxy].map(shown)).toEqual([
      ["http://s:1", undefined],
      ["http://p:2", undefined],
    ]);
    expect(readConfig({ ...given, NO_PROXY: "registry" }).input.registry?.proxy).toBeUndefined();
    expect(readConfig(least).gainsight.proxy).toBeUndefined();
  });

  test("shows no credentials of a proxy, however the configuration is printed", () => {
    const config = readConfig({ ...least, HTTPS_PROXY: "http://paul:hunter2@p:3128" });
    const printed = [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })].join();
    expect(printed).toContain("http://p:3128");
    expect(printed).not.toMatch(/hunter2|paul|cGF1bDpodW50ZXIy/);
  });

  test("names every proxy that is wrong", () => {
    const wrong = { ...least, HTTPS_PROXY: "s", http_proxy: "p" };
    expect(() => readConfig(wrong)).toThrow(/HTTPS_PROXY: got 's'.*\n.*http_proxy: got 'p'/);
  });
});
