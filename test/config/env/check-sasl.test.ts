import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { ConfigError } from "../../../src/config/config-error.ts";
import { type Environment, readConfig } from "../../../src/config/env/read-config.ts";
import { shippedSchema } from "../../../src/config/shipped-schema.ts";

const minimal = { KAFKA_BROKERS: "kafka:9092", GAINSIGHT_ACCESS_KEY: "0".repeat(36) };
const files: Record<string, string> = {
  "/token": "t1\n",
  "/secret": "s1\n",
  "/empty": " \n",
  [shippedSchema.path]: "{}",
};

const readFile = (path: string): string => {
  const content = files[path];
  if (content === undefined) throw new Error(`No file ${path}`);
  return content;
};

const readKafka = (env: Environment) => readConfig({ ...minimal, ...env }, readFile).kafka;
const read = (env: Environment) => readKafka(env).sasl;

const mistakesIn = (env: Environment): string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ sentence }) => sentence);
    throw error;
  }
  return [];
};

const oauth = { KAFKA_SASL_MECHANISM: "oauthbearer" };
const server = {
  ...oauth,
  KAFKA_SASL_OAUTH_TOKEN_URL: "https://login.example.com/t/token?policy=one",
  KAFKA_SASL_OAUTH_CLIENT_ID: "gainstream",
  KAFKA_SASL_OAUTH_CLIENT_SECRET: "hunter2",
};
const msk = { KAFKA_TLS: "true", KAFKA_SASL_MECHANISM: "AWS-MSK-IAM", KAFKA_SASL_AWS_REGION: "eu-central-1" };

