import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { ConfigError } from "../../../src/config/config-error.ts";
import type { Problem } from "../../../src/config/config-error.ts";
import { readConfig } from "../../../src/config/env/read-config.ts";
import type { Environment } from "../../../src/config/env/read-config.ts";
import { describeVariables, variables } from "../../../src/config/env/variables.ts";
import { parseSettings } from "../../../src/config/settings/settings.ts";
import { shippedSchema } from "../../../src/config/shipped-schema.ts";

const key = "0123abcd-4567-89ab-cdef-0123456789ab";
const least = { KAFKA_BROKERS: "kafka:9092", GAINSIGHT_ACCESS_KEY: key };

const files =
  (contents: Readonly<Record<string, string>>) =>
  (path: string): string => {
    const content = { [shippedSchema.path]: "{}", ...contents }[path];
    if (content === undefined) throw new Error(`No file ${path}`);
    return content;
  };

const read = (env: Environment, contents: Readonly<Record<string, string>> = {}) => readConfig(env, files(contents));

const mistakes = (env: Environment, contents: Readonly<Record<string, string>> = {}): readonly Problem[] => {
  try {
    read(env, contents);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const wrongNames = (env: Environment, contents: Readonly<Record<string, string>> = {}) =>
  mistakes({ ...least, ...env }, contents).map(({ variable }) => variable);

describe("readConfig()", () => {
  test("needs only the brokers and the access key, and fills in every default of the contract", () => {
    const { gainsight, ...rest } = read(least);
    expect(rest).toEqual({
      kafka: {
        brokers: ["kafka:9092"],
        clientId: "gainstream",
        compression: "none",
        groupId: "gainstream",
        tls: undefined,
        sasl: undefined,
      },
      topics: {
        source: ["segment-events"],
        retry: [
          { topic: "gainstream-retry-30s", delayMs: 30_000 },
          { topic: "gainstream-retry-5m", delayMs: 300_000 },
          { topic: "gainstream-retry-30m", delayMs: 1_800_000 },
        ],
        deadLetter: "gainstream-dlq",
        create: true,
        startFrom: "earliest",
      },
      retry: { maxAgeMs: 14_400_000, maxAttempts: 6, quickAttempts: 3 },
      input: { format: "auto", registry: undefined, schemaFile: shippedSchema.path },
      breaker: { errorPercent: 50, minCalls: 10, windowMs: 10_000, probeMinMs: 1000, probeMaxMs: 60_000 },
      settingsFile: undefined,
      settings: parseSettings(""),
      http: { host: "0.0.0.0", port: 8080 },
      logLevel: "info",
      shutdownTimeoutMs: 25_000,
    });
    expect(gainsight).toMatchObject({
      route: "clickstream",
      url: "https://event.gainsight.com",
      timeoutMs: 10_000,
      concurrency: 64,
    });
    expect(gainsight.accessKey.read()).toBe(key);
  });

  test("reads lists, TLS, SASL, the registry and the settings file", () => {
    const contents = { "/ca": "pem", "/cert": "pem", "/key": "pem", "/pass": "hunter2\n", "/s.yaml": "events: [A]" };
    const config = read(
      {
        ...least,
        KAFKA_BROKERS: "a:1, b:2",
        KAFKA_TLS: "true",
        KAFKA_TLS_CA_FILE: "/ca",
        KAFKA_TLS_CERT_FILE: "/cert",
        KAFKA_TLS_KEY_FILE: "/key",
        KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
        KAFKA_SASL_USERNAME: "app",
        KAFKA_SASL_PASSWORD_FILE: "/pass",
        INPUT_FORMAT: "registry",
        SCHEMA_REGISTRY_URL: "http://registry:8081/apis/ccompat/v7/",
        SCHEMA_REGISTRY_USERNAME: "reader",
        SCHEMA_REGISTRY_PASSWORD: "open sesame",
        RETRY_DELAYS: "250MS,1h30m",
        SETTINGS_FILE: "/s.yaml",
      },
      contents,
    );
    expect(config.kafka.brokers).toEqual(["a:1", "b:2"]);
    expect(config.kafka.tls).toEqual({ caFile: "/ca", certFile: "/cert", keyFile: "/key" });
    expect(config.kafka.sasl).toMatchObject({ mechanism: "scram-sha-512", username: "app" });
    expect(config.kafka.sasl).toHaveProperty("password.read", expect.any(Function));
    expect(config.input.registry).toMatchObject({ url: "http://registry:8081/apis/ccompat/v7", username: "reader" });
    expect(config.input.registry?.password?.read()).toBe("open sesame");
    expect(config.topics.retry.map(({ topic }) => topic)).toEqual(["gainstream-retry-250ms", "gainstream-retry-1h30m"]);
    expect(config.settings).toEqual(parseSettings("events: [A]"));
  });

  test("takes an empty or blank value for none", () => {
    expect(read({ ...least, KAFKA_GROUP_ID: "", SCHEMA_REGISTRY_URL: "  " }).kafka.groupId).toBe("gainstream");
    expect(wrongNames({ KAFKA_BROKERS: "" })).toEqual(["KAFKA_BROKERS"]);
  });

  test("freezes the configuration to its depth", () => {
    const config = read(least);
    expect([config, config.kafka, config.kafka.brokers, config.topics.retry[0]].every(Object.isFrozen)).toBe(true);
  });

  test("reads a key file again each time the key is asked for", () => {
    const contents = { "/key": `${key}\n` };
    const { accessKey } = read(
      { ...least, GAINSIGHT_ACCESS_KEY: undefined, GAINSIGHT_ACCESS_KEY_FILE: "/key" },
      contents,
    ).gainsight;
    expect(accessKey).toMatchObject({ kind: "file", path: "/key" });
    contents["/key"] = "another";
    expect(accessKey.read()).toBe("another");
  });

  test("keeps the last content of a secret's file while it is empty or gone", () => {
    const contents: Record<string, string> = { "/key": key };
    const { accessKey } = read(
      { ...least, GAINSIGHT_ACCESS_KEY: undefined, GAINSIGHT_ACCESS_KEY_FILE: "/key" },
      contents,
    ).gainsight;
    contents["/key"] = " \n";
    expect(accessKey.read()).toBe(key);
    delete contents["/key"];
    expect(accessKey.read()).toBe(key);
    contents["/key"] = "another";
    expect(accessKey.read()).toBe("another");
  });

  test("never shows a secret, however the configuration is printed", () => {
    const config = read({
      ...least,
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: "app",
      KAFKA_SASL_PASSWORD: "hunter2",
    });
    const printed = [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })].join();
    expect(printed).not.toContain("hunter2");
    expect(printed).not.toContain(key);
  });
});

