import type { ProducerRecord, RecordMetadata } from "kafkajs";

import type { TopicPartition, Produced, SimulatedBroker } from "./simulated-broker.ts";

export interface Write {
  readonly topicPartition: TopicPartition;
  readonly answer: (how: "acknowledged" | "lost" | "too_large") => void;
}

/**
 * kafkajs's producer: a record lies in its log at once, and the acknowledgement comes by hand, late, or never. A write of
 * several records may be refused as too large instead, before it lies anywhere.
 */
export const createSimulatedProducer = (broker: SimulatedBroker) => {
  const writes: Write[] = [];
  const refusing = { count: 0 };
  let isDead = false;
  const send = ({ topic, messages }: ProducerRecord): Promise<RecordMetadata[]> => {
    if (isDead) return new Promise(() => undefined);
    const partition = messages[0]?.partition ?? 0;
    const topicPartition = { topic, partition };
    if (refusing.count > 0 && messages.length > 1) {
      refusing.count--;
      return Promise.reject(
        Object.assign(new Error("Too large"), { name: "KafkaJSProtocolError", type: "MESSAGE_TOO_LARGE" }),
      );
    }
    const offsets = messages.map((message) => broker.append(topicPartition, message as Produced));
    return new Promise((resolve, reject) => {
      const write: Write = {
        topicPartition,
        answer: (how) => {
          writes.splice(writes.indexOf(write), 1);
          if (how === "acknowledged")
            resolve([{ topicName: topic, partition, errorCode: 0, baseOffset: String(offsets[0]) }]);
          else reject(Object.assign(new Error("Connection lost"), { name: "KafkaJSConnectionError" }));
        },
      };
      writes.push(write);
    });
  };
  /** The process is gone: nothing of it reaches the cluster any more. */
  const die = (): void => {
    isDead = true;
  };
  const connect = (): Promise<void> => Promise.resolve();
  return { connect, send, disconnect: connect, writes, refusing, die };
};

export type SimulatedProducer = ReturnType<typeof createSimulatedProducer>;
