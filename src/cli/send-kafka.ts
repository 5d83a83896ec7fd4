import type { KafkaConfig } from "../config/config.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { createProducer } from "../kafka/client.ts";
import { compressionType } from "../kafka/codecs/codecs.ts";
import { connectKafka } from "./connect-kafka.ts";

export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: Buffer;
}

/** A topic that takes records. Both methods throw sentences. */
export interface Sink {
  /** Resolves with the partitions that took the records, as soon as all replicas have them. */
  readonly send: (records: readonly OutgoingRecord[]) => Promise<readonly number[]>;
  readonly close: () => Promise<void>;
}

export interface SinkOptions {
  readonly kafka: KafkaConfig;
  readonly topic: string;
  /** For each answer of the cluster, in milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * Connects to the cluster and looks for the topic, which is never made here. Throws a sentence where either is not there;
 * kafkajs may go on trying for a while then, so that the process has to be ended.
 */
export const openSink = async ({ kafka: config, topic, timeoutMs = 10_000 }: SinkOptions): Promise<Sink> => {
  const brokers = config.brokers.join(",");
  const { kafka, lastError } = connectKafka(config);
  const admin = new ClusterAdmin(kafka);
  const producer = createProducer(kafka);
  const compression = compressionType(config.compression);
  const look = async (): Promise<boolean> => {
    await admin.connect();
    const shape = await admin.shape(topic);
    await admin.close();
    if (shape !== undefined) await producer.connect();
    return shape !== undefined;
  };
  const isThere = await inTime(look(), {
    timeoutMs,
    sentence: (why) =>
      `Cannot reach Kafka at ${brokers}: ${why ?? lastError()}; is it running, and are KAFKA_BROKERS and its like right?`,
  });
  if (!isThere) throw new Error(missing(topic, brokers));
  return {
    send: async (records) => {
      const answers = await inTime(producer.send({ topic, messages: [...records], acks: -1, compression }), {
        timeoutMs,
        sentence: (why) => `Cannot write to topic ${topic} at ${brokers}: ${why ?? lastError()}`,
      });
      return answers.map(({ partition }) => partition);
    },
    close: () => producer.disconnect(),
  };
};

const missing = (topic: string, brokers: string): string =>
  `Cannot find topic '${topic}' at ${brokers}, and send never makes one. Name another with --topic or SOURCE_TOPICS, ` +
  `or make it: kafka-topics.sh --bootstrap-server ${brokers} --create --topic ${topic} --partitions 6`;

interface Patience {
  readonly timeoutMs: number;
  /** What to say where it fails; without a reason it took too long. */
  readonly sentence: (why?: string) => string;
}

const inTime = async <T>(work: Promise<T>, { timeoutMs, sentence }: Patience): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(sentence())), timeoutMs);
  const failed = work.catch((error: unknown) => {
    throw new Error(sentence(error instanceof Error ? error.message : String(error)), { cause: error });
  });
  return Promise.race([failed, late.promise]).finally(() => clearTimeout(timer));
};
