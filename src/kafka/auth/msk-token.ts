import { createHash, createHmac } from "node:crypto";

import type { Token } from "./tokens.ts";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

const maxLifetimeSeconds = 900;
const defaultTimeoutMs = 10_000;

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** SHA-256 as AWS's signer wants it. */
class Sha256 {
  readonly #hash;

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("A hash is used once");
  }
}

const bytesOf = (data: SourceData): string | Uint8Array => {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/**
 * A token for Amazon MSK: the address of an action, signed and in base64url. It ends with the credentials that signed it, at the latest
 * (https://github.com/aws/aws-msk-iam-sasl-signer-js).
 */
export const signMskToken = async (region: string, { expiration, ...credentials }: Credentials): Promise<Token> => {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const leftSeconds = expiration === undefined ? maxLifetimeSeconds : (expiration.getTime() - Date.now()) / 1_000;
  // AWS knows whole seconds only.
  const expiresIn = Math.floor(Math.min(leftSeconds, maxLifetimeSeconds));
  if (expiresIn < 1) throw new Error("the credentials have expired");
  const hostname = `kafka.${region}.amazonaws.com`;
  const signer = new SignatureV4({
    service: "kafka-cluster",
    region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const request = { method: "GET", protocol: "https:", hostname, path: "/", headers: { host: hostname } };
  const { query } = await signer.presign({ ...request, query: { Action: "kafka-cluster:Connect" } }, { expiresIn });
  const pairs = Object.entries({ ...query, "User-Agent": "gainstream" }).map(
    ([name, value]) => `${escape(name)}=${escape(value)}`,
  );
  const url = `https://${hostname}/?${pairs.join("&")}`;
  return { value: Buffer.from(url).toString("base64url"), lifetimeMs: expiresIn * 1_000 };
};

/** As AWS counts characters: encodeURIComponent leaves five more alone. */
const escape = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Asks AWS's default chain for credentials: environment, shared files, web identity, container, instance. The chain remembers them and asks
 * again before they expire, so it is made once, unless an answer never comes: it would wait for that one for ever. Nothing of it is loaded
 * before the first token.
 */
export const createMskTokens = (region: string, timeoutMs = defaultTimeoutMs): (() => Promise<Token>) => {
  // Otherwise it is another with every renewal, and brokers let nobody change their name on an open connection.
  const roleSessionName = process.env["AWS_ROLE_SESSION_NAME"] ?? "gainstream";
  let chain: Promise<() => Promise<Credentials>> | undefined;
  const load = async (): Promise<() => Promise<Credentials>> => {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
    return defaultProvider({ clientConfig: { region }, roleSessionName });
  };
  const sign = async (): Promise<Token> => {
    chain ??= load();
    const provide = await chain;
    return signMskToken(region, await provide());
  };
  return () => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      chain = undefined;
      late.reject(new Error(`no answer within ${timeoutMs / 1_000} s`));
    }, timeoutMs);
    return Promise.race([sign(), late.promise])
      .catch(fail)
      .finally(() => clearTimeout(timer));
  };
};

/** Whatever it is, it may pass: nothing of it is a reason to end. */
const fail = (error: unknown): never => {
  const why = error instanceof Error ? error.message.slice(0, 300) : String(error);
  throw new Error(`Cannot log in to Amazon MSK with AWS credentials: ${why}`);
};
