import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { createLogin } from "../kafka/auth/login.ts";
import { createKafka, checkConnection, noRetry } from "../kafka/client.ts";
import { LastConnectionError } from "../kafka/connection-error.ts";
import { createKafkaLog } from "../ops/kafka-log.ts";
import type { Log } from "../ops/log.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { clock } from "./clock.ts";
import { Rights } from "./rights.ts";

export interface KafkaClientsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly onFatal: (error: Error) => void;
}

export interface KafkaClients {
  readonly kafka: Kafka;
  /** Repeats nothing by itself. */
  readonly noRetryKafka: Kafka;
  readonly admin: ClusterAdmin;
  readonly rights: Rights;
  readonly lastConnectionError: LastConnectionError;
  /** Why there is no token to log in to Kafka with, if one is needed. */
  readonly tokenProblem: () => string | undefined;
  /** Asks whether any broker answers at all. */
  readonly pingCluster: () => Promise<void>;
}

/** The clients of the cluster. Nothing connects. */
export const composeKafkaClients = ({ config, log, onFatal }: KafkaClientsOptions): KafkaClients => {
  const lastConnectionError = new LastConnectionError();
  const fetch = createFetch({ proxy: config.kafka.tokenProxy, userAgent: readUserAgent() });
  const sasl = createLogin({ sasl: config.kafka.sasl, fetch, warn: (sentence) => log.warn(sentence) });
  const connectionConfig = { ...config.kafka, sasl };
  const kafka = createKafka({
    ...connectionConfig,
    ...createKafkaLog(log),
    onConnectionError: lastConnectionError.record,
  });
  const noRetryKafka = createKafka({ ...connectionConfig, ...createKafkaLog(log, "debug"), retry: noRetry });
  const admin = new ClusterAdmin(kafka);
  const rights = new Rights({ config, log, onFatal, admin, monotonicNow: clock.monotonicNow });
  const tokenProblem = (): string | undefined => sasl?.problem?.();
  const pingCluster = (): Promise<void> => checkConnection(noRetryKafka);
  return { kafka, noRetryKafka, admin, rights, lastConnectionError, tokenProblem, pingCluster };
};
