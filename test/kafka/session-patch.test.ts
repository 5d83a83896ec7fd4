import { createRequire } from "node:module";

import { describe, expect, it } from "vitest";

import { patchSession } from "../../src/kafka/session-patch.ts";

interface Connection {
  readonly authenticatedAt: [number, number] | null;
  readonly sessionLifetime: unknown;
  readonly sasl?: { readonly hasToken?: () => boolean; readonly isReady?: () => boolean };
}

interface ConnectionClass {
  readonly prototype: { readonly isAuthenticated: () => boolean };
  new (options: object): { isAuthenticated(): boolean } & Connection;
}

const require = createRequire(import.meta.url);
const ConnectionOfKafkajs = require("kafkajs/src/network/connection") as ConnectionClass;
const Long = require("kafkajs/src/utils/long") as { readonly fromValue: (value: number | string) => unknown };
const original = ConnectionOfKafkajs.prototype.isAuthenticated;
const logger = { namespace: () => logger, debug: () => {}, error: () => {} };

/** A connection that logged in so long ago, for a session of so many milliseconds. */
const connection = (agoMs: number, lifetimeMs: number, sasl: Connection["sasl"] = {}) => {
  const authenticatedAtMs = Number(process.hrtime.bigint() / 1_000_000n) - agoMs;
  return Object.assign(new ConnectionOfKafkajs({ host: "127.0.0.1", port: 1, logger, sasl }), {
    authenticatedAt: [Math.floor(authenticatedAtMs / 1_000), (authenticatedAtMs % 1_000) * 1e6],
    // As kafkajs makes it of a broker's answer.
    sessionLifetime: Long.fromValue(String(lifetimeMs)),
  });
};

describe("the session patch", () => {
  it("is still needed: kafkajs logs in anew before every request of a short session", () => {
    expect(original.call(connection(0, 9_000))).toBe(false);
  });

  it("really replaces the method that kafkajs calls, once", () => {
    patchSession();
    const patched = ConnectionOfKafkajs.prototype.isAuthenticated;
    expect(patched).not.toBe(original);
    patchSession();
    expect(ConnectionOfKafkajs.prototype.isAuthenticated).toBe(patched);
  });

  it.each<[string, number, number, boolean]>([
    ["without an end", 10_000_000, 0, true],
    ["at its beginning", 0, 9_000, true],
    ["before four fifths of it", 7_000, 9_000, true],
    ["after four fifths of it", 7_500, 9_000, false],
    ["of an hour, long before its end", 2_800_000, 3_600_000, true],
    ["of an hour, after 48 minutes", 2_900_000, 3_600_000, false],
    ["after its end", 10_000, 9_000, false],
    ["that is over at once, since brokers refuse two log-ins within a second", 900, 500, true],
    ["that was over at once, later", 1_200, 500, false],
  ])("takes a connection for logged in, or not: a session %s", (_, agoMs, lifetimeMs, isAuthenticated) => {
    expect(connection(agoMs, lifetimeMs).isAuthenticated()).toBe(isAuthenticated);
  });

  it("never takes a connection for logged in that has not begun", () => {
    const { prototype } = ConnectionOfKafkajs;
    expect(prototype.isAuthenticated.call(Object.assign(connection(0, 0), { authenticatedAt: null }))).toBe(false);
  });

  it.each<[string, { hasToken: boolean; isReady: boolean }, number, boolean]>([
    ["waits for a token that lasts", { hasToken: true, isReady: false }, 8_000, true],
    ["takes a token that lasts", { hasToken: true, isReady: true }, 8_000, false],
    ["takes any valid token after the session's end", { hasToken: true, isReady: false }, 10_000, false],
    ["lets the broker close the connection if there is none", { hasToken: false, isReady: false }, 10_000, true],
  ])("%s", (_, { hasToken, isReady }, agoMs, isAuthenticated) => {
    const sasl = { hasToken: () => hasToken, isReady: () => isReady };
    expect(connection(agoMs, 9_000, sasl).isAuthenticated()).toBe(isAuthenticated);
  });
});
