import type { Config } from "../config/config.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { createLogin } from "../kafka/auth/login.ts";
import { createKafka, knock, noRetry } from "../kafka/client.ts";
import { Trouble } from "../kafka/connection-error.ts";
import { createKafkaLog } from "../ops/kafka-log.ts";
import type { Log } from "../ops/log.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { clock } from "./clock.ts";
import { Rights } from "./rights.ts";

export interface ClientsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly onFatal: (error: Error) => void;
}

/** The clients of the cluster, of which `impatient` repeats nothing by itself. Nothing connects. */
export const createClients = ({ config, log, onFatal }: ClientsOptions) => {
  const trouble = new Trouble();
  const fetch = createFetch({ proxy: config.kafka.tokenProxy, userAgent: readUserAgent() });
  const sasl = createLogin({ sasl: config.kafka.sasl, fetch, warn: (sentence) => log.warn(sentence) });
  const address = { ...config.kafka, sasl };
  const kafka = createKafka({ ...address, ...createKafkaLog(log), onTrouble: trouble.note });
  const impatient = createKafka({ ...address, ...createKafkaLog(log, "debug"), retry: noRetry });
  const admin = new ClusterAdmin(kafka);
  const rights = new Rights({ config, log, onFatal, admin, monotonic: clock.monotonic });
  const tokenProblem = (): string | undefined => sasl?.problem?.();
  return { kafka, impatient, shared: { trouble, admin, rights, tokenProblem, knock: () => knock(impatient) } };
};