describe("readConfig() refuses", () => {
  test.each<[string, string]>([
    ["KAFKA_BROKERS", "kafka"],
    ["KAFKA_BROKERS", "kafka:0"],
    ["KAFKA_BROKERS", "kafka:65536"],
    ["KAFKA_BROKERS", "a:1,,b:2"],
    ["KAFKA_BROKERS", "[::1]:9092"],
    ["KAFKA_TLS", "maybe"],
    ["SOURCE_TOPICS", "a b"],
    ["SOURCE_TOPICS", ".."],
    ["RETRY_TOPIC", "x".repeat(250)],
    ["RETRY_TOPIC", "x".repeat(247)],
    ["RETRY_DELAYS", "5x"],
    ["RETRY_DELAYS", "0s"],
    ["RETRY_DELAYS", "5m,30s"],
    ["RETRY_DELAYS", "60s,1m"],
    ["RETRY_DELAYS", "25h"],
    ["RETRY_DELAYS", "1s,2s,3s,4s,5s,6s,7s,8s,9s"],
    ["RETRY_MAX_ATTEMPTS", "0"],
    ["QUICK_ATTEMPTS", "1.5"],
    ["START_FROM", "now"],
    ["KAFKA_COMPRESSION", "brotli"],
    ["INPUT_FORMAT", "xml"],
    ["SCHEMA_REGISTRY_URL", "registry:8081"],
    ["GAINSIGHT_ROUTE", "rest"],
    ["GAINSIGHT_URL", "ftp://x"],
    ["GAINSIGHT_URL", "https://x/?a=1"],
    ["GAINSIGHT_URL", "https://user:pass@x"],
    ["GAINSIGHT_ACCESS_KEY", "short"],
    ["GAINSIGHT_ACCESS_KEY", `${"x".repeat(35)}\u00e9`],
    ["GAINSIGHT_TIMEOUT", "26s"],
    ["GAINSIGHT_CONCURRENCY", "0"],
    ["GAINSIGHT_CALLS_PER_MINUTE", "100"],
    ["GAINSIGHT_CALLS_PER_DAY", "100"],
    ["BREAKER_ERROR_PERCENT", "0"],
    ["BREAKER_ERROR_PERCENT", "101"],
    ["BREAKER_PROBE_MIN", "2m"],
    ["HTTP_PORT", "65536"],
    ["LOG_LEVEL", "loud"],
    ["SETTINGS_FILE", "/none"],
  ])("%s=%j", (variable, value) => {
    expect(wrongNames({ [variable]: value })).toEqual([variable]);
  });

  test.each<[string, string, Environment]>([
    ["a user name without a mechanism", "KAFKA_SASL_MECHANISM", { KAFKA_SASL_USERNAME: "x", KAFKA_SASL_PASSWORD: "x" }],
    ["a mechanism without a user", "KAFKA_SASL_USERNAME", { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_PASSWORD: "x" }],
    [
      "a mechanism without a password",
      "KAFKA_SASL_PASSWORD",
      { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "x" },
    ],
    [
      "a password beside its file",
      "GAINSIGHT_ACCESS_KEY_FILE",
      { GAINSIGHT_ACCESS_KEY: key, GAINSIGHT_ACCESS_KEY_FILE: "/key" },
    ],
    ["a client certificate without its key", "KAFKA_TLS_KEY_FILE", { KAFKA_TLS: "true", KAFKA_TLS_CERT_FILE: "/key" }],
    ["TLS files without TLS", "KAFKA_TLS", { KAFKA_TLS_CA_FILE: "/key" }],
    ["a TLS file that is not there", "KAFKA_TLS_CA_FILE", { KAFKA_TLS: "true", KAFKA_TLS_CA_FILE: "/none" }],
    ["Avro without its schema", "AVRO_SCHEMA_FILE", { INPUT_FORMAT: "avro", AVRO_SCHEMA_FILE: "/none" }],
    ["the registry format without a registry", "SCHEMA_REGISTRY_URL", { INPUT_FORMAT: "registry" }],
    [
      "a registry user without a password",
      "SCHEMA_REGISTRY_PASSWORD",
      { SCHEMA_REGISTRY_URL: "http://r", SCHEMA_REGISTRY_USERNAME: "x" },
    ],
    [
      "a registry password without a user",
      "SCHEMA_REGISTRY_USERNAME",
      { SCHEMA_REGISTRY_URL: "http://r", SCHEMA_REGISTRY_PASSWORD: "x" },
    ],
    [
      "registry credentials without a registry",
      "SCHEMA_REGISTRY_URL",
      { SCHEMA_REGISTRY_USERNAME: "x", SCHEMA_REGISTRY_PASSWORD: "x" },
    ],
    ["a source topic twice", "SOURCE_TOPICS", { SOURCE_TOPICS: "a,a" }],
    ["topics that differ only in '.' and '_'", "SOURCE_TOPICS", { SOURCE_TOPICS: "a.b,a_b" }],
    ["a source topic as dead-letter topic", "DEAD_LETTER_TOPIC", { DEAD_LETTER_TOPIC: "segment-events" }],
    ["a tier as dead-letter topic", "DEAD_LETTER_TOPIC", { DEAD_LETTER_TOPIC: "gainstream-retry-5m" }],
    ["a source topic as tier", "RETRY_TOPIC", { SOURCE_TOPICS: "gainstream-retry-5m" }],
  ])("%s, naming %s", (_, variable, env) => {
    expect(wrongNames(env, { "/key": key })).toEqual([variable]);
  });

  test("takes a folder of schemas, whatever it holds", () => {
    const config = readConfig({ ...least, AVRO_SCHEMA_FILE: "schemas" });
    expect(config.input.schemaFile).toBe("schemas");
  });

  test.each([
    ["is not there", {}, "'/key'"],
    ["holds another number of characters", { "/key": "short secret" }, "'/key' with 12 characters"],
  ])("a key file that %s", (_, contents, got) => {
    const env = { ...least, GAINSIGHT_ACCESS_KEY: "", GAINSIGHT_ACCESS_KEY_FILE: "/key" };
    expect(mistakes(env, contents)).toMatchObject([{ variable: "GAINSIGHT_ACCESS_KEY_FILE", got }]);
  });

  test("all mistakes at once, one line each, without showing a secret", () => {
    const env = {
      GAINSIGHT_ACCESS_KEY: "too-short-a-key",
      GAINSIGHT_URL: "https://user:hunter2@host",
      KAFKA_SASL_PASSWORD_FILE: "a-password-by-mistake",
      RETRY_DELAYS: "5x\n5y",
      SETTINGS_FILE: "/s.yaml",
    };
    const message = new ConfigError(mistakes(env, { "/s.yaml": "evnts: []" })).message;
    expect(message.split("\n")).toEqual([
      "Cannot use the configuration, it has 7 mistakes:",
      "  KAFKA_BROKERS: got nothing, want host:port, comma-separated, such as 'kafka-1:9092,kafka-2:9092'",
      "  RETRY_DELAYS: got '5x 5y', want 1 to 8 ascending durations of at most 24h, such as '30s,5m,30m'",
      "  GAINSIGHT_URL: got '***@host', want an http:// or https:// address without credentials or query",
      "  GAINSIGHT_ACCESS_KEY: got ***, want the 36 characters of a Gainsight access key",
      "  KAFKA_SASL_PASSWORD_FILE: got ***, want the path of a readable file",
      "  KAFKA_SASL_MECHANISM: got nothing, want a value, because KAFKA_SASL_PASSWORD_FILE is given",
      expect.stringMatching(/^ {2}settings.evnts: got an unknown setting, want one of the known ones: events, /),
    ]);
  });
});

describe("describeVariables()", () => {
  test("describes every variable of this version once", () => {
    const described = describeVariables();
    expect(described.length).toBe(Object.keys(variables).length - 2);
    expect(described.every(({ meaning }) => meaning !== "")).toBe(true);
    expect(described.find(({ name }) => name === "KAFKA_BROKERS")?.default).toBe("required");
    expect(described.find(({ name }) => name === "RETRY_DELAYS")?.default).toBe("30s,5m,30m");
    expect(described.find(({ name }) => name === "SETTINGS_FILE")?.default).toBe("none");
  });
});
