import type { ProxyConfig } from "./env/proxies.ts";
import type { Values } from "./env/variables.ts";
import type { Secret } from "./secret.ts";
import type { Settings } from "./settings/settings.ts";

/** Everything the environment and the settings file say: checked, typed and frozen. Times are in milliseconds. */
export interface Config {
  readonly kafka: KafkaConfig;
  readonly topics: TopicsConfig;
  readonly retry: { readonly maxAgeMs: number; readonly maxAttempts: number; readonly quickAttempts: number };
  readonly input: InputConfig;
  readonly gainsight: GainsightConfig;
  readonly breaker: BreakerConfig;
  readonly settingsFile?: string | undefined;
  readonly settings: Settings;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: Values["LOG_LEVEL"];
  readonly shutdownTimeoutMs: number;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly groupId: string;
  /** On the way to the server that gives out tokens. */
  readonly tokenProxy?: ProxyConfig | undefined;
  /** Of what is written. */
  readonly compression: Values["KAFKA_COMPRESSION"];
  /** Absent: no TLS. The files are PEM and were readable at start. */
  readonly tls?: TlsConfig | undefined;
  readonly sasl?: SaslConfig | undefined;
}

interface TlsConfig {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export type SaslConfig = PasswordLogin | OauthLogin | MskLogin;

interface PasswordLogin {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: Secret;
}

interface OauthLogin {
  readonly mechanism: "oauthbearer";
  /** Only the broker knows whom it takes the token for. */
  readonly username?: undefined;
  readonly tokens: OauthTokens;
  readonly extensions?: Readonly<Record<string, string>> | undefined;
}

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

export interface RetryTier {
  readonly topic: string;
  readonly delayMs: number;
}

export interface TopicsConfig {
  readonly source: readonly string[];
  /** At least one, ascending by delay. */
  readonly retry: readonly RetryTier[];
  readonly deadLetter: string;
  readonly create: boolean;
  readonly startFrom: Values["START_FROM"];
}

export interface InputConfig {
  readonly format: Values["INPUT_FORMAT"];
  readonly registry?: RegistryConfig | undefined;
  readonly schemaFile: string;
}

export interface RegistryConfig {
  /** Without a slash at its end. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly proxy?: ProxyConfig | undefined;
}

export interface GainsightConfig {
  readonly route: "clickstream";
  /** Without a slash at its end. */
  readonly url: string;
  readonly accessKey: Secret;
  readonly proxy?: ProxyConfig | undefined;
  readonly timeoutMs: number;
  readonly concurrency: number;
}

export interface BreakerConfig {
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
}
