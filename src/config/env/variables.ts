import { shippedSchema } from "../shipped-schema.ts";
import { kafkaVariables } from "./kafka-variables.ts";
import {
  accessKey,
  duration,
  filePath,
  fileOrFolderPath,
  booleanText,
  integer,
  oneOf,
  retryDelays,
  secret,
  secretPath,
  anyText,
  topic,
  topics,
  url,
  asciiWord,
} from "./kinds.ts";
import { proxyUrl } from "./proxies.ts";
import { type Variable, unavailable, optional, withDefault, withLowerCaseName } from "./variable.ts";

const timeoutHint = "; a call must end well before the Kafka session times out after 30s";

/** All environment variables. `readConfig`, `--help` and docs/configuration.md use this list. */
export const variables = {
  ...kafkaVariables,
  SOURCE_TOPICS: withDefault(
    topics,
    "segment-events",
    "The topics to read, comma-separated. Retry topics get as many partitions as the largest of them",
  ),
  RETRY_TOPIC: withDefault(
    topic,
    "gainstream-retry",
    "The prefix of the retry topics, which are named `<RETRY_TOPIC>-<delay>`",
  ),
  RETRY_DELAYS: withDefault(retryDelays, "30s,5m,30m", "The delays of the retry topics, one topic for each delay"),
  RETRY_MAX_AGE: withDefault(
    duration("0s", "30d"),
    "4h",
    "The service gives up an event only after this time since its first failure, and after RETRY_MAX_ATTEMPTS",
  ),
  RETRY_MAX_ATTEMPTS: withDefault(
    integer(1, 1000),
    "6",
    "The service gives up an event only after this many attempts, and after RETRY_MAX_AGE",
  ),
  QUICK_ATTEMPTS: withDefault(
    integer(1, 10),
    "3",
    "The number of calls in one attempt, before an event goes to a retry topic",
  ),
  DEAD_LETTER_TOPIC: withDefault(topic, "gainstream-dlq", "The topic for events that can never be delivered"),
  CREATE_TOPICS: withDefault(
    booleanText,
    "true",
    "Creates missing retry and dead-letter topics, and adds partitions to retry topics when a source topic grows",
  ),
  START_FROM: withDefault(
    oneOf(["earliest", "latest", "fail"]),
    "earliest",
    "Where reading starts if a partition has no committed offset or a wrong one: `earliest`, `latest` or `fail`",
  ),
  INPUT_FORMAT: withDefault(
    oneOf(["auto", "registry", "avro", "json"]),
    "auto",
    "The format of records: `registry` (Avro with a Confluent header), `avro` (no header), `json` or `auto` (by the first byte)",
  ),
  SCHEMA_REGISTRY_URL: optional(
    url,
    "The address of a Confluent-compatible schema registry. Required with `INPUT_FORMAT=registry`",
  ),
  SCHEMA_REGISTRY_USERNAME: optional(anyText, "The user name, if the registry needs one"),
  SCHEMA_REGISTRY_PASSWORD: optional(secret, "The password. Required with a user name, here or as a file"),
  SCHEMA_REGISTRY_PASSWORD_FILE: optional(secretPath, "A file with the password, read at each request"),
  AVRO_SCHEMA_FILE: {
    ...withDefault(
      fileOrFolderPath,
      shippedSchema.path,
      "The Avro schema for `avro` and `auto`. In a folder, each `*.avsc` counts",
    ),
    defaultText: shippedSchema.text,
  },
  GAINSIGHT_ROUTE: withDefault(
    oneOf(["clickstream"], "; this version does not support 'rest'"),
    "clickstream",
    "The kind of API at Gainsight",
  ),
  GAINSIGHT_URL: withDefault(url, "https://event.gainsight.com", "The base address of Gainsight"),
  GAINSIGHT_ACCESS_KEY: optional(accessKey, "The 36 characters of a Gainsight access key. Required, here or as a file"),
  GAINSIGHT_ACCESS_KEY_FILE: optional(secretPath, "A file with the access key, read when it changes"),
  GAINSIGHT_TIMEOUT: withDefault(duration("10ms", "25s", timeoutHint), "10s", "The time limit of a call"),
  GAINSIGHT_CONCURRENCY: withDefault(integer(1, 4096), "64", "The maximum number of calls in flight, per replica"),
  GAINSIGHT_CALLS_PER_MINUTE: unavailable,
  GAINSIGHT_CALLS_PER_DAY: unavailable,
  HTTPS_PROXY: withLowerCaseName(
    optional(proxyUrl, "The proxy for `https://` addresses. `https_proxy` takes precedence"),
  ),
  HTTP_PROXY: withLowerCaseName(
    optional(proxyUrl, "The proxy for `http://` addresses; it must allow CONNECT. `http_proxy` takes precedence"),
  ),
  NO_PROXY: withLowerCaseName(
    optional(
      anyText,
      "Addresses without a proxy: `host`, `.domain`, `host:port`, `10.0.0.0/8` or `*`, comma-separated. " +
        "`no_proxy` takes precedence",
    ),
  ),
  BREAKER_ERROR_PERCENT: withDefault(integer(1, 100), "50", "The percentage of failed calls that opens the breaker"),
  BREAKER_MIN_CALLS: withDefault(
    integer(1, 100_000),
    "10",
    "With fewer calls in the window, the percentage does not count. This many failures in a row open the breaker at once",
  ),
  BREAKER_WINDOW: withDefault(duration("100ms", "10m"), "10s", "The time window in which calls count"),
  BREAKER_PROBE_MIN: withDefault(duration("10ms", "1h"), "1s", "The first pause before a probe"),
  BREAKER_PROBE_MAX: withDefault(duration("10ms", "1h"), "60s", "The longest pause before a probe"),
  SETTINGS_FILE: optional(filePath, "A YAML file with the settings, such as the event allow-list"),
  HTTP_HOST: withDefault(asciiWord, "0.0.0.0", "The address on which probes, metrics and status page listen"),
  HTTP_PORT: withDefault(
    integer(0, 65_535),
    "8080",
    "The port of probes, metrics and status page; 0 selects a free port",
  ),
  LOG_LEVEL: withDefault(
    oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    "info",
    "The lowest level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`",
  ),
  SHUTDOWN_TIMEOUT: withDefault(
    duration("0s", "10m"),
    "25s",
    "The time limit for the drain after SIGTERM. A second signal ends the process at once",
  ),
};

export type VariableName = keyof typeof variables;

type ValueOf<V> = V extends Variable<infer T> ? T : never;

/** The value of each variable, after its kind converted it. */
export type Values = { readonly [Name in VariableName]: ValueOf<(typeof variables)[Name]> };

export interface VariableDescription {
  readonly name: string;
  /** The default as text, a text that describes it, `required`, or `none`. */
  readonly default: string;
  /** Whether `default` is a value that the variable takes. */
  readonly isLiteral: boolean;
  readonly description: string;
}

/** The variables of this version, in the order of the documentation. */
export const describeVariables = (): readonly VariableDescription[] =>
  Object.entries<Variable<unknown>>(variables)
    .filter(([, { presence }]) => presence !== "unavailable")
    .map(([name, variable]) => ({
      name,
      default: variable.defaultText ?? variable.default ?? (variable.presence === "required" ? "required" : "none"),
      isLiteral: variable.default !== undefined && variable.defaultText === undefined,
      description: variable.description,
    }));
