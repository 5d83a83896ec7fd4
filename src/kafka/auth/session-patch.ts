import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";

interface Connection {
  /** As process.hrtime() has it. */
  readonly authenticatedAt: [number, number] | null;
  /** Milliseconds, as a number of 64 bits; 0: without an end. */
  readonly sessionLifetime: { readonly toString: () => string };
  readonly requestQueue: { readonly checkPendingRequests: () => void };
  readonly sasl: { readonly hasToken?: () => boolean; readonly isReady?: () => boolean } | null;
}

interface Sending {
  readonly request: { readonly encode: () => Promise<unknown> };
}

interface ConnectionClass {
  readonly prototype: {
    isAuthenticated: (this: Connection) => boolean;
    send: (this: Connection, sending: Sending) => Promise<unknown>;
  };
}

interface Authenticator {
  readonly connection: Connection;
}

interface AuthenticatorClass {
  readonly prototype: { authenticate: (this: Authenticator) => Promise<void> };
}

/** The share of a session after which a connection logs in anew. */
const dueAfter = 0.8;
/** Brokers refuse a second log-in within a second. */
const leastMs = 1_100;

/** Whether a connection that has logged in has to do so anew before its next request. */
const mustLogIn = ({ sessionLifetime, sasl }: Connection, since: [number, number]): boolean => {
  const lifetimeMs = Number(sessionLifetime.toString()) || Number.POSITIVE_INFINITY;
  const [seconds, nanoseconds] = process.hrtime(since);
  const ageMs = seconds * 1_000 + nanoseconds / 1e6;
  if (ageMs < Math.max(lifetimeMs * dueAfter, leastMs)) return false;
  const isPossible = ageMs < lifetimeMs ? sasl?.isReady : sasl?.hasToken;
  return isPossible?.() ?? true;
};

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * kafkajs 2.2.4 logs in anew when less than 10 s of a session are left. In a shorter one, as with a token that is about to expire, it
 * does so before every request, and brokers refuse the second one within a second with ILLEGAL_SASL_STATE, which ends the consumer. Here
 * a connection logs in anew after four fifths of its session, if there is something to log in with. If not, it is used until the broker
 * closes it.
 *
 * Between the two requests of a log-in brokers take no other: they answer it with ILLEGAL_SASL_STATE and close the connection. kafkajs
 * looks whether a log-in is due before it encodes a request, so that one that takes long to encode is written just there. Here it is
 * encoded first, and a log-in begins when all that were found to need none have been written.
 *
 * The first test to fail after an update is test/kafka/auth/session-patch.test.ts.
 */
export const patchSession = (): void => {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = require("kafkajs/src/network/connection") as ConnectionClass;
  const { prototype: authenticator } = require("kafkajs/src/broker/saslAuthenticator") as AuthenticatorClass;
  const { send } = prototype;
  const { authenticate } = authenticator;
  const loggingIn = new WeakSet<Connection>();
  prototype.isAuthenticated = function isAuthenticated() {
    return !loggingIn.has(this) && this.authenticatedAt !== null && !mustLogIn(this, this.authenticatedAt);
  };
  prototype.send = async function sendEncoded(sending) {
    if (!this.sasl) return send.call(this, sending);
    const encoded = await sending.request.encode();
    return send.call(this, { ...sending, request: { ...sending.request, encode: async () => encoded } });
  };
  authenticator.authenticate = async function authenticateAlone() {
    loggingIn.add(this.connection);
    try {
      await setImmediate();
      // Those that a throttling broker made wait: the queue lets others overtake them for a moment when that is over.
      this.connection.requestQueue.checkPendingRequests();
      await authenticate.call(this);
    } finally {
      loggingIn.delete(this.connection);
    }
  };
};
