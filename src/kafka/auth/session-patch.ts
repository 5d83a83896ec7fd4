import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";

import type { LoginMechanism } from "./token-login.ts";

interface Connection {
  /** The value of process.hrtime() at the log-in. */
  readonly authenticatedAt: [number, number] | null;
  /** How many milliseconds the broker accepts requests after a log-in, as kafkajs's number of 64 bits; 0 means without limit (KIP-368). */
  readonly sessionLifetime: { readonly toString: () => string };
  readonly requestQueue: { readonly checkPendingRequests: () => void };
  readonly sasl: Pick<LoginMechanism, "hasToken" | "isFresh" | "renewIfStale"> | null;
}

interface SendOptions {
  readonly request: { readonly encode: () => Promise<unknown> };
}

interface ConnectionClass {
  readonly prototype: {
    isAuthenticated: (this: Connection) => boolean;
    send: (this: Connection, sendOptions: SendOptions) => Promise<unknown>;
  };
}

interface Authenticator {
  readonly connection: Connection;
}

interface AuthenticatorClass {
  readonly prototype: { authenticate: (this: Authenticator) => Promise<void> };
}

/** A connection logs in again after this share of its session. */
const reauthenticateAfterShare = 0.8;
/** Brokers refuse a second log-in within one second. */
const minReauthenticationMs = 1_100;

/** `ending`: the connection should log in again before the session ends. `ended`: the broker may close the connection at the next request. */
type SessionState = "current" | "ending" | "ended";

const sessionStateOf = ({ sessionLifetime }: Connection, authenticatedAt: [number, number]): SessionState => {
  const lifetimeMs = Number(sessionLifetime.toString()) || Number.POSITIVE_INFINITY;
  const [seconds, nanoseconds] = process.hrtime(authenticatedAt);
  const ageMs = seconds * 1_000 + nanoseconds / 1e6;
  if (ageMs < Math.max(lifetimeMs * reauthenticateAfterShare, minReauthenticationMs)) return "current";
  return ageMs < lifetimeMs ? "ending" : "ended";
};

/**
 * Whether a connection should log in again before its next request. A log-in without tokens always can. One with tokens waits for a
 * fresh token while the session lasts, and takes any valid one afterwards.
 */
const mustReauthenticate = (state: SessionState, sasl: Connection["sasl"]): boolean => {
  if (state === "current") return false;
  const isTokenUsable = state === "ending" ? sasl?.isFresh : sasl?.hasToken;
  return isTokenUsable?.() ?? true;
};

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * Changes when the connections of kafkajs 2.2.4 log in again, and what they send meanwhile.
 *
 * When: kafkajs logs in again when less than 10 s of a session are left. In a shorter session, as with a token that is about to expire,
 * it does so before every request. Brokers refuse the second log-in within one second with ILLEGAL_SASL_STATE, which ends the consumer.
 * With the patch, a connection logs in again after four fifths of its session, if there is a token to log in with. If not, it is used
 * until the broker closes it.
 *
 * What: between the two requests of a log-in a broker accepts no other request. It answers with ILLEGAL_SASL_STATE and closes the
 * connection. kafkajs checks whether a log-in is due before it encodes a request, so a request that takes long to encode can be written
 * between the two. With the patch, requests are encoded before the check, and a log-in waits until all requests that passed the check
 * are written.
 *
 * After an update of kafkajs, test/kafka/auth/session-patch.test.ts fails first.
 */
export const patchSession = (): void => {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = require("kafkajs/src/network/connection") as ConnectionClass;
  const { prototype: authenticator } = require("kafkajs/src/broker/saslAuthenticator") as AuthenticatorClass;
  const { send } = prototype;
  const { authenticate } = authenticator;
  const authenticating = new WeakSet<Connection>();
  prototype.isAuthenticated = function isAuthenticated() {
    if (authenticating.has(this) || this.authenticatedAt === null) return false;
    return !mustReauthenticate(sessionStateOf(this, this.authenticatedAt), this.sasl);
  };
  prototype.send = async function sendEncoded(sendOptions) {
    if (!this.sasl) return send.call(this, sendOptions);
    if (this.authenticatedAt && sessionStateOf(this, this.authenticatedAt) === "ending") this.sasl.renewIfStale?.();
    const encoded = await sendOptions.request.encode();
    return send.call(this, { ...sendOptions, request: { ...sendOptions.request, encode: async () => encoded } });
  };
  authenticator.authenticate = async function authenticateAlone() {
    authenticating.add(this.connection);
    try {
      await setImmediate();
      // Writes the requests that waited for a throttling broker: when throttling ends, the queue briefly lets others overtake them.
      this.connection.requestQueue.checkPendingRequests();
      await authenticate.call(this);
    } finally {
      authenticating.delete(this.connection);
    }
  };
};