describe("a login with OAuth", () => {
  test("has client credentials", () => {
    const extensions = { logicalCluster: "lkc-1", identityPoolId: "pool-a=b" };
    const sasl = read({
      ...server,
      KAFKA_SASL_OAUTH_SCOPE: "a b",
      KAFKA_SASL_OAUTH_EXTENSIONS: "logicalCluster=lkc-1, identityPoolId=pool-a=b",
    });
    expect(sasl).toMatchObject({
      mechanism: "oauthbearer",
      tokens: {
        kind: "client-credentials",
        url: "https://login.example.com/t/token?policy=one",
        clientId: "gainstream",
        scope: "a b",
      },
      extensions,
    });
    expect(JSON.stringify(sasl) + inspect(sasl, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  test("goes through a proxy, unless NO_PROXY excludes it", () => {
    const proxied = { ...server, HTTPS_PROXY: "http://proxy:3128" };
    expect(readKafka(proxied).tokenProxy).toEqual({ origin: "http://proxy:3128" });
    expect(readKafka({ ...proxied, NO_PROXY: ".example.com" }).tokenProxy).toBeUndefined();
    expect(readKafka(server).tokenProxy).toBeUndefined();
  });

  test("reads the file of the client secret at each use", () => {
    const { KAFKA_SASL_OAUTH_CLIENT_SECRET: _, ...rest } = server;
    const sasl = read({ ...rest, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "/secret" });
    const secret = sasl?.mechanism === "oauthbearer" && sasl.tokens.kind === "client-credentials" && sasl.tokens;
    expect(secret && secret.clientSecret.read()).toBe("s1");
    files["/secret"] = "s2";
    expect(secret && secret.clientSecret.read()).toBe("s2");
  });

  test("reads the file of the token at each use", () => {
    const sasl = read({ ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token" });
    const file = sasl?.mechanism === "oauthbearer" && sasl.tokens.kind === "file" && sasl.tokens;
    expect(file && file.token.read()).toBe("t1");
    files["/token"] = "t2";
    expect(file && file.token.read()).toBe("t2");
  });
});

test("a login to Amazon MSK has a region", () => {
  expect(read(msk)).toEqual({ mechanism: "aws-msk-iam", region: "eu-central-1" });
});

const { KAFKA_SASL_OAUTH_CLIENT_SECRET: _, ...withoutSecret } = server;

test.each<[string, Environment, string[]]>([
  [
    "neither a token server nor a token file",
    oauth,
    [
      "Neither KAFKA_SASL_OAUTH_TOKEN_URL nor KAFKA_SASL_OAUTH_TOKEN_FILE is set; KAFKA_SASL_MECHANISM 'oauthbearer' needs one of them",
    ],
  ],
  [
    "a token server and a token file",
    { ...server, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token" },
    ["KAFKA_SASL_OAUTH_TOKEN_URL and KAFKA_SASL_OAUTH_TOKEN_FILE are both set; set only one"],
  ],
  [
    "a token file with a scope, which only a token server needs",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token", KAFKA_SASL_OAUTH_SCOPE: "s" },
    ["KAFKA_SASL_OAUTH_SCOPE works only with KAFKA_SASL_OAUTH_TOKEN_URL, but KAFKA_SASL_OAUTH_TOKEN_FILE is set"],
  ],
  [
    "a token server without credentials",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_URL: "https://h" },
    [
      "KAFKA_SASL_OAUTH_CLIENT_ID is not set; KAFKA_SASL_OAUTH_TOKEN_URL needs it",
      "Neither KAFKA_SASL_OAUTH_CLIENT_SECRET nor KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE is set; KAFKA_SASL_OAUTH_TOKEN_URL needs one of them",
    ],
  ],
  [
    "a secret and its file",
    { ...server, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "/secret" },
    ["KAFKA_SASL_OAUTH_CLIENT_SECRET and KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE are both set; set only one"],
  ],
  [
    "a secret instead of its path, and does not show it",
    { ...withoutSecret, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "hunter2" },
    ["KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: got ***, want the path of a readable file"],
  ],
  [
    "an empty token file",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/empty" },
    ["KAFKA_SASL_OAUTH_TOKEN_FILE: got '/empty' with 0 characters, want a file that is not empty"],
  ],
  [
    "an address with credentials, and does not show them",
    { ...server, KAFKA_SASL_OAUTH_TOKEN_URL: "https://me:hunter2@h/token" },
    ["KAFKA_SASL_OAUTH_TOKEN_URL: got '***@h/token', want an http:// or https:// address without credentials"],
  ],
  [
    "an extension named auth, which would replace the token",
    { ...server, KAFKA_SASL_OAUTH_EXTENSIONS: "auth=x" },
    [
      "KAFKA_SASL_OAUTH_EXTENSIONS: got 'auth=x', want name=value, comma-separated, such as 'logicalCluster=lkc-1,identityPoolId=pool-1'",
    ],
  ],
  [
    "OAuth with a password and with AWS",
    { ...server, KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p", KAFKA_SASL_AWS_REGION: "eu-central-1" },
    [
      "KAFKA_SASL_USERNAME works only with KAFKA_SASL_MECHANISM 'plain', 'scram-sha-256' or 'scram-sha-512', but KAFKA_SASL_MECHANISM is 'oauthbearer'",
      "KAFKA_SASL_PASSWORD works only with KAFKA_SASL_MECHANISM 'plain', 'scram-sha-256' or 'scram-sha-512', but KAFKA_SASL_MECHANISM is 'oauthbearer'",
      "KAFKA_SASL_AWS_REGION works only with KAFKA_SASL_MECHANISM 'aws-msk-iam', but KAFKA_SASL_MECHANISM is 'oauthbearer'",
    ],
  ],
  [
    "a password with a token server",
    {
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "u",
      KAFKA_SASL_PASSWORD: "p",
      KAFKA_SASL_OAUTH_TOKEN_URL: "https://h",
    },
    [
      "KAFKA_SASL_OAUTH_TOKEN_URL works only with KAFKA_SASL_MECHANISM 'oauthbearer', but KAFKA_SASL_MECHANISM is 'plain'",
    ],
  ],
  [
    "a token server without a mechanism",
    { KAFKA_SASL_OAUTH_TOKEN_URL: "https://h" },
    ["KAFKA_SASL_MECHANISM is not set; KAFKA_SASL_OAUTH_TOKEN_URL needs it"],
  ],
  [
    "Amazon MSK without TLS and without a region",
    { KAFKA_SASL_MECHANISM: "aws-msk-iam" },
    [
      "KAFKA_TLS is 'false', but KAFKA_SASL_MECHANISM 'aws-msk-iam' needs TLS; set KAFKA_TLS to 'true'",
      "KAFKA_SASL_AWS_REGION is not set; KAFKA_SASL_MECHANISM 'aws-msk-iam' needs it",
    ],
  ],
  [
    "a zone instead of a region",
    { ...msk, KAFKA_SASL_AWS_REGION: "eu-central-1a" },
    ["KAFKA_SASL_AWS_REGION: got 'eu-central-1a', want the name of an AWS region, such as 'eu-central-1'"],
  ],
])("refuses %s", (_name, env, sentences) => expect(mistakesIn(env)).toEqual(sentences));
