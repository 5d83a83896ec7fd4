import { type KeyObject, createSign, generateKeyPairSync } from "node:crypto";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

type Answer = (response: ServerResponse, asked: Asked) => void;

/** Signs tokens as an identity provider does, and gives them to clients that know the secret. */
export interface TokenServer {
  /** Every path below this address gives tokens. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The public key, as JSON. */
  readonly jwks: string;
  /** Creates a token that expires after this many seconds. */
  readonly token: (seconds: number, claims?: Readonly<Record<string, unknown>>) => string;
  /** All tokens so far. */
  readonly tokens: readonly string[];
  /** Responses that replace the normal one, by path. */
  readonly faults: Map<string, Answer>;
  /** All token requests so far. */
  readonly asked: readonly Asked[];
  readonly close: () => Promise<void>;
}

export const audience = "kafka";
export const issuer = "https://tokens.example.com";

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

interface Signing {
  readonly key: KeyObject;
  readonly seconds: number;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

let count = 0;

const signToken = ({ key, seconds, claims }: Signing): string => {
  // JWT times are whole seconds: rounded so that the token never lives shorter.
  const [iat, exp] = [Math.floor(Date.now() / 1_000), Math.ceil(Date.now() / 1_000) + seconds];
  const standard = {
    iss: issuer,
    aud: audience,
    sub: "gainstream",
    iat,
    exp,
    jti: String(count++),
  };
  const head = `${part({ alg: "RS256", typ: "JWT", kid: "one" })}.${part({ ...standard, ...claims })}`;
  return `${head}.${createSign("RSA-SHA256").update(head).sign(key).toString("base64url")}`;
};

export const answerJson = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

/** Starts a token server on 127.0.0.1. Its tokens expire after this many seconds. */
export const startTokenServer = async (seconds: number): Promise<TokenServer> => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const [clientId, clientSecret] = ["gain stream", "client Secret+1/%"];
  const asked: Asked[] = [];
  const tokens: string[] = [];
  const faults = new Map<string, Answer>();
  const token: TokenServer["token"] = (life, claims) => {
    const made = signToken({ key: privateKey, seconds: life, claims });
    tokens.push(made);
    return made;
  };
  const basic = `Basic ${Buffer.from("gain+stream:client+Secret%2B1%2F%25").toString("base64")}`;
  const answer: Answer = (response, { headers, form }) => {
    if (headers.authorization !== basic) return answerJson(response, 401, { error: "invalid_client" });
    if (form.get("grant_type") !== "client_credentials")
      return answerJson(response, 400, { error: "unsupported_grant_type" });
    return answerJson(response, 200, { access_token: token(seconds), token_type: "Bearer", expires_in: seconds });
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = { path: request.url ?? "", headers: request.headers, form: new URLSearchParams(body) };
      asked.push(one);
      (faults.get(one.path) ?? answer)(response, one);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId,
    clientSecret,
    jwks: JSON.stringify({ keys: [jwk] }),
    token,
    tokens,
    faults,
    asked,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
