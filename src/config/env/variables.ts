import { shippedSchema } from "../shipped-schema.ts";
import {
  accessKey,
  awsRegion,
  brokers,
  duration,
  filePath,
  filesPath,
  flag,
  integer,
  oneOf,
  retryDelays,
  saslExtensions,
  secret,
  secretPath,
  text,
  tokenUrl,
  topic,
  topics,
  url,
  word,
} from "./kinds.ts";
import { proxyUrl } from "./proxies.ts";
import { type Variable, later, lowerCaseToo, optional, required, withDefault } from "./variable.ts";

const callLimitHint = "; a call must end well inside the Kafka session time-out of 30s";

/** The one list of environment variables: `readConfig`, `--help` and the README's table come from it. */
export const variables = {
  KAFKA_BROKERS: required(brokers, "host:port, comma-separated"),
  KAFKA_CLIENT_ID: withDefault(word, "gainstream", "the name the broker sees"),
  KAFKA_GROUP_ID: withDefault(word, "gainstream", "the consumer group; all replicas share it"),
  KAFKA_COMPRESSION: withDefault(
    oneOf(["none", "gzip", "snappy", "lz4", "zstd"]),
    "none",
    "codec of what is written: `none`, `gzip`, `snappy`, `lz4` or `zstd`; all of them are read",
  ),
  KAFKA_TLS: withDefault(flag, "false", "encrypt the connection to the broker"),
  KAFKA_TLS_CA_FILE: optional(
    filePath,
    "certificate authority (PEM), where the system's own does not do; read anew for every connection",
  ),
  KAFKA_TLS_CERT_FILE: optional(filePath, "client certificate (PEM) for mutual TLS; read anew for every connection"),
  KAFKA_TLS_KEY_FILE: optional(filePath, "client key (PEM) for mutual TLS; read anew for every connection"),
  KAFKA_SASL_MECHANISM: optional(
    oneOf(["plain", "scram-sha-256", "scram-sha-512", "oauthbearer", "aws-msk-iam"]),
    "how to log in: with a password, with an OAuth token, or to Amazon MSK with AWS credentials",
  ),
  KAFKA_SASL_USERNAME: optional(text, "required with `plain` and `scram-…`"),
  KAFKA_SASL_PASSWORD: optional(secret, "required with `plain` and `scram-…`, here or as a file"),
  KAFKA_SASL_PASSWORD_FILE: optional(secretPath, "file that holds the password, read anew for new connections"),
  KAFKA_SASL_OAUTH_TOKEN_URL: optional(
    tokenUrl,
    "where `oauthbearer` gets its tokens, by client credentials; this or KAFKA_SASL_OAUTH_TOKEN_FILE",
  ),
  KAFKA_SASL_OAUTH_CLIENT_ID: optional(text, "required with KAFKA_SASL_OAUTH_TOKEN_URL"),
  KAFKA_SASL_OAUTH_CLIENT_SECRET: optional(secret, "required with KAFKA_SASL_OAUTH_TOKEN_URL, here or as a file"),
  KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: optional(secretPath, "file that holds the secret, read anew for every token"),
  KAFKA_SASL_OAUTH_SCOPE: optional(text, "scopes to ask the token server for, separated by blanks"),
  KAFKA_SASL_OAUTH_TOKEN_FILE: optional(
    secretPath,
    "file that holds a token for `oauthbearer` and is replaced in time, such as a projected one; read anew for every log-in",
  ),
  KAFKA_SASL_OAUTH_EXTENSIONS: optional(
    saslExtensions,
    "what the broker wants beside the token, as Confluent Cloud does",
  ),
  KAFKA_SASL_AWS_REGION: optional(awsRegion, "region of the cluster; required with `aws-msk-iam`"),
  SOURCE_TOPICS: withDefault(
    topics,
    "segment-events",
    "comma-separated; the retry topics are made as large as the largest",
  ),
  RETRY_TOPIC: withDefault(topic, "gainstream-retry", "tiers are named `<RETRY_TOPIC>-<delay>`"),
  RETRY_DELAYS: withDefault(retryDelays, "30s,5m,30m", "one tier each, ascending, at most 8"),
  RETRY_MAX_AGE: withDefault(duration("0s", "30d"), "4h", "age at which an event may be given up"),
  RETRY_MAX_ATTEMPTS: withDefault(integer(1, 1000), "6", "attempts after which it may; both must be spent"),
  QUICK_ATTEMPTS: withDefault(integer(1, 10), "3", "calls in one attempt, before an event goes to a tier"),
  DEAD_LETTER_TOPIC: withDefault(topic, "gainstream-dlq", "where events rest that can never be delivered"),
  CREATE_TOPICS: withDefault(
    flag,
    "true",
    "make missing retry and dead-letter topics, and grow retry topics with the source",
  ),
  START_FROM: withDefault(
    oneOf(["earliest", "latest", "fail"]),
    "earliest",
    "where a new group starts and what an offset out of range means: `earliest`, `latest` or `fail`",
  ),
  INPUT_FORMAT: withDefault(
    oneOf(["auto", "registry", "avro", "json"]),
    "auto",
    "`registry` (Confluent header), `avro` (no header), `json` or `auto` (by the first byte)",
  ),
  SCHEMA_REGISTRY_URL: optional(url, "Confluent-compatible; required for `registry`"),
  SCHEMA_REGISTRY_USERNAME: optional(text, "where the registry asks for it"),
  SCHEMA_REGISTRY_PASSWORD: optional(secret, "required with a username, here or as a file"),
  SCHEMA_REGISTRY_PASSWORD_FILE: optional(secretPath, "file that holds the password, read anew for new connections"),
  AVRO_SCHEMA_FILE: {
    ...withDefault(filesPath, shippedSchema.path, "the schema for `avro` and `auto`; a folder: each `*.avsc` in it"),
    defaultInWords: shippedSchema.inWords,
  },
  GAINSIGHT_ROUTE: withDefault(
    oneOf(["clickstream"], "; 'rest' is not available in this version; remove it"),
    "clickstream",
    "the kind of interface at Gainsight",
  ),
  GAINSIGHT_URL: withDefault(url, "https://event.gainsight.com", "base address"),
  GAINSIGHT_ACCESS_KEY: optional(accessKey, "36 characters; required, here or as a file"),
  GAINSIGHT_ACCESS_KEY_FILE: optional(secretPath, "file that holds the key, read again when it changes"),
  GAINSIGHT_TIMEOUT: withDefault(duration("10ms", "25s", callLimitHint), "10s", "per call"),
  GAINSIGHT_CONCURRENCY: withDefault(integer(1, 4096), "64", "calls in flight"),
  GAINSIGHT_CALLS_PER_MINUTE: later,
  GAINSIGHT_CALLS_PER_DAY: later,
  HTTPS_PROXY: lowerCaseToo(
    optional(proxyUrl, "proxy on the way to `https://` addresses; `https_proxy` counts before it"),
  ),
  HTTP_PROXY: lowerCaseToo(
    optional(proxyUrl, "proxy on the way to `http://` addresses, also by CONNECT; `http_proxy` counts before it"),
  ),
  NO_PROXY: lowerCaseToo(
    optional(
      text,
      "who needs no proxy: `host`, `.domain`, `host:port`, `10.0.0.0/8`, `*`; `no_proxy` counts before it",
    ),
  ),
  BREAKER_ERROR_PERCENT: withDefault(integer(1, 100), "50", "share of failed calls that opens the breaker"),
  BREAKER_MIN_CALLS: withDefault(
    integer(1, 100_000),
    "10",
    "calls in the window before it may open; so many failures in a row open it at once",
  ),
  BREAKER_WINDOW: withDefault(duration("100ms", "10m"), "10s", "how far back calls count"),
  BREAKER_PROBE_MIN: withDefault(duration("10ms", "1h"), "1s", "first pause before a probe"),
  BREAKER_PROBE_MAX: withDefault(duration("10ms", "1h"), "60s", "longest pause before a probe"),
  SETTINGS_FILE: optional(filePath, "YAML with the settings, such as the event allow-list"),
  HTTP_HOST: withDefault(word, "0.0.0.0", "address of probes, metrics and status page"),
  HTTP_PORT: withDefault(integer(0, 65_535), "8080", "port of probes, metrics and status page; 0 takes a free one"),
  LOG_LEVEL: withDefault(
    oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    "info",
    "`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`",
  ),
  SHUTDOWN_TIMEOUT: withDefault(duration("0s", "10m"), "25s", "drain limit on SIGTERM; a second signal exits at once"),
};

export type VariableName = keyof typeof variables;

type ValueOf<V> = V extends Variable<infer T> ? T : never;

export type Values = { readonly [Name in VariableName]: ValueOf<(typeof variables)[Name]> };

export interface VariableDescription {
  readonly name: string;
  /** The default as text, in words, `required`, or `none`. */
  readonly default: string;
  /** Whether `default` is what the variable may be set to. */
  readonly isLiteral: boolean;
  readonly meaning: string;
}

/** The variables of this version, in the order of the documentation. */
export const describeVariables = (): readonly VariableDescription[] =>
  Object.entries<Variable<unknown>>(variables)
    .filter(([, { presence }]) => presence !== "unavailable")
    .map(([name, variable]) => ({
      name,
      default: variable.defaultInWords ?? variable.default ?? (variable.presence === "required" ? "required" : "none"),
      isLiteral: variable.default !== undefined && variable.defaultInWords === undefined,
      meaning: variable.meaning,
    }));
