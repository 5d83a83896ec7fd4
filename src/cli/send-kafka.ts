import type { KafkaConfig } from "../config/config.ts";
import { toError } from "../core/to-error.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { compressionType } from "../kafka/codecs/codecs.ts";
import { createProducer } from "../kafka/publish/producers.ts";
import { connectKafka } from "./connect-kafka.ts";
import { withTimeout } from "./with-timeout.ts";

export interface OutgoingRecord {
  readonly key: string | null;
  readonly value: Buffer;
}

/** A topic that takes records. Both methods reject with an error whose message is for people. */
export interface Sink {
  /** Resolves when all replicas have the records, with the partitions that took them. */
  readonly send: (records: readonly OutgoingRecord[]) => Promise<readonly number[]>;
  readonly close: () => Promise<void>;
}

export interface SinkOptions {
  readonly kafka: KafkaConfig;
  readonly topic: string;
  /** The limit for each answer of the cluster. */
  readonly timeoutMs?: number;
}

/**
 * Connects to the cluster and looks for the topic; it creates none. Rejects with an error for people if it finds no cluster or
 * no topic. kafkajs may keep trying to connect then, so the caller must end the process.
 */
export const openSink = async ({ kafka: config, topic, timeoutMs = 10_000 }: SinkOptions): Promise<Sink> => {
  const brokers = config.brokers.join(",");
  const { kafka, lastError } = connectKafka(config);
  const admin = new ClusterAdmin(kafka);
  const producer = createProducer(kafka);
  const compression = compressionType(config.compression);
  const findTopic = async (): Promise<boolean> => {
    await admin.connect();
    const shape = await admin.topicShape(topic);
    await admin.close();
    if (shape !== undefined) await producer.connect();
    return shape !== undefined;
  };
  /** Limits the time of `work`, and turns each failure into a sentence with its reason. */
  const attempt = <T>(work: Promise<T>, sentence: (reason: string) => string): Promise<T> =>
    withTimeout(work, timeoutMs, lastError).catch((error: unknown) => {
      throw new Error(sentence(toError(error).message), { cause: error });
    });
  const topicExists = await attempt(
    findTopic(),
    (reason) => `Cannot reach Kafka at ${brokers}: ${reason}; is it running, and are the KAFKA_ variables right?`,
  );
  if (!topicExists) throw new Error(missingTopicText(topic, brokers));
  return {
    send: async (records) => {
      const answers = await attempt(
        producer.send({ topic, messages: [...records], acks: -1, compression }),
        (reason) => `Cannot write to topic ${topic} at ${brokers}: ${reason}`,
      );
      return answers.map(({ partition }) => partition);
    },
    close: () => producer.disconnect(),
  };
};

const missingTopicText = (topic: string, brokers: string): string =>
  `Cannot find topic '${topic}' at ${brokers}, and send creates no topics. Choose another with --topic or SOURCE_TOPICS, ` +
  `or create it: kafka-topics.sh --bootstrap-server ${brokers} --create --topic ${topic} --partitions 6`;
