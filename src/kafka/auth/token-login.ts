// Node does not see the error among the named exports of kafkajs.
import kafkajs, { type AuthenticationProviderArgs, type Mechanism } from "kafkajs";

import { isOwnError } from "../own-errors.ts";
import type { Tokens } from "./tokens.ts";

/** A way to log in, as kafkajs takes it. */
export interface LoginMechanism extends Mechanism, Partial<Pick<Tokens, "hasToken" | "isReady" | "problem">> {}

export interface TokenLoginOptions {
  readonly tokens: Tokens;
  /** What goes to the broker beside the token. */
  readonly extensions?: Readonly<Record<string, string>> | undefined;
  /** What to look at if the broker refuses the token. */
  readonly hint: string;
}

const separator = "\u0001";

/** As Kafka frames what goes from the client to the broker. */
const framed = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeInt32BE(bytes.length);
  bytes.copy(frame, 4);
  return frame;
};

type Exchange = AuthenticationProviderArgs["saslAuthenticate"];

/** Sends one message of the log-in, and gives what the broker answers to it. */
const send = async (exchange: Exchange, message: string): Promise<string> => {
  const answer = await exchange<string>({
    request: { encode: () => framed(message) },
    response: { decode: (raw) => raw, parse: (raw) => raw.subarray(4).toString() },
  });
  return answer ?? "";
};

const statusOf = (answer: string): string => /"status"\s*:\s*"(\w{1,60})"/.exec(answer)?.[1] ?? "no reason given";

/**
 * Logs in by SASL/OAUTHBEARER (RFC 7628). A broker that refuses a token first only says so, and waits for a sign that it was heard;
 * kafkajs's own log-in takes that for success, and its next request breaks the connection.
 */
const logIn = async (
  token: string,
  extensions: TokenLoginOptions["extensions"],
  exchange: Exchange,
): Promise<string> => {
  const pairs = Object.entries({ auth: `Bearer ${token}`, ...extensions }).map(([name, value]) => `${name}=${value}`);
  const answer = await send(exchange, `n,,${separator}${pairs.join(separator)}${separator}${separator}`);
  if (answer === "") return "";
  await send(exchange, separator).catch((error: unknown) => {
    if (isOwnError(error)) throw error;
  });
  return statusOf(answer);
};

/**
 * Brokers let nobody change their name on an open connection. The names of AWS's roles contain that of a session, which some give anew
 * with every renewal. The token is good, and the broker closes the connection: the next one takes it.
 */
const isNewName = (refusal: string): boolean => /cannot change principals/i.test(refusal);

/** To kafkajs a refused log-in is the end of a consumer; here it is a failed connection, which is tried again, as without a token. */
export const createTokenLogin = ({ tokens, extensions, hint }: TokenLoginOptions): LoginMechanism => {
  let newest = "";
  /** What the brokers said to the newest token, until they take one. */
  let refused: string | undefined;
  const authenticate = async ({ host, port, saslAuthenticate }: AuthenticationProviderArgs): Promise<void> => {
    const failed = (why: string): Error => new kafkajs.KafkaJSConnectionError(why, { broker: `${host}:${port}` });
    const token = await tokens.get().catch((error: unknown) => {
      throw isOwnError(error) ? error : failed(error instanceof Error ? error.message : String(error));
    });
    newest = token;
    const refusal = await logIn(token, extensions, saslAuthenticate).catch((error: unknown) => {
      if (isOwnError(error)) throw error;
      return error instanceof kafkajs.KafkaJSProtocolError ? error.message.slice(0, 200) : Promise.reject(error);
    });
    if (isNewName(refusal)) throw failed(`A new connection is needed: ${refusal}`);
    const sentence = refusal === "" ? undefined : `The broker refuses the token: ${hint} (${refusal})`;
    if (token === newest) refused = sentence;
    if (sentence === undefined) return;
    tokens.refuse(token);
    throw failed(sentence);
  };
  return {
    // To the broker, a token for Amazon MSK is one like any other.
    mechanism: "oauthbearer",
    authenticationProvider: (args) => ({ authenticate: () => authenticate(args) }),
    hasToken: tokens.hasToken,
    isReady: tokens.isReady,
    problem: () => refused ?? tokens.problem(),
  };
};
