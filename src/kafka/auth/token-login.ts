// Node does not find the errors among the named exports of kafkajs.
import kafkajs, { type AuthenticationProviderArgs, type Mechanism } from "kafkajs";

import { toError } from "../../core/to-error.ts";
import { isProgrammingError } from "../own-errors.ts";
import type { Tokens } from "./tokens.ts";

/** A log-in in kafkajs's form. A log-in with tokens also has the methods that tell the session patch when it can log in again. */
export interface LoginMechanism
  extends Mechanism, Partial<Pick<Tokens, "hasToken" | "isFresh" | "renewIfStale" | "problem">> {}

export interface TokenLoginOptions {
  readonly tokens: Tokens;
  /** SASL extensions, which the broker gets with the token. */
  readonly extensions?: Readonly<Record<string, string>> | undefined;
  /** What to check if the broker refuses the token. */
  readonly hint: string;
}

const separator = "\u0001";

/** Kafka's frame of a message from the client to the broker: its length comes first. */
const frameMessage = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeInt32BE(bytes.length);
  bytes.copy(frame, 4);
  return frame;
};

type SaslExchange = AuthenticationProviderArgs["saslAuthenticate"];

/** Sends one message of the log-in and returns the broker's answer. */
const exchangeMessage = async (exchange: SaslExchange, message: string): Promise<string> => {
  const response = await exchange<string>({
    request: { encode: () => frameMessage(message) },
    response: { decode: (raw) => raw, parse: (raw) => raw.subarray(4).toString() },
  });
  return response ?? "";
};

const readStatus = (response: string): string => /"status"\s*:\s*"(\w{1,60})"/.exec(response)?.[1] ?? "no reason given";

/**
 * Logs in by SASL/OAUTHBEARER (https://www.rfc-editor.org/rfc/rfc7628). Returns the reason if the broker refuses the token, and otherwise
 * an empty text. A broker refuses in two steps (section 3.2.3): it answers with the reason and waits for a confirmation. kafkajs's own
 * log-in takes the first answer for success, and its next request breaks the connection.
 */
const authenticateWithToken = async (
  token: string,
  extensions: TokenLoginOptions["extensions"],
  exchange: SaslExchange,
): Promise<string> => {
  const pairs = Object.entries({ auth: `Bearer ${token}`, ...extensions }).map(([name, value]) => `${name}=${value}`);
  const response = await exchangeMessage(exchange, `n,,${separator}${pairs.join(separator)}${separator}${separator}`);
  if (response === "") return "";
  await exchangeMessage(exchange, separator).catch((error: unknown) => {
    if (isProgrammingError(error)) throw error;
  });
  return readStatus(response);
};

/**
 * Brokers refuse another principal on an open connection. The principal of an AWS role contains the name of its session, which some
 * credential providers change at every renewal. The token itself is good: the broker closes the connection, and a new one accepts it.
 */
const isPrincipalChange = (refusal: string): boolean => /cannot change principals/i.test(refusal);

/**
 * A log-in with a token. If there is no token or the broker refuses it, it throws a connection error, which kafkajs retries; kafkajs's
 * own error for a refused log-in would end the consumer.
 */
export const createTokenLogin = ({ tokens, extensions, hint }: TokenLoginOptions): LoginMechanism => {
  let newestToken = "";
  /** Why the brokers refused the newest token; undefined as soon as one accepts it. */
  let lastRefusal: string | undefined;
  const authenticate = async ({ host, port, saslAuthenticate }: AuthenticationProviderArgs): Promise<void> => {
    const connectionError = (reason: string): Error =>
      new kafkajs.KafkaJSConnectionError(reason, { broker: `${host}:${port}` });
    const token = await tokens.get().catch((error: unknown) => {
      throw isProgrammingError(error) ? error : connectionError(toError(error).message);
    });
    newestToken = token;
    const refusal = await authenticateWithToken(token, extensions, saslAuthenticate).catch((error: unknown) => {
      if (isProgrammingError(error)) throw error;
      return error instanceof kafkajs.KafkaJSProtocolError ? error.message.slice(0, 200) : Promise.reject(error);
    });
    if (isPrincipalChange(refusal)) throw connectionError(`The broker wants a new connection: ${refusal}`);
    const sentence = refusal === "" ? undefined : `The broker refuses the token: ${hint} (${refusal})`;
    if (token === newestToken) lastRefusal = sentence;
    if (sentence === undefined) return;
    tokens.invalidate(token);
    throw connectionError(sentence);
  };
  return {
    // Amazon MSK takes its signed tokens by this mechanism too.
    mechanism: "oauthbearer",
    authenticationProvider: (args) => ({ authenticate: () => authenticate(args) }),
    hasToken: tokens.hasToken,
    isFresh: tokens.isFresh,
    renewIfStale: tokens.renewIfStale,
    problem: () => lastRefusal ?? tokens.problem(),
  };
};
