import type { KafkaConfig } from "../config/config.ts";
import { createLogin } from "../kafka/auth/login.ts";
import { createKafka } from "../kafka/client.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";

interface Connection {
  readonly kafka: ReturnType<typeof createKafka>;
  /** What kafkajs tries again and again it only logs: the last of it is the reason of a time-out. */
  readonly lastError: () => string;
}

/** The cluster for a command that somebody waits for. Nothing connects. */
export const connectKafka = (config: KafkaConfig): Connection => {
  let last = "no answer in time";
  const fetch = createFetch({ proxy: config.tokenProxy, userAgent: readUserAgent() });
  const kafka = createKafka({
    ...config,
    // Without a token, the connection says why.
    sasl: createLogin({ sasl: config.sasl, fetch, warn: () => {} }),
    logLevel: 1,
    logCreator: () => (entry) => {
      last = entry.log.message.slice(0, 300);
    },
  });
  return { kafka, lastError: () => last };
};
