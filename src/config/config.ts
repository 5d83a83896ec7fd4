import type { ProxyConfig } from "./env/proxies.ts";
import type { Values } from "./env/variables.ts";
import type { Secret } from "./secret.ts";
import type { Settings } from "./settings/settings.ts";

/** The whole configuration from the environment and the settings file: checked, typed and frozen. Times are in milliseconds. */
export interface Config {
  readonly kafka: KafkaConfig;
  readonly topics: TopicsConfig;
  readonly retry: RetryConfig;
  readonly input: InputConfig;
  readonly gainsight: GainsightConfig;
  readonly breaker: BreakerConfig;
  readonly settingsFile?: string | undefined;
  /** As the settings file was at the start. */
  readonly settings: Settings;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: Values["LOG_LEVEL"];
  readonly shutdownTimeoutMs: number;
}

/** When the service gives up an event: after both `maxAttempts` and `maxAgeMs`. */
interface RetryConfig {
  /** Since the first failure. */
  readonly maxAgeMs: number;
  readonly maxAttempts: number;
  /** Calls in one attempt. */
  readonly quickAttempts: number;
}

/** The connection to Kafka, for the service and for commands. */
export interface KafkaConfig {
  /** Each as `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  /** The proxy between the service and the OAuth token server. */
  readonly tokenProxy?: ProxyConfig | undefined;
  /** The codec for records that the service writes. */
  readonly compression: Values["KAFKA_COMPRESSION"];
  /** Undefined: no TLS. The files are PEM and were readable at the start. */
  readonly tls?: TlsConfig | undefined;
  readonly sasl?: SaslConfig | undefined;
}

interface TlsConfig {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** The login to Kafka, by its SASL mechanism. */
export type SaslConfig = PasswordLogin | OauthLogin | MskLogin;

interface PasswordLogin {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: Secret;
}

interface OauthLogin {
  readonly mechanism: "oauthbearer";
  /** The token names the user, and only the broker reads it. */
  readonly username?: undefined;
  readonly tokens: OauthTokens;
  readonly extensions?: Readonly<Record<string, string>> | undefined;
}

/** The source of OAuth tokens: a file, or a token server that takes client credentials (https://www.rfc-editor.org/rfc/rfc6749). */
export type OauthTokens =
  | { readonly kind: "file"; readonly token: Secret }
  | {
      readonly kind: "client-credentials";
      readonly url: string;
      readonly clientId: string;
      readonly clientSecret: Secret;
      readonly scope?: string | undefined;
    };

interface MskLogin {
  readonly mechanism: "aws-msk-iam";
  readonly username?: undefined;
  readonly region: string;
}

/** A retry topic. Its records are due `delayMs` after they were written. */
export interface RetryTopic {
  readonly topic: string;
  readonly delayMs: number;
}

/** The topics that the service reads and writes. */
export interface TopicsConfig {
  readonly source: readonly string[];
  /** At least one; the delays ascend. */
  readonly retry: readonly RetryTopic[];
  readonly deadLetter: string;
  /** Whether the service creates missing retry and dead-letter topics. */
  readonly create: boolean;
  readonly startFrom: Values["START_FROM"];
}

/** How the bytes of records become events. */
export interface InputConfig {
  readonly format: Values["INPUT_FORMAT"];
  readonly registry?: RegistryConfig | undefined;
  /** An Avro schema, or a folder with `*.avsc` files. */
  readonly schemaFile: string;
}

/** The connection to the schema registry. */
export interface RegistryConfig {
  /** Without a trailing slash. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly proxy?: ProxyConfig | undefined;
}

/** The calls to Gainsight. */
export interface GainsightConfig {
  readonly route: "clickstream";
  /** Without a trailing slash. */
  readonly url: string;
  readonly accessKey: Secret;
  readonly proxy?: ProxyConfig | undefined;
  /** The limit for one call. */
  readonly timeoutMs: number;
  /** The maximum number of calls in flight. */
  readonly concurrency: number;
}

/** The circuit breaker in front of Gainsight. */
export interface BreakerConfig {
  /** The percentage of failed calls that opens it, from `minCalls` calls in the window on. */
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  /** The first and the longest pause before a probe. */
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
}
