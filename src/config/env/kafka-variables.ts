import {
  anyText,
  asciiWord,
  awsRegion,
  booleanText,
  brokers,
  filePath,
  oneOf,
  saslExtensions,
  secret,
  secretPath,
  tokenUrl,
} from "./kinds.ts";
import { optional, required, withDefault } from "./variable.ts";

/** The environment variables for the connection to Kafka. */
export const kafkaVariables = {
  KAFKA_BROKERS: required(brokers, "The brokers to connect to first: host:port, comma-separated"),
  KAFKA_CLIENT_ID: withDefault(asciiWord, "gainstream", "The client id that the brokers see"),
  KAFKA_GROUP_ID: withDefault(asciiWord, "gainstream", "The consumer group; all replicas share it"),
  KAFKA_COMPRESSION: withDefault(
    oneOf(["none", "gzip", "snappy", "lz4", "zstd"]),
    "none",
    "The codec for records that the service writes: `none`, `gzip`, `snappy`, `lz4` or `zstd`. It reads all of them",
  ),
  KAFKA_TLS: withDefault(booleanText, "false", "Encrypts the connections to the brokers"),
  KAFKA_TLS_CA_FILE: optional(
    filePath,
    "A certificate authority (PEM) instead of the system's, read at each new connection",
  ),
  KAFKA_TLS_CERT_FILE: optional(filePath, "The client certificate (PEM) for mutual TLS, read at each new connection"),
  KAFKA_TLS_KEY_FILE: optional(filePath, "The key (PEM) of the client certificate, read at each new connection"),
  KAFKA_SASL_MECHANISM: optional(
    oneOf(["plain", "scram-sha-256", "scram-sha-512", "oauthbearer", "aws-msk-iam"]),
    "How the service logs in: with a password, with an OAuth token, or with AWS credentials at Amazon MSK",
  ),
  KAFKA_SASL_USERNAME: optional(anyText, "The user name. Required with `plain` and `scram-…`"),
  KAFKA_SASL_PASSWORD: optional(secret, "The password. Required with `plain` and `scram-…`, here or as a file"),
  KAFKA_SASL_PASSWORD_FILE: optional(secretPath, "A file with the password, read at each new connection"),
  KAFKA_SASL_OAUTH_TOKEN_URL: optional(
    tokenUrl,
    "The token server for `oauthbearer` with client credentials. Set this or KAFKA_SASL_OAUTH_TOKEN_FILE",
  ),
  KAFKA_SASL_OAUTH_CLIENT_ID: optional(
    anyText,
    "The client id at the token server. Required with KAFKA_SASL_OAUTH_TOKEN_URL",
  ),
  KAFKA_SASL_OAUTH_CLIENT_SECRET: optional(
    secret,
    "The client secret at the token server. Required with KAFKA_SASL_OAUTH_TOKEN_URL, here or as a file",
  ),
  KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: optional(secretPath, "A file with the client secret, read for each token"),
  KAFKA_SASL_OAUTH_SCOPE: optional(anyText, "The scopes to request from the token server, separated by spaces"),
  KAFKA_SASL_OAUTH_TOKEN_FILE: optional(
    secretPath,
    "A file with a token for `oauthbearer`, such as a projected token. The service reads it at each login",
  ),
  KAFKA_SASL_OAUTH_EXTENSIONS: optional(
    saslExtensions,
    "SASL extensions that the broker needs besides the token, such as those of Confluent Cloud",
  ),
  KAFKA_SASL_AWS_REGION: optional(awsRegion, "The AWS region of the cluster. Required with `aws-msk-iam`"),
};
