import type { Message, Producer as KafkaProducer, RecordMetadata } from "kafkajs";

import { type Compression, compressionType } from "../codecs/codecs.ts";

type Producer = Pick<KafkaProducer, "connect" | "send" | "disconnect">;

/** Messages for one topic; they go to one partition, which the key chooses if it is not given. */
export interface Write {
  readonly topic: string;
  readonly partition?: number;
  readonly messages: readonly Message[];
  /** None if it is not given. */
  readonly compression?: Compression;
}

export interface ProducersOptions {
  /** Makes a producer that is not connected yet, with connections of its own. */
  readonly createProducer: () => Producer;
  /** A producer that is not used any more could not be closed. */
  readonly onCloseError: (error: unknown) => void;
}

/** Kafka gave no error, and has not said that it wrote the messages either. */
class NotAcknowledgedError extends Error {
  constructor({ topic, partition }: Write) {
    const target = partition === undefined ? topic : `partition ${partition} of ${topic}`;
    super(`Kafka has not acknowledged a write to ${target}: the topic may lack that partition`);
  }
}

/** The offset of the first message; undefined if the answer is anything but one acknowledgement of this write. */
const baseOffsetOf = (metadata: readonly RecordMetadata[], { topic, partition }: Write): number | undefined => {
  const isOurs = (entry: RecordMetadata): boolean =>
    entry.topicName === topic && (partition === undefined || entry.partition === partition) && entry.errorCode === 0;
  if (metadata.length !== 1 || !metadata.every(isOurs)) return undefined;
  const { baseOffset = "" } = metadata[0] ?? {};
  return /^\d{1,15}$/.test(baseOffset) ? Number(baseOffset) : undefined;
};

const send = async (
  producer: Producer,
  { topic, partition, messages, compression = "none" }: Write,
): Promise<readonly RecordMetadata[]> => {
  // Costs nothing if it is connected.
  await producer.connect();
  const partitioned = partition === undefined ? [...messages] : messages.map((message) => ({ ...message, partition }));
  return producer.send({ topic, acks: -1, compression: compressionType(compression), messages: partitioned });
};

interface TopicProducer {
  readonly producer: Producer;
  /** Writes that have not ended. */
  inFlight: number;
}

/**
 * One kafkajs producer for each topic, connected at its first write. A producer of kafkajs asks for the metadata of every topic
 * that it ever wrote to in one request, so that one topic that is deleted or forbidden fails the writes to all of them.
 */
export class Producers {
  readonly #options: ProducersOptions;
  readonly #byTopic = new Map<string, TopicProducer>();
  #isClosed = false;

  constructor(options: ProducersOptions) {
    this.#options = options;
  }

  /** Writes with the acknowledgement of all replicas, once; resolves with the offset of the first message. */
  async write(write: Write): Promise<number> {
    const entry = this.#producerFor(write.topic);
    entry.inFlight++;
    try {
      const offset = baseOffsetOf(await send(entry.producer, write), write);
      if (offset !== undefined) return offset;
      // kafkajs sends nothing to a partition that its metadata lacks, as long as they are young. A new producer asks anew.
      if (this.#byTopic.get(write.topic) === entry) this.#byTopic.delete(write.topic);
      throw new NotAcknowledgedError(write);
    } finally {
      entry.inFlight--;
      if (entry.inFlight === 0 && this.#byTopic.get(write.topic) !== entry) void this.#close(entry);
    }
  }

  /** Closes all connections. Writes that come later fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byTopic.values()].map((entry) => this.#close(entry)));
  }

  #producerFor(topic: string): TopicProducer {
    if (this.#isClosed) throw new Error(`Cannot write to ${topic}: the producers are closed`);
    const entry = this.#byTopic.get(topic) ?? { producer: this.#options.createProducer(), inFlight: 0 };
    this.#byTopic.set(topic, entry);
    return entry;
  }

  async #close({ producer }: TopicProducer): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.#options.onCloseError(error);
    }
  }
}
