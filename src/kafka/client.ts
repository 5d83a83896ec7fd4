import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";

import { Kafka, Partitioners, type Producer, type SASLOptions, type logCreator, logLevel } from "kafkajs";

import { patchTimer } from "./timer-patch.ts";

/** Paths of PEM files. */
interface TlsOptions {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: TlsOptions | undefined;
  readonly sasl?:
    | {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
        readonly username: string;
        readonly password: { readonly read: () => string };
      }
    | undefined;
  readonly logCreator?: logCreator;
  /** kafkajs's number for the least level to make. */
  readonly logLevel?: number;
}

const tlsOf = ({ caFile, certFile, keyFile }: TlsOptions): ConnectionOptions => ({
  ...(caFile !== undefined && { ca: readFileSync(caFile, "utf8") }),
  ...(certFile !== undefined && { cert: readFileSync(certFile, "utf8") }),
  ...(keyFile !== undefined && { key: readFileSync(keyFile, "utf8") }),
});

/**
 * Retries that outlast a broker's restart without a crash of the consumer: with kafkajs's own defaults a broker that is
 * gone for 15 s costs three crashes and 20 s.
 */
export const patientRetry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 100 } as const;

/** A connection to the brokers. Opens nothing yet. */
export const createKafka = ({ brokers, clientId, tls, sasl, logCreator, logLevel: level }: KafkaOptions): Kafka => {
  patchTimer();
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: patientRetry,
    logLevel: level ?? logLevel.INFO,
    ...(tls && { ssl: tlsOf(tls) }),
    ...(sasl && { sasl: { ...sasl, password: sasl.password.read() } as SASLOptions }),
    ...(logCreator && { logCreator }),
  });
};

/** A producer that makes no topics. Connects to nothing yet. */
export const createProducer = (kafka: Kafka): Producer =>
  kafka.producer({
    allowAutoTopicCreation: false,
    retry: patientRetry,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
