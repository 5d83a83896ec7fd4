import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { ConfigError, describeProblem } from "../../../src/config/config-error.ts";
import { type Environment, readConfig } from "../../../src/config/env/read-config.ts";
import { shippedSchema } from "../../../src/config/shipped-schema.ts";

const least = { KAFKA_BROKERS: "kafka:9092", GAINSIGHT_ACCESS_KEY: "0".repeat(36) };
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

const readKafka = (env: Environment) => readConfig({ ...least, ...env }, readFile).kafka;
const read = (env: Environment) => readKafka(env).sasl;

const mistakes = (env: Environment): string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describeProblem);
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

describe("a log-in by OAuth", () => {
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

  test("goes through a proxy, unless it is excepted", () => {
    const proxied = { ...server, HTTPS_PROXY: "http://proxy:3128" };
    expect(readKafka(proxied).tokenProxy).toEqual({ origin: "http://proxy:3128" });
    expect(readKafka({ ...proxied, NO_PROXY: ".example.com" }).tokenProxy).toBeUndefined();
    expect(readKafka(server).tokenProxy).toBeUndefined();
  });

  test("has a secret's file, which is read again", () => {
    const { KAFKA_SASL_OAUTH_CLIENT_SECRET: _, ...rest } = server;
    const sasl = read({ ...rest, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "/secret" });
    const secret = sasl?.mechanism === "oauthbearer" && sasl.tokens.kind === "client-credentials" && sasl.tokens;
    expect(secret && secret.clientSecret.read()).toBe("s1");
    files["/secret"] = "s2";
    expect(secret && secret.clientSecret.read()).toBe("s2");
  });

  test("or has a token's file, which is read again", () => {
    const sasl = read({ ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token" });
    const file = sasl?.mechanism === "oauthbearer" && sasl.tokens.kind === "file" && sasl.tokens;
    expect(file && file.token.read()).toBe("t1");
    files["/token"] = "t2";
    expect(file && file.token.read()).toBe("t2");
  });
});

test("a log-in to Amazon MSK has its region", () => {
  expect(read(msk)).toEqual({ mechanism: "aws-msk-iam", region: "eu-central-1" });
});

const { KAFKA_SASL_OAUTH_CLIENT_SECRET: _, ...withoutSecret } = server;

test.each<[string, Environment, string[]]>([
  [
    "neither a token server nor a file",
    oauth,
    [
      "KAFKA_SASL_OAUTH_TOKEN_URL: got nothing, want either KAFKA_SASL_OAUTH_TOKEN_URL or KAFKA_SASL_OAUTH_TOKEN_FILE, because KAFKA_SASL_MECHANISM is 'oauthbearer'",
    ],
  ],
  [
    "both",
    { ...server, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token" },
    [
      "KAFKA_SASL_OAUTH_TOKEN_FILE: got it beside KAFKA_SASL_OAUTH_TOKEN_URL, want either KAFKA_SASL_OAUTH_TOKEN_URL or KAFKA_SASL_OAUTH_TOKEN_FILE",
    ],
  ],
  [
    "a file with what only a server needs",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/token", KAFKA_SASL_OAUTH_SCOPE: "s" },
    [
      "KAFKA_SASL_OAUTH_SCOPE: got it beside KAFKA_SASL_OAUTH_TOKEN_FILE, want nothing, or KAFKA_SASL_OAUTH_TOKEN_URL instead",
    ],
  ],
  [
    "a server and nothing to log in with",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_URL: "https://h" },
    [
      "KAFKA_SASL_OAUTH_CLIENT_ID: got nothing, want a value, because KAFKA_SASL_OAUTH_TOKEN_URL is given",
      "KAFKA_SASL_OAUTH_CLIENT_SECRET: got nothing, want a value, here or as KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE, because KAFKA_SASL_OAUTH_TOKEN_URL is given",
    ],
  ],
  [
    "a secret beside its file",
    { ...server, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "/secret" },
    [
      "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: got it beside the value itself, want either KAFKA_SASL_OAUTH_CLIENT_SECRET or KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE",
    ],
  ],
  [
    "a secret in the place of its path, which is not shown",
    { ...withoutSecret, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: "hunter2" },
    ["KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: got ***, want the path of a readable file"],
  ],
  [
    "an empty token file",
    { ...oauth, KAFKA_SASL_OAUTH_TOKEN_FILE: "/empty" },
    ["KAFKA_SASL_OAUTH_TOKEN_FILE: got '/empty' with 0 characters, want a file that is not empty"],
  ],
  [
    "an address with credentials, which are not shown",
    { ...server, KAFKA_SASL_OAUTH_TOKEN_URL: "https://me:hunter2@h/token" },
    ["KAFKA_SASL_OAUTH_TOKEN_URL: got '***@h/token', want an http:// or https:// address without credentials"],
  ],
  [
    "an extension that would stand for the token",
    { ...server, KAFKA_SASL_OAUTH_EXTENSIONS: "auth=x" },
    [
      "KAFKA_SASL_OAUTH_EXTENSIONS: got 'auth=x', want name=value, comma-separated, such as 'logicalCluster=lkc-1,identityPoolId=pool-1'",
    ],
  ],
  [
    "OAuth with a password and with AWS",
    { ...server, KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p", KAFKA_SASL_AWS_REGION: "eu-central-1" },
    [
      "KAFKA_SASL_USERNAME: got it beside KAFKA_SASL_MECHANISM 'oauthbearer', want nothing, or KAFKA_SASL_MECHANISM 'plain' or 'scram-sha-256' or 'scram-sha-512'",
      "KAFKA_SASL_PASSWORD: got it beside KAFKA_SASL_MECHANISM 'oauthbearer', want nothing, or KAFKA_SASL_MECHANISM 'plain' or 'scram-sha-256' or 'scram-sha-512'",
      "KAFKA_SASL_AWS_REGION: got it beside KAFKA_SASL_MECHANISM 'oauthbearer', want nothing, or KAFKA_SASL_MECHANISM 'aws-msk-iam'",
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
      "KAFKA_SASL_OAUTH_TOKEN_URL: got it beside KAFKA_SASL_MECHANISM 'plain', want nothing, or KAFKA_SASL_MECHANISM 'oauthbearer'",
    ],
  ],
  [
    "a token server without a mechanism",
    { KAFKA_SASL_OAUTH_TOKEN_URL: "https://h" },
    ["KAFKA_SASL_MECHANISM: got nothing, want a value, because KAFKA_SASL_OAUTH_TOKEN_URL is given"],
  ],
  [
    "Amazon MSK in clear text, and nowhere",
    { KAFKA_SASL_MECHANISM: "aws-msk-iam" },
    [
      "KAFKA_TLS: got 'false', want 'true', because KAFKA_SASL_MECHANISM is 'aws-msk-iam'",
      "KAFKA_SASL_AWS_REGION: got nothing, want a value, because KAFKA_SASL_MECHANISM is given",
    ],
  ],
  [
    "a zone for a region",
    { ...msk, KAFKA_SASL_AWS_REGION: "eu-central-1a" },
    ["KAFKA_SASL_AWS_REGION: got 'eu-central-1a', want the name of an AWS region, such as 'eu-central-1'"],
  ],
])("refuses %s", (_name, env, sentences) => expect(mistakes(env)).toEqual(sentences));
