import { describe, expect, it } from "vitest";

import { explainConnectionError } from "../../src/kafka/connection-error.ts";

// Messages of kafkajs 2.2.4 on Node 24 with a broker of Kafka 4.1.0.
const opensslOf = (alert: string): string =>
  `Connection error: 405D64EBEF7F0000:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert ${alert}:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number 42\n`;

describe("explainConnectionError()", () => {
  it.each([
    [
      "Connection error: unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
      /trusted authority.*KAFKA_TLS_CA_FILE.* \(unable to verify the first certificate\)$/,
    ],
    ["Connection error: self-signed certificate in certificate chain", /KAFKA_TLS_CA_FILE/],
    ["Connection error: certificate has expired", /not valid now.*\(certificate has expired\)$/],
    [
      "Connection error: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ",
      /another host.*KAFKA_BROKERS.*127\.0\.0\.1/,
    ],
    [opensslOf("bad certificate"), /client certificate.*KAFKA_TLS_CERT_FILE.*\(alert bad certificate\)$/],
    [opensslOf("certificate unknown"), /client certificate.*KAFKA_TLS_KEY_FILE.*\(alert certificate unknown\)$/],
    [opensslOf("certificate expired"), /our client certificate has expired/],
    [
      "Connection error: Client network socket disconnected before secure TLS connection was established",
      /did not answer in TLS.*KAFKA_TLS/,
    ],
    ["Closed connection", /KAFKA_TLS.*KAFKA_SASL_MECHANISM/],
    ["Request is not valid given the current SASL state", /wants no log-in/],
    ["The broker does not support the requested SASL mechanism", /set KAFKA_SASL_MECHANISM/],
    [
      "SASL PLAIN authentication failed: Authentication failed: Invalid username or password",
      /refuses the log-in.*KAFKA_SASL_PASSWORD.*\(.*Invalid username or password\)$/,
    ],
    [
      "SASL SCRAM SHA256 authentication failed: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256",
      /refuses the log-in.*invalid credentials/,
    ],
    [
      "SASL SCRAM SHA512 authentication failed: Authentication failed during re-authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512",
      /refuses the log-in/,
    ],
  ])("explains '%s'", (message, meaning) => {
    expect(explainConnectionError(message)).toMatch(meaning);
    expect(explainConnectionError(`Failed to connect to seed broker: ${message}`)).not.toContain("openssl");
  });

  it.each([
    "The broker refuses the token: put a token that it trusts into KAFKA_SASL_OAUTH_TOKEN_FILE (invalid_token)",
    "Cannot get a token for Kafka from login.example.com: SELF_SIGNED_CERT_IN_CHAIN",
  ])("returns a message that explains itself as it is: %s", (message) =>
    expect(explainConnectionError(message)).toBe(message),
  );

  it("returns an unknown message as it is", () => {
    const message = "Connection error: connect ECONNREFUSED 127.0.0.1:9092";
    expect(explainConnectionError(message)).toBe(message);
  });
});
