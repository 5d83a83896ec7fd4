import { type Token, isToken } from "./tokens.ts";

/** As everybody's `fetch`. */
export type TokenFetch = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
    readonly body: string;
  },
) => Promise<TokenResponse>;

interface TokenResponse {
  readonly status: number;
  readonly body: (AsyncIterable<Uint8Array> & { readonly cancel: () => Promise<void> }) | null;
}

export interface TokenServer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: { readonly read: () => string };
  readonly scope?: string | undefined;
  /** For the whole answer. */
  readonly timeoutMs?: number;
  /** Knows the way there. */
  readonly fetch?: TokenFetch | undefined;
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

interface Reply {
  readonly status: number;
  /** The JSON object that was answered; empty if it was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

const ask = async (server: TokenServer): Promise<Reply> => {
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
  const { status } = response;
  if (status >= 300 && status <= 399) {
    await response.body?.cancel();
    throw new Error(`got a redirect (status ${status}), which is not followed`);
  }
  return { status, body: objectOf(await textOf(response)) };
};

const textOf = async ({ body }: TokenResponse): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`got an answer of more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

const objectOf = (text: string): Reply["body"] => {
  try {
    return Object(JSON.parse(text)) as Reply["body"];
  } catch {
    return {};
  }
};

/** fetch says "fetch failed"; what happened is in the cause. A failed connection is a TypeError to it, and no mistake of ours. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { code, message } = Object(error.cause) as { readonly code?: unknown; readonly message?: unknown };
  return [code, message].find((text) => typeof text === "string") ?? error.message;
};
