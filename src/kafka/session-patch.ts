import { createRequire } from "node:module";

interface Connection {
  /** As process.hrtime() has it. */
  readonly authenticatedAt: [number, number] | null;
  /** Milliseconds, as a number of 64 bits; 0: without an end. */
  readonly sessionLifetime: { readonly toString: () => string };
  readonly sasl: { readonly hasToken?: () => boolean; readonly isReady?: () => boolean } | null;
}

interface ConnectionClass {
  readonly prototype: { isAuthenticated(this: Connection): boolean };
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
 * does so before every request, and brokers refuse the second one within a second with ILLEGAL_SASL_STATE, which ends the consumer. This
 * replaces the one method that decides: a connection logs in anew after four fifths of its session, if there is something to log in
 * with. If not, it is used until the broker closes it. The first test to fail after an update is test/kafka/session-patch.test.ts.
 */
export const patchSession = (): void => {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = require("kafkajs/src/network/connection") as ConnectionClass;
  prototype.isAuthenticated = function isAuthenticated() {
    return this.authenticatedAt !== null && !mustLogIn(this, this.authenticatedAt);
  };
};
