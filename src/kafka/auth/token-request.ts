import {
  type JsonResponse,
  type SendRequest,
  readJsonResponse,
  fetchErrorReason,
} from "../../outbound/json-response.ts";
import { type Token, isToken } from "./tokens.ts";

export interface TokenServer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: { readonly read: () => string };
  readonly scope?: string | undefined;
  /** Until the answer has arrived completely. Default: 5 s. */
  readonly timeoutMs?: number;
  /** Default: Node's fetch. */
  readonly fetch?: SendRequest | undefined;
}

const defaultTimeoutMs = 5_000;
const maxAnswerBytes = 64 * 1024;
/** For a server that does not say how long a token is valid. */
const defaultLifetimeMs = 5 * 60_000;

/**
 * What to set for an error code (https://www.rfc-editor.org/rfc/rfc6749, section 5.2). The server's description of the error is left
 * out, since it may contain what must not be logged.
 */
const errorHints: Readonly<Record<string, string>> = {
  invalid_client:
    "set KAFKA_SASL_OAUTH_CLIENT_ID and KAFKA_SASL_OAUTH_CLIENT_SECRET (or its file) to a client that it knows",
  unauthorized_client: "set KAFKA_SASL_OAUTH_CLIENT_ID to a client that may use client credentials",
  unsupported_grant_type: "set KAFKA_SASL_OAUTH_TOKEN_URL to a server that supports client credentials",
  invalid_scope: "set KAFKA_SASL_OAUTH_SCOPE to a scope that it accepts",
};

/**
 * Requests a token by client credentials (https://www.rfc-editor.org/rfc/rfc6749, sections 4.4 and 2.3.1). Throws a sentence with the
 * server's host, the status and the error code, never with the secret or a token.
 */
export const requestToken = async (server: TokenServer): Promise<Token> => {
  const { status, body } = await postTokenRequest(server).catch((error: unknown) =>
    throwTokenError(server, fetchErrorReason(error)),
  );
  if (status < 200 || status > 299) return throwTokenError(server, describeRefusal(status, body["error"]));
  const { access_token: value, token_type: type = "Bearer" } = body;
  if (!isToken(value))
    return throwTokenError(server, `got status ${status} without an access_token, want JSON with one`);
  if (String(type).toLowerCase() !== "bearer")
    return throwTokenError(server, "got a token of another type, want 'Bearer'");
  return { value, lifetimeMs: lifetimeOf(body["expires_in"]) };
};

const describeRefusal = (status: number, error: unknown): string => {
  if (typeof error !== "string" || !/^[a-z_]{1,40}$/.test(error)) return `got status ${status}`;
  const hint = errorHints[error];
  return `got status ${status}, ${error}${hint === undefined ? "" : `; ${hint}`}`;
};

const throwTokenError = ({ url }: TokenServer, reason: string): never => {
  throw new Error(`Cannot get a token for Kafka from ${new URL(url).host}: ${reason}`);
};

/** From `expires_in`, which some servers send as text. */
const lifetimeOf = (seconds: unknown): number => {
  const lifetimeMs = typeof seconds === "number" || typeof seconds === "string" ? Number(seconds) * 1_000 : Number.NaN;
  return lifetimeMs > 0 ? lifetimeMs : defaultLifetimeMs;
};

/** Encodes as in a form, with "+" for a blank. */
const formEncode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);

const postTokenRequest = async (server: TokenServer): Promise<JsonResponse> => {
  const { url, clientId, clientSecret, scope, timeoutMs = defaultTimeoutMs, fetch: send = fetch } = server;
  const basic = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret.read())}`).toString("base64");
  const response = await send(url, {
    method: "POST",
    headers: {
      accept: "application/json",
      authorization: `Basic ${basic}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) }).toString(),
    // A redirect would send the secret to an address that is not configured.
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  return readJsonResponse(response, maxAnswerBytes);
};
