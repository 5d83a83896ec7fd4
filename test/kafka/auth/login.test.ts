import { readFileSync } from "node:fs";

import type { AuthenticationProviderArgs } from "kafkajs";
import { afterEach, describe, expect, it, vi } from "vitest";

import { type Login, createLogin } from "../../../src/kafka/auth/login.ts";
import type { SendRequest } from "../../../src/outbound/json-response.ts";

/** What the log-in sends to a broker that accepts it. */
const sentBy = async (sasl: Login, fetch?: SendRequest): Promise<string> => {
  const sent: string[] = [];
  const saslAuthenticate: AuthenticationProviderArgs["saslAuthenticate"] = async ({ request, response }) => {
    sent.push(String((await request.encode()).subarray(4)));
    return response?.parse(await response.decode(Buffer.alloc(4)));
  };
  const login = createLogin({ sasl, warn: () => {}, fetch });
  expect(login?.mechanism).toBe("oauthbearer");
  await login
    ?.authenticationProvider({ host: "b1", port: 1, saslAuthenticate } as AuthenticationProviderArgs)
    .authenticate();
  return sent.join();
};

describe("createLogin()", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("returns undefined if no log-in is configured", () =>
    expect(createLogin({ sasl: undefined, warn: () => {} })).toBeUndefined());

  it("sends the token of a file, with extensions", async () => {
    const tokens = { kind: "file", token: { read: () => "t1" } } as const;
    const sent = await sentBy({ mechanism: "oauthbearer", tokens, extensions: { pool: "p" } });
    expect(sent).toBe("n,,\u0001auth=Bearer t1\u0001pool=p\u0001\u0001");
  });

  it("requests a token with the fetch that it gets", async () => {
    const clientSecret = { read: () => "s" };
    const tokens = {
      kind: "client-credentials",
      url: "https://login.test/token",
      clientId: "c",
      clientSecret,
    } as const;
    const fetch = async (url: string): Promise<Response> => Response.json({ access_token: `of-${new URL(url).host}` });
    const sent = await sentBy({ mechanism: "oauthbearer", tokens }, fetch);
    expect(sent).toBe("n,,\u0001auth=Bearer of-login.test\u0001\u0001");
  });

  it("sends a token for Amazon MSK in the configured region", async () => {
    vi.stubEnv("AWS_PROFILE", undefined);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const sent = await sentBy({ mechanism: "aws-msk-iam", region: "eu-west-3" });
    const [, header = ""] = sent.split("\u0001");
    const token = header.replace("auth=Bearer ", "");
    expect(Buffer.from(token, "base64url").toString()).toMatch(
      /^https:\/\/kafka\.eu-west-3\.amazonaws\.com\/\?.*AKIDENV/,
    );
  });

  it("loads no package of AWS for other log-ins", () => {
    const source = readFileSync("src/kafka/auth/msk-token.ts", "utf8");
    expect(source).toContain('import("@aws-sdk/credential-provider-node")');
    expect(source).not.toMatch(/^(?:import|export) .*from "@(?:aws-sdk|smithy)\//m);
  });
});
