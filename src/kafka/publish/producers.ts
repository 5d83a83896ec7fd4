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
  readonly create: () => Producer;
  /** A producer that is not used any more could not be closed. */
  readonly onCloseError: (error: unknown) => void;
}

/** Kafka gave no error, and has not said that it wrote the messages either. */
class NotAcknowledged extends Error {
  constructor({ topic, partition }: Write) {
    const place = partition === undefined ? topic : `partition ${partition} of ${topic}`;
    super(`Kafka has not acknowledged a write to ${place}: the topic may lack that partition`);
  }
}

/** The offset of the first message; undefined if the answer is anything but one acknowledgement of this write. */
const offsetOf = (answer: readonly RecordMetadata[], { topic, partition }: Write): number | undefined => {
  const isOurs = (entry: RecordMetadata): boolean =>
    entry.topicName === topic && (partition === undefined || entry.partition === partition) && entry.errorCode === 0;
  if (answer.length !== 1 || !answer.every(isOurs)) return undefined;
  const { baseOffset = "" } = answer[0] ?? {};
  return /^\d{1,15}$/.test(baseOffset) ? Number(baseOffset) : undefined;
};

const send = async (
  producer: Producer,
  { topic, partition, messages, compression = "none" }: Write,
): Promise<readonly RecordMetadata[]> => {
  // Costs nothing if it is connected.
  await producer.connect();
  const placed = partition === undefined ? [...messages] : messages.map((message) => ({ ...message, partition }));
  return producer.send({ topic, acks: -1, compression: compressionType(compression), messages: placed });
};

interface Entry {
  readonly producer: Producer;
  /** Writes that have not ended. */
  underWay: number;
}

/**
 * One kafkajs producer for each topic, connected at its first write. A producer of kafkajs asks for the metadata of every topic
 * that it ever wrote to in one request, so that one topic that is deleted or forbidden fails the writes to all of them.
 */
export class Producers {
  readonly #options: ProducersOptions;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  constructor(options: ProducersOptions) {
    this.#options = options;
  }

  /** Writes with the acknowledgement of all replicas, once; resolves with the offset of the first message. */
  async write(write: Write): Promise<number> {
    const entry = this.#of(write.topic);
    entry.underWay++;
    try {
      const offset = offsetOf(await send(entry.producer, write), write);
      if (offset !== undefined) return offset;
      // kafkajs sends nothing to a partition that its metadata lacks, as long as they are young. A new producer asks anew.
      if (this.#entries.get(write.topic) === entry) this.#entries.delete(write.topic);
      throw new NotAcknowledged(write);
    } finally {
      entry.underWay--;
      if (entry.underWay === 0 && this.#entries.get(write.topic) !== entry) void this.#close(entry);
    }
  }

  /** Closes all connections. Writes that come later fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#entries.values()].map((entry) => this.#close(entry)));
  }

  #of(topic: string): Entry {
    if (this.#isClosed) throw new Error(`Cannot write to ${topic}: the producers are closed`);
    const entry = this.#entries.get(topic) ?? { producer: this.#options.create(), underWay: 0 };
    this.#entries.set(topic, entry);
    return entry;
  }

  async #close({ producer }: Entry): Promise<void> {
    try {
      await producer.disconnect();
    } catch (error) {
      this.#options.onCloseError(error);
    }
  }
}
