import { type Kafka, type Message, type Producer as KafkaProducer, Partitioners, type RecordMetadata } from "kafkajs";

import { type Compression, compressionType } from "../codecs/codecs.ts";

type Producer = Pick<KafkaProducer, "connect" | "send" | "disconnect">;

/** Messages for one partition of a topic. Without `partition`, the partition follows from the key. */
export interface Write {
  readonly topic: string;
  readonly partition?: number;
  readonly messages: readonly Message[];
  /** Default: none. */
  readonly compression?: Compression;
}

/** Creates a kafkajs producer that never creates topics. It opens no connection yet. */
export const createProducer = (kafka: Kafka): KafkaProducer =>
  kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });

export interface ProducersOptions {
  /** Creates a producer that has its own connections and is not connected yet. */
  readonly createProducer: () => Producer;
  /** A producer could not be closed. */
  readonly onCloseError: (error: unknown) => void;
}

/** The write ended without an error and without Kafka's acknowledgement. */
class NotAcknowledgedError extends Error {
  constructor({ topic, partition }: Write) {
    const target = partition === undefined ? topic : `partition ${partition} of ${topic}`;
    super(`Kafka has not acknowledged a write to ${target}: the topic may lack that partition`);
  }
}

/** The offset of the first message; undefined unless the answer is exactly one acknowledgement of this write. */
const baseOffsetOf = (metadata: readonly RecordMetadata[], { topic, partition }: Write): number | undefined => {
  const acknowledges = (entry: RecordMetadata): boolean =>
    entry.topicName === topic && (partition === undefined || entry.partition === partition) && entry.errorCode === 0;
  if (metadata.length !== 1 || !metadata.every(acknowledges)) return undefined;
  const { baseOffset = "" } = metadata[0] ?? {};
  return /^\d{1,15}$/.test(baseOffset) ? Number(baseOffset) : undefined;
};

const send = async (
  producer: Producer,
  { topic, partition, messages, compression = "none" }: Write,
): Promise<readonly RecordMetadata[]> => {
  // Does nothing if the producer is connected.
  await producer.connect();
  const partitioned = partition === undefined ? [...messages] : messages.map((message) => ({ ...message, partition }));
  return producer.send({ topic, acks: -1, compression: compressionType(compression), messages: partitioned });
};

interface TopicProducer {
  readonly producer: Producer;
  /** How many writes have not ended. */
  inFlight: number;
}

/**
 * One kafkajs producer per topic, connected at the first write. A kafkajs producer requests the metadata of all topics that it ever wrote
 * to together, so one topic that is deleted or forbidden would fail the writes to all of them.
 */
export class Producers {
  readonly #options: ProducersOptions;
  readonly #byTopic = new Map<string, TopicProducer>();
  #isClosed = false;

  constructor(options: ProducersOptions) {
    this.#options = options;
  }

  /** Writes once. Resolves with the offset of the first message after all replicas have acknowledged; otherwise rejects. */
  async write(write: Write): Promise<number> {
    const topicProducer = this.#producerFor(write.topic);
    topicProducer.inFlight++;
    try {
      const offset = baseOffsetOf(await send(topicProducer.producer, write), write);
      if (offset !== undefined) return offset;
      // While its metadata is fresh, kafkajs sends nothing to a partition that the metadata lacks. A new producer requests new metadata.
      if (this.#byTopic.get(write.topic) === topicProducer) this.#byTopic.delete(write.topic);
      throw new NotAcknowledgedError(write);
    } finally {
      topicProducer.inFlight--;
      if (topicProducer.inFlight === 0 && this.#byTopic.get(write.topic) !== topicProducer)
        void this.#close(topicProducer);
    }
  }

  /** Closes all connections. Later writes fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byTopic.values()].map((topicProducer) => this.#close(topicProducer)));
  }

  #producerFor(topic: string): TopicProducer {
    if (this.#isClosed) throw new Error(`Cannot write to ${topic}: the producers are closed`);
    const topicProducer = this.#byTopic.get(topic) ?? { producer: this.#options.createProducer(), inFlight: 0 };
    this.#byTopic.set(topic, topicProducer);
    return topicProducer;
  }

  async #close({ producer }: TopicProducer): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.#options.onCloseError(error);
    }
  }
}
