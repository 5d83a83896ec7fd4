import { clock } from "./clock.ts";
import type { Config } from "./config/config.ts";
import { ClusterAdmin } from "./kafka/admin.ts";
import { createKafka, knock, noRetry } from "./kafka/client.ts";
import { Trouble } from "./kafka/trouble.ts";
import { createKafkaLog } from "./ops/kafka-log.ts";
import type { Log } from "./ops/log.ts";
import { Rights } from "./rights.ts";

export interface ClientsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly onFatal: (error: Error) => void;
}

/** The clients of the cluster, of which `impatient` repeats nothing by itself. Nothing connects. */
export const createClients = ({ config, log, onFatal }: ClientsOptions) => {
  const trouble = new Trouble();
  const kafka = createKafka({ ...config.kafka, ...createKafkaLog(log), onTrouble: trouble.note });
  const impatient = createKafka({ ...config.kafka, ...createKafkaLog(log, "debug"), retry: noRetry });
  const admin = new ClusterAdmin(kafka);
  const rights = new Rights({ config, log, onFatal, admin, monotonic: clock.monotonic });
  return { kafka, impatient, shared: { trouble, admin, rights, knock: () => knock(impatient) } };
};
