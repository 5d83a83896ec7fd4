import { describe, expect, test } from "vitest";

import { openTokens, suspiciousVariables } from "../../../src/config/env/suspicious.ts";
import { variables } from "../../../src/config/env/variables.ts";

describe("suspiciousVariables()", () => {
  test.each([
    ["KAFKA_BROKER", "KAFKA_BROKERS"],
    ["RETRY_DELAY", "RETRY_DELAYS"],
    ["GAINSIGHT_ACESS_KEY", "GAINSIGHT_ACCESS_KEY"],
    ["SCHEMA_REGISTRY_URI", "SCHEMA_REGISTRY_URL"],
    ["BREAKER_WINDWO", "BREAKER_WINDOW"],
  ])("asks of %s whether %s was meant", (name, meant) => {
    expect(suspiciousVariables({ [name]: "x" })).toEqual([
      `Unknown variable ${name} is ignored, did you mean ${meant}`,
    ]);
  });

  test("says nothing of our own variables, of Kubernetes' service variables and of other people's", () => {
    const names = [
      ...Object.keys(variables),
      "KAFKA_PORT",
      "KAFKA_SERVICE_HOST",
      "KAFKA_SERVICE_PORT",
      "KAFKA_PORT_9092_TCP",
      "KAFKA_PORT_9092_TCP_ADDR",
      "SCHEMA_REGISTRY_PORT",
      "SCHEMA_REGISTRY_SERVICE_HOST",
      "HTTPS_PORT",
      "PATH",
    ];
    expect(suspiciousVariables(Object.fromEntries(names.map((name) => [name, "x"])))).toEqual([]);
  });
});

describe("openTokens()", () => {
  test.each(["http://login.example.com/token", " HTTP://10.0.0.1:8080/", "http://localhost.example.com/"])(
    "warns of a secret in clear text: %s",
    (url) => {
      expect(openTokens({ KAFKA_SASL_OAUTH_TOKEN_URL: url })).toEqual([
        "KAFKA_SASL_OAUTH_TOKEN_URL is not encrypted: the client secret travels in clear text, want an https:// address",
      ]);
    },
  );

  test.each(["https://login.example.com/token", "http://localhost:8080/", "http://127.0.0.1/t", "http://[::1]:1", ""])(
    "says nothing of %j",
    (url) => expect(openTokens({ KAFKA_SASL_OAUTH_TOKEN_URL: url })).toEqual([]),
  );
});
