import { type JsonAnswer, type Send, readJsonAnswer, reasonOf } from "../../outbound/json-answer.ts";
import { type Token, isToken } from "./tokens.ts";

export interface TokenServer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: { readonly read: () => string };
  readonly scope?: string | undefined;
  /** For the whole answer. */
  readonly timeoutMs?: number;
  /** Knows the way there. */
  readonly fetch?: Send | undefined;
}

const defaultTimeoutMs = 5_000;
const maxAnswerBytes = 64 * 1024;
/** For a server that does not say how long its tokens live. */
const defaultLifetimeMs = 5 * 60_000;

/** What mends an error that RFC 6749 names; its other words might hold what must not be logged. */
const hints: Readonly<Record<string, string>> = {
  invalid_client: "want KAFKA_SASL_OAUTH_CLIENT_ID and KAFKA_SASL_OAUTH_CLIENT_SECRET (or its file) that it knows",
  unauthorized_client: "want a client in KAFKA_SASL_OAUTH_CLIENT_ID that may use client credentials",
  unsupported_grant_type: "want a server in KAFKA_SASL_OAUTH_TOKEN_URL that knows client credentials",
  invalid_scope: "want another KAFKA_SASL_OAUTH_SCOPE",
};

/**
 * Asks a token server by client credentials (RFC 6749, sections 4.4 and 2.3.1). Throws a sentence with the server's host, its status and
 * its error, and never with the secret or a token.
 */
export const requestToken = async (server: TokenServer): Promise<Token> => {
  const { status, body } = await ask(server).catch((error: unknown) => fail(server, reasonOf(error)));
  if (status < 200 || status > 299) return fail(server, refusalOf(status, body["error"]));
  const { access_token: value, token_type: type = "Bearer" } = body;
  if (!isToken(value)) return fail(server, `got status ${status} without an access_token, want JSON with one`);
  if (String(type).toLowerCase() !== "bearer") return fail(server, "got a token of another type, want 'Bearer'");
  return { value, lifetimeMs: lifetimeOf(body["expires_in"]) };
};

const refusalOf = (status: number, error: unknown): string => {
  if (typeof error !== "string" || !/^[a-z_]{1,40}$/.test(error)) return `got status ${status}`;
  const hint = hints[error];
  return `got status ${status}, ${error}${hint === undefined ? "" : `, ${hint}`}`;
};

const fail = ({ url }: TokenServer, why: string): never => {
  throw new Error(`Cannot get a token for Kafka from ${new URL(url).host}: ${why}`);
};

/** Some servers give text. */
const lifetimeOf = (seconds: unknown): number => {
  const lifetimeMs = typeof seconds === "number" || typeof seconds === "string" ? Number(seconds) * 1_000 : Number.NaN;
  return lifetimeMs > 0 ? lifetimeMs : defaultLifetimeMs;
};

/** As in a form: a blank becomes "+". */
const encode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);

const ask = async (server: TokenServer): Promise<JsonAnswer> => {
  const { url, clientId, clientSecret, scope, timeoutMs = defaultTimeoutMs, fetch: send = fetch } = server;
  const basic = Buffer.from(`${encode(clientId)}:${encode(clientSecret.read())}`).toString("base64");
  const response = await send(url, {
    method: "POST",
    headers: {
      accept: "application/json",
      authorization: `Basic ${basic}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) }).toString(),
    // The secret must not travel to an address that nobody has configured.
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  return readJsonAnswer(response, maxAnswerBytes);
};
