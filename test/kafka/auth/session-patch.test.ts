import { createRequire } from "node:module";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { patchSession } from "../../../src/kafka/auth/session-patch.ts";
import { type SaslWire, authenticate, handshake, startSaslWire } from "./sasl-wire.ts";

interface Connection {
  readonly authenticatedAt: [number, number] | null;
  readonly sessionLifetime: unknown;
  readonly sasl?: { readonly hasToken?: () => boolean; readonly isFresh?: () => boolean };
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

/** A connection that logged in `agoMs` ago, for a session of `lifetimeMs`. */
const connection = (agoMs: number, lifetimeMs: number, sasl: Connection["sasl"] = {}) => {
  const authenticatedAtMs = Number(process.hrtime.bigint() / 1_000_000n) - agoMs;
  return Object.assign(new ConnectionOfKafkajs({ host: "127.0.0.1", port: 1, logger, sasl }), {
    authenticatedAt: [Math.floor(authenticatedAtMs / 1_000), (authenticatedAtMs % 1_000) * 1e6],
    // kafkajs's own form of a session's lifetime
    sessionLifetime: Long.fromValue(String(lifetimeMs)),
  });
};

describe("the session patch", () => {
  it("is still needed: kafkajs logs in again before every request of a short session", () => {
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
  ])("decides whether a connection is still logged in: a session %s", (_, agoMs, lifetimeMs, isAuthenticated) => {
    expect(connection(agoMs, lifetimeMs).isAuthenticated()).toBe(isAuthenticated);
  });

  it("never treats a connection as logged in before its first log-in", () => {
    const { prototype } = ConnectionOfKafkajs;
    expect(prototype.isAuthenticated.call(Object.assign(connection(0, 0), { authenticatedAt: null }))).toBe(false);
  });

  it.each<[string, { hasToken: boolean; isFresh: boolean }, number, boolean]>([
    ["waits for a fresh token", { hasToken: true, isFresh: false }, 8_000, true],
    ["logs in again with a fresh token", { hasToken: true, isFresh: true }, 8_000, false],
    [
      "logs in again with any valid token after the end of the session",
      { hasToken: true, isFresh: false },
      10_000,
      false,
    ],
    [
      "lets the broker close the connection if there is no valid token",
      { hasToken: false, isFresh: false },
      10_000,
      true,
    ],
  ])("%s", (_, { hasToken, isFresh }, agoMs, isAuthenticated) => {
    const sasl = { hasToken: () => hasToken, isFresh: () => isFresh };
    expect(connection(agoMs, 9_000, sasl).isAuthenticated()).toBe(isAuthenticated);
  });
});

interface OpenConnection extends Connection {
  readonly requestQueue: object;
  readonly connect: () => Promise<void>;
  readonly authenticate: () => Promise<void>;
  readonly disconnect: () => Promise<void>;
  readonly setVersions: (versions: object) => void;
  readonly setSupportAuthenticationProtocol: (isSupported: boolean) => void;
  readonly send: (sending: object) => Promise<unknown>;
}

const SocketOfKafkajs = require("kafkajs/src/network/socketFactory") as () => unknown;
const EncoderOfKafkajs = require("kafkajs/src/protocol/encoder") as new () => object;

/** A request of an unknown kind, whose encoding ends with `isEncoded`. */
const request = (apiKey: number, isEncoded: Promise<void> = Promise.resolve()): object => ({
  request: {
    apiKey,
    apiVersion: 0,
    apiName: String(apiKey),
    encode: () => isEncoded.then(() => new EncoderOfKafkajs()),
  },
  response: { decode: async () => ({}), parse: async () => "answered" },
});

describe("a connection with the session patch", () => {
  let wire: SaslWire;
  let tokens: { readonly isFresh: () => boolean };
  let renewals: number;
  let open: OpenConnection;

  beforeEach(async () => {
    patchSession();
    wire = await startSaslWire();
    tokens = { isFresh: () => true };
    renewals = 0;
    const sasl = {
      mechanism: "plain",
      isFresh: () => tokens.isFresh(),
      renewIfStale: () => void renewals++,
      authenticationProvider: ({ saslAuthenticate }: { saslAuthenticate: (exchange: object) => Promise<void> }) => ({
        authenticate: () => saslAuthenticate({ request: { encode: () => Buffer.alloc(4) } }),
      }),
    };
    const options = {
      host: "127.0.0.1",
      port: wire.port,
      logger,
      sasl,
      connectionTimeout: 1_000,
      requestTimeout: 1_000,
    };
    const made: unknown = new ConnectionOfKafkajs({ ...options, socketFactory: SocketOfKafkajs() });
    open = made as OpenConnection;
    open.setVersions({
      [handshake]: { minVersion: 0, maxVersion: 1 },
      [authenticate]: { minVersion: 0, maxVersion: 1 },
    });
    open.setSupportAuthenticationProtocol(true);
    await open.connect();
    await open.authenticate();
  });

  afterEach(async () => {
    await open.disconnect();
    await wire.close();
  });

  const endSession = (): void => void Object.assign(open, { authenticatedAt: connection(9_000, 0).authenticatedAt });

  /* A broker closes the connection if another request comes between the two. */
  it("writes nothing between the two requests of a log-in, however long a request takes to encode", async () => {
    const { promise: isEncoded, resolve } = Promise.withResolvers<void>();
    wire.onRequest = async (apiKey) => {
      if (apiKey !== handshake) return;
      resolve();
      await new Promise((later) => void setTimeout(later, 20));
    };
    const slow = open.send(request(100, isEncoded));
    endSession();
    expect(await Promise.all([slow, open.send(request(101))])).toEqual(["answered", "answered"]);
    expect(wire.keys.slice(2, 4)).toEqual([handshake, authenticate]);
    expect(new Set(wire.keys.slice(4))).toEqual(new Set([100, 101]));
  });

  it("writes a request before the log-in if the request was encoded before the log-in was due", async () => {
    const first = open.send(request(100));
    await Promise.resolve();
    const second = open.send(request(101));
    endSession();
    await Promise.all([first, second, open.send(request(102))]);
    expect(wire.keys.filter((key) => key < 100)).toEqual([handshake, authenticate, handshake, authenticate]);
    const at = wire.keys.lastIndexOf(handshake);
    expect(wire.keys[at + 1]).toBe(authenticate);
  });

  it("lets no log-in overtake a request that waits for a throttling broker", async () => {
    Object.assign(open.requestQueue, { throttledUntil: Date.now() + 50 });
    const waiting = open.send(request(100));
    await new Promise((later) => void setTimeout(later, 5));
    Object.assign(open.requestQueue, { throttledUntil: 0 });
    endSession();
    await Promise.all([waiting, open.send(request(101))]);
    expect(wire.keys.slice(2)).toEqual([100, handshake, authenticate, 101]);
  });

  it("has a stale token renewed at a request while the session is ending, and not before", async () => {
    tokens = { isFresh: () => false };
    await open.send(request(100));
    expect(renewals).toBe(0);
    endSession();
    await open.send(request(101));
    expect([renewals, wire.keys.slice(2)]).toEqual([1, [100, 101]]);
  });

  it("writes nothing between the two even if the token is no longer fresh", async () => {
    wire.onRequest = async (apiKey) => {
      if (apiKey !== handshake) return;
      tokens = { isFresh: () => false };
      void open.send(request(101));
      await new Promise((later) => void setTimeout(later, 20));
    };
    endSession();
    await open.send(request(100));
    expect(wire.keys.slice(2, 4)).toEqual([handshake, authenticate]);
  });
});
