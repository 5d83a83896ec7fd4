import { createHash, createHmac } from "node:crypto";

import { toError } from "../../core/to-error.ts";
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

/** SHA-256 with the interface that AWS's signer calls. */
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
    throw new Error("Cannot reset a hash: it is used once");
  }
}

const bytesOf = (data: SourceData): string | Uint8Array => {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/**
 * Signs a token for Amazon MSK: a presigned URL of the action kafka-cluster:Connect, in base64url
 * (https://github.com/aws/aws-msk-iam-sasl-signer-js). It is valid for 15 minutes, or until its credentials expire.
 */
export const signMskToken = async (region: string, { expiration, ...credentials }: Credentials): Promise<Token> => {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const remainingSeconds = expiration === undefined ? maxLifetimeSeconds : (expiration.getTime() - Date.now()) / 1_000;
  // AWS accepts only whole seconds.
  const expiresIn = Math.floor(Math.min(remainingSeconds, maxLifetimeSeconds));
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
    ([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`,
  );
  const url = `https://${hostname}/?${pairs.join("&")}`;
  return { value: Buffer.from(url).toString("base64url"), lifetimeMs: expiresIn * 1_000 };
};

/** Encodes five characters more than encodeURIComponent, as AWS's signature requires. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Creates a function that signs a token with the credentials of AWS's default chain: environment, shared files, web identity, container,
 * instance. The chain keeps its credentials and renews them before they expire, so there is one chain. A new one is created only if an
 * answer never comes, since the old one would wait for it for ever. AWS's packages are loaded for the first token.
 */
export const createMskTokens = (region: string, timeoutMs = defaultTimeoutMs): (() => Promise<Token>) => {
  // A fixed name: the chain would make up another one at every renewal, and brokers refuse another principal on an open connection.
  const roleSessionName = process.env["AWS_ROLE_SESSION_NAME"] ?? "gainstream";
  let chain: Promise<() => Promise<Credentials>> | undefined;
  const loadChain = async (): Promise<() => Promise<Credentials>> => {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
    return defaultProvider({ clientConfig: { region }, roleSessionName });
  };
  const sign = async (): Promise<Token> => {
    chain ??= loadChain();
    const provideCredentials = await chain;
    return signMskToken(region, await provideCredentials());
  };
  return () => {
    const timedOut = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      chain = undefined;
      timedOut.reject(new Error(`no answer within ${timeoutMs / 1_000} s`));
    }, timeoutMs);
    return Promise.race([sign(), timedOut.promise])
      .catch(throwLoginError)
      .finally(() => clearTimeout(timer));
  };
};

/** A plain Error: even a TypeError of AWS's packages is no reason to end the process. */
const throwLoginError = (error: unknown): never => {
  const reason = toError(error).message.slice(0, 300);
  throw new Error(`Cannot log in to Amazon MSK with AWS credentials: ${reason}`);
};
