import { createHash, createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createMskTokens, signMskToken } from "../../../src/kafka/auth/msk-token.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

interface Signing {
  readonly secret: string;
  readonly region: string;
}

/** The signature that AWS computes for the URL (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
const signatureOf = (url: URL, { secret, region }: Signing): string => {
  const pairs = url.search
    .slice(1)
    .split("&")
    .filter((pair) => !/^(?:X-Amz-Signature|User-Agent)=/.test(pair))
    .toSorted();
  const canonical = ["GET", "/", pairs.join("&"), `host:${url.host}`, "", "host", sha256("")].join("\n");
  const time = url.searchParams.get("X-Amz-Date") ?? "";
  const scope = [time.slice(0, 8), region, "kafka-cluster", "aws4_request"];
  const toSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(canonical)].join("\n");
  const key = scope.reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secret}`);
  return hmac(key, toSign).toString("hex");
};

const urlOf = (token: string): URL => new URL(Buffer.from(token, "base64url").toString());

const now = Date.parse("2026-01-31T12:00:00Z");
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalr/XUtn+FEMI=" };

describe("signMskToken()", () => {
  beforeEach(() => void vi.useFakeTimers({ now, toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("signs a token in the format that AWS documents", async () => {
    const { value, lifetimeMs } = await signMskToken("eu-central-1", { ...credentials, sessionToken: "FwoG/+==" });
    expect(value).toMatch(/^[\w-]+$/);
    const url = urlOf(value);
    expect([url.protocol, url.host, url.pathname]).toEqual(["https:", "kafka.eu-central-1.amazonaws.com", "/"]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      Action: "kafka-cluster:Connect",
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": "AKIDEXAMPLE/20260131/eu-central-1/kafka-cluster/aws4_request",
      "X-Amz-Date": "20260131T120000Z",
      "X-Amz-Expires": "900",
      "X-Amz-Security-Token": "FwoG/+==",
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Signature": signatureOf(url, { secret: credentials.secretAccessKey, region: "eu-central-1" }),
      "User-Agent": expect.stringMatching(/^gainstream/),
    });
    expect(lifetimeMs).toBe(900_000);
    expect(url.href).not.toContain("wJalr");
  });

  it.each([
    ["which live longer", 3_600_000, "900"],
    ["which end sooner, in whole seconds", 512_345, "512"],
  ])("expires no later than the credentials, %s", async (_, leftMs, expires) => {
    const expiration = new Date(now + leftMs);
    const { value, lifetimeMs } = await signMskToken("us-east-1", { ...credentials, expiration });
    expect(urlOf(value).searchParams.get("X-Amz-Expires")).toBe(expires);
    expect(lifetimeMs).toBe(Number(expires) * 1_000);
    const signing = { secret: credentials.secretAccessKey, region: "us-east-1" };
    expect(urlOf(value).searchParams.get("X-Amz-Signature")).toBe(signatureOf(urlOf(value), signing));
  });

  it("refuses credentials that have expired", async () => {
    const expiration = new Date(now + 500);
    await expect(signMskToken("us-east-1", { ...credentials, expiration })).rejects.toThrow("have expired");
  });
});

/** Hides this machine's own AWS settings. */
const stubAws = (env: Readonly<Record<string, string>>): void => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  const nowhere = {
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  for (const [name, value] of Object.entries({ ...nowhere, ...env })) vi.stubEnv(name, value);
};

const keyOf = (token: string): string | undefined => urlOf(token).searchParams.get("X-Amz-Credential")?.split("/")[0];

describe("createMskTokens()", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("reads credentials from the environment", async () => {
    stubAws({ AWS_ACCESS_KEY_ID: "AKIDENV", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "session" });
    const { value } = await createMskTokens("eu-central-1")();
    expect(keyOf(value)).toBe("AKIDENV");
    expect(urlOf(value).searchParams.get("X-Amz-Security-Token")).toBe("session");
  });

  // A broker refuses another principal on an open connection, and the principal contains the session name.
  it.each([
    [undefined, "gainstream"],
    ["ours", "ours"],
  ])("assumes a role with the same session name every time: AWS_ROLE_SESSION_NAME %j", async (given, name) => {
    const asked: URLSearchParams[] = [];
    const server = createServer((request, response) => {
      void textOf(request).then((body) => {
        asked.push(new URLSearchParams(body));
        const end = new Date(Date.now() + 60_000).toISOString();
        response.end(`<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
          <AccessKeyId>AKID</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
          <Expiration>${end}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const folder = await mkdtemp(join(tmpdir(), "gainstream-irsa-"));
    const file = join(folder, "token");
    await writeFile(file, "jwt");
    stubAws({
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/gainstream",
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      ...(given !== undefined && { AWS_ROLE_SESSION_NAME: given }),
    });
    const ask = createMskTokens("eu-central-1");
    expect(keyOf((await ask()).value)).toBe("AKID");
    expect(asked.map((form) => form.get("RoleSessionName"))).toEqual([name]);
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  it("starts again with a new chain if an answer never comes", async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      // The first answer never comes.
      if (asked++ === 0) return;
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      const body = { AccessKeyId: "AKID", SecretAccessKey: "secret", Token: "session", Expiration };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    stubAws({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/role` });
    const ask = createMskTokens("eu-central-1", 300);
    await expect(ask()).rejects.toThrow("Cannot log in to Amazon MSK with AWS credentials: no answer within 0.3 s");
    expect(keyOf((await ask()).value)).toBe("AKID");
    server.close();
    server.closeAllConnections();
  });

  // Other clients failed to log in after a day: they signed tokens with expired credentials.
  it("signs a later token with new credentials, since those of a role expire", async () => {
    let served = 0;
    const server = createServer((_, response) => {
      served++;
      const Expiration = new Date(Date.now() + 4 * 60_000).toISOString();
      const body = { AccessKeyId: `AKID${served}`, SecretAccessKey: `secret${served}`, Token: `session${served}` };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...body, Expiration }));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    stubAws({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/role` });
    const ask = createMskTokens("eu-central-1");
    const { value: first, lifetimeMs } = await ask();
    expect(keyOf(first)).toBe("AKID1");
    expect(lifetimeMs).toBeLessThanOrEqual(240_000);
    await expect.poll(async () => keyOf((await ask()).value)).toBe("AKID2");
    const { value } = await ask();
    const secret = `secret${keyOf(value)?.slice(4)}`;
    expect(urlOf(value).searchParams.get("X-Amz-Signature")).toBe(
      signatureOf(urlOf(value), { secret, region: "eu-central-1" }),
    );
    server.close();
    server.closeAllConnections();
  });

  it("throws a sentence if there are no credentials, without a cause that would end the process", async () => {
    stubAws({});
    const failed: unknown = await createMskTokens("eu-central-1")().catch((error: unknown) => error);
    const why = "Could not load credentials from any providers";
    expect(failed).toEqual(new Error(`Cannot log in to Amazon MSK with AWS credentials: ${why}`));
    expect(failed).not.toHaveProperty("cause");
  });
});
