import type { KafkaConfig } from "../config/config.ts";
import { createLogin } from "../kafka/auth/login.ts";
import { createKafka } from "../kafka/client.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";

interface KafkaConnection {
  readonly kafka: ReturnType<typeof createKafka>;
  /** The last error that kafkajs logged. kafkajs retries and throws nothing, so this is the reason of a time-out. */
  readonly lastError: () => string;
}

/** Creates a Kafka client for a command that somebody waits for. It does not connect yet. */
export const connectKafka = (config: KafkaConfig): KafkaConnection => {
  let lastMessage = "no answer in time";
  const fetch = createFetch({ proxy: config.tokenProxy, userAgent: readUserAgent() });
  const kafka = createKafka({
    ...config,
    // If there is no token, the connection fails with the reason.
    sasl: createLogin({ sasl: config.sasl, fetch, warn: () => {} }),
    logLevel: 1,
    logCreator: () => (entry) => {
      lastMessage = entry.log.message.slice(0, 300);
    },
  });
  return { kafka, lastError: () => lastMessage };
};
