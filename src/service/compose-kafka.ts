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

/** The clients of the cluster, of which `impatient` repeats nothing by itself. Nothing connects. */
export const composeKafkaClients = ({ config, log, onFatal }: KafkaClientsOptions) => {
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
  return {
    kafka,
    noRetryKafka,
    shared: { lastConnectionError, admin, rights, tokenProblem, pingCluster: () => checkConnection(noRetryKafka) },
  };
};
