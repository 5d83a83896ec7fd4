import { describe, expect, test } from "vitest";

import { variables } from "../../../src/config/env/variables.ts";
import { environmentWarnings } from "../../../src/config/env/warnings.ts";

describe("environmentWarnings()", () => {
  test.each([
    ["KAFKA_BROKER", "KAFKA_BROKERS"],
    ["RETRY_DELAY", "RETRY_DELAYS"],
    ["GAINSIGHT_ACESS_KEY", "GAINSIGHT_ACCESS_KEY"],
    ["SCHEMA_REGISTRY_URI", "SCHEMA_REGISTRY_URL"],
    ["BREAKER_WINDWO", "BREAKER_WINDOW"],
  ])("asks for %s whether %s was meant", (name, meant) => {
    expect(environmentWarnings({ [name]: "x" })).toEqual([
      `Ignoring the unknown variable ${name}; did you mean ${meant}?`,
    ]);
  });

  test("accepts our own variables, the service variables of Kubernetes, and foreign variables", () => {
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
    expect(environmentWarnings(Object.fromEntries(names.map((name) => [name, "x"])))).toEqual([]);
  });

  test.each(["http://login.example.com/token", " HTTP://10.0.0.1:8080/", "http://localhost.example.com/"])(
    "warns of an unencrypted client secret: %s",
    (url) => {
      expect(environmentWarnings({ KAFKA_SASL_OAUTH_TOKEN_URL: url })).toEqual([
        "KAFKA_SASL_OAUTH_TOKEN_URL is an http:// address, so the client secret is not encrypted; use an https:// address",
      ]);
    },
  );

  test.each(["https://login.example.com/token", "http://localhost:8080/", "http://127.0.0.1/t", "http://[::1]:1", ""])(
    "accepts the token URL %j",
    (url) => expect(environmentWarnings({ KAFKA_SASL_OAUTH_TOKEN_URL: url })).toEqual([]),
  );
});
