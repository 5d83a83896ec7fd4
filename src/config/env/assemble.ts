import type {
  BreakerConfig,
  Config,
  GainsightConfig,
  InputConfig,
  KafkaConfig,
  OauthTokens,
  RegistryConfig,
  SaslConfig,
  TopicsConfig,
} from "../config.ts";
import { createFileSecret, createSecret } from "../secret.ts";
import type { ReadFile, Secret } from "../secret.ts";
import type { Settings } from "../settings/settings.ts";
import { planTiers } from "./check-topics.ts";
import { proxyFor } from "./proxies.ts";
import type { Values } from "./variables.ts";

export interface Parts {
  readonly values: Values;
  readonly settings: Settings;
  readonly readFile: ReadFile;
}

/** The configuration in its final shape, from values that passed every check. */
export const assemble = (parts: Parts): Config => {
  const { values, settings } = parts;
  return {
    kafka: kafkaOf(parts),
    topics: topicsOf(values),
    retry: {
      maxAgeMs: values.RETRY_MAX_AGE,
      maxAttempts: values.RETRY_MAX_ATTEMPTS,
      quickAttempts: values.QUICK_ATTEMPTS,
    },
    input: inputOf(parts),
    gainsight: gainsightOf(parts),
    breaker: breakerOf(values),
    settingsFile: values.SETTINGS_FILE,
    settings,
    http: { host: values.HTTP_HOST, port: values.HTTP_PORT },
    logLevel: values.LOG_LEVEL,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT,
  };
};

const kafkaOf = (parts: Parts): KafkaConfig => {
  const { values } = parts;
  const tokenUrl = values.KAFKA_SASL_OAUTH_TOKEN_URL;
  return {
    brokers: values.KAFKA_BROKERS,
    clientId: values.KAFKA_CLIENT_ID,
    groupId: values.KAFKA_GROUP_ID,
    compression: values.KAFKA_COMPRESSION,
    tls: values.KAFKA_TLS
      ? {
          caFile: values.KAFKA_TLS_CA_FILE,
          certFile: values.KAFKA_TLS_CERT_FILE,
          keyFile: values.KAFKA_TLS_KEY_FILE,
        }
      : undefined,
    sasl: saslOf(parts),
    tokenProxy: tokenUrl === undefined ? undefined : proxyFor(values, tokenUrl),
  };
};

const saslOf = (parts: Parts): SaslConfig | undefined => {
  const { values } = parts;
  const { KAFKA_SASL_MECHANISM: mechanism } = values;
  switch (mechanism) {
    case undefined:
      return undefined;
    case "oauthbearer":
      return { mechanism, tokens: tokensOf(parts), extensions: values.KAFKA_SASL_OAUTH_EXTENSIONS };
    case "aws-msk-iam":
      return { mechanism, region: values.KAFKA_SASL_AWS_REGION ?? "" };
    case "plain":
    case "scram-sha-256":
    case "scram-sha-512":
      return { mechanism, ...userOf(parts) };
  }
};

const userOf = ({ values, readFile }: Parts) => {
  const { KAFKA_SASL_USERNAME: username = "", KAFKA_SASL_PASSWORD: value, KAFKA_SASL_PASSWORD_FILE: path } = values;
  return { username, password: secretOf({ value, path, readFile }) };
};

const tokensOf = ({ values, readFile }: Parts): OauthTokens => {
  const { KAFKA_SASL_OAUTH_TOKEN_FILE: file, KAFKA_SASL_OAUTH_TOKEN_URL: url = "" } = values;
  if (file !== undefined) return { kind: "file", token: createFileSecret(file, readFile) };
  const { KAFKA_SASL_OAUTH_CLIENT_SECRET: value, KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: path } = values;
  return {
    kind: "client-credentials",
    url,
    clientId: values.KAFKA_SASL_OAUTH_CLIENT_ID ?? "",
    clientSecret: secretOf({ value, path, readFile }),
    scope: values.KAFKA_SASL_OAUTH_SCOPE,
  };
};

const topicsOf = (values: Values): TopicsConfig => ({
  source: values.SOURCE_TOPICS,
  retry: planTiers(values.RETRY_TOPIC, values.RETRY_DELAYS),
  deadLetter: values.DEAD_LETTER_TOPIC,
  create: values.CREATE_TOPICS,
  startFrom: values.START_FROM,
});

const inputOf = (parts: Parts): InputConfig => ({
  format: parts.values.INPUT_FORMAT,
  registry: registryOf(parts),
  schemaFile: parts.values.AVRO_SCHEMA_FILE,
});

const registryOf = ({ values, readFile }: Parts): RegistryConfig | undefined => {
  const { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_USERNAME: username } = values;
  if (url === undefined) return undefined;
  const proxy = proxyFor(values, url);
  if (username === undefined) return { url, proxy };
  const { SCHEMA_REGISTRY_PASSWORD: value, SCHEMA_REGISTRY_PASSWORD_FILE: path } = values;
  return { url, proxy, username, password: secretOf({ value, path, readFile }) };
};

const gainsightOf = ({ values, readFile }: Parts): GainsightConfig => ({
  route: values.GAINSIGHT_ROUTE,
  url: values.GAINSIGHT_URL,
  accessKey: secretOf({ value: values.GAINSIGHT_ACCESS_KEY, path: values.GAINSIGHT_ACCESS_KEY_FILE, readFile }),
  proxy: proxyFor(values, values.GAINSIGHT_URL),
  timeoutMs: values.GAINSIGHT_TIMEOUT,
  concurrency: values.GAINSIGHT_CONCURRENCY,
});

const breakerOf = (values: Values): BreakerConfig => ({
  errorPercent: values.BREAKER_ERROR_PERCENT,
  minCalls: values.BREAKER_MIN_CALLS,
  windowMs: values.BREAKER_WINDOW,
  probeMinMs: values.BREAKER_PROBE_MIN,
  probeMaxMs: values.BREAKER_PROBE_MAX,
});

interface SecretSource {
  readonly value: string | undefined;
  readonly path: string | undefined;
  readonly readFile: ReadFile;
}

// That one of the two is given has been checked.
const secretOf = ({ value = "", path, readFile }: SecretSource): Secret =>
  path === undefined ? createSecret(value) : createFileSecret(path, readFile);
