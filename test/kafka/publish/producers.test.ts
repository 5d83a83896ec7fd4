import type { ProducerRecord, RecordMetadata } from "kafkajs";
import { describe, expect, it } from "vitest";

import { Producers } from "../../../src/kafka/publish/producers.ts";

const messages = [{ key: "u1", value: "{}" }];
const acknowledged: RecordMetadata = { topicName: "retry", partition: 2, errorCode: 0, baseOffset: "7" };

interface CreatedProducer {
  readonly sent: ProducerRecord[];
  isConnected: boolean;
}

type Send = (record: ProducerRecord) => Promise<RecordMetadata[]>;

/** The part of kafkajs that `Producers` uses, with the test's answers. */
const createWorld = (send: Send = async ({ topic }) => [{ ...acknowledged, topicName: topic }]) => {
  const created: CreatedProducer[] = [];
  const closeErrors: unknown[] = [];
  const create = () => {
    const producer: CreatedProducer = { sent: [], isConnected: false };
    created.push(producer);
    return {
      connect: async () => void (producer.isConnected = true),
      disconnect: async () => void (producer.isConnected = false),
      send: async (record: ProducerRecord) => {
        if (!producer.isConnected) throw new Error("The producer is disconnected");
        producer.sent.push(record);
        return send(record);
      },
    };
  };
  return {
    producers: new Producers({ createProducer: create, onCloseError: (error) => void closeErrors.push(error) }),
    created,
    closeErrors,
  };
};

describe("Producers", () => {
  it("write with the acknowledgement of all replicas, each topic over its own connections, which stay open", async () => {
    const { producers, created } = createWorld();
    expect(created).toEqual([]);
    expect(await producers.write({ topic: "retry", partition: 2, messages })).toBe(7);
    await producers.write({ topic: "retry", partition: 2, messages });
    await producers.write({ topic: "dlq", messages });
    const [first] = messages;
    const toRetry = { topic: "retry", acks: -1, compression: 0, messages: [{ ...first, partition: 2 }] };
    expect(created.map(({ sent }) => sent)).toEqual([
      [toRetry, toRetry],
      [{ topic: "dlq", acks: -1, compression: 0, messages }],
    ]);
    await producers.close();
    expect(created.map(({ isConnected }) => isConnected)).toEqual([false, false]);
    await expect(producers.write({ topic: "dlq", messages })).rejects.toThrow("closed");
  });

  it.each([
    ["none", 0],
    ["gzip", 1],
    ["snappy", 2],
    ["lz4", 3],
    ["zstd", 4],
  ] as const)("compress by %s if a write asks for it", async (compression, number) => {
    const { producers, created } = createWorld();
    await producers.write({ topic: "retry", partition: 2, messages, compression });
    expect(created[0]?.sent).toMatchObject([{ compression: number }]);
  });

  it.each<[string, RecordMetadata[]]>([
    ["nothing, as kafkajs answers for a partition that its metadata lacks", []],
    ["two partitions", [acknowledged, { ...acknowledged, partition: 3 }]],
    ["another partition", [{ ...acknowledged, partition: 3 }]],
    ["another topic", [{ ...acknowledged, topicName: "dlq" }]],
    ["an error", [{ ...acknowledged, errorCode: 3 }]],
    ["no offset", [{ topicName: "retry", partition: 2, errorCode: 0 }]],
    ["the offset -1", [{ ...acknowledged, baseOffset: "-1" }]],
    ["an empty offset", [{ ...acknowledged, baseOffset: "" }]],
  ])("treat an answer of %s as no acknowledgement, and retry with new metadata", async (_, answer) => {
    const answers = [answer, [acknowledged]];
    const { producers, created } = createWorld(async () => answers.shift() ?? []);
    await expect(producers.write({ topic: "retry", partition: 2, messages })).rejects.toThrow(
      "Kafka has not acknowledged a write to partition 2 of retry: the topic may lack that partition",
    );
    expect(await producers.write({ topic: "retry", partition: 2, messages })).toBe(7);
    expect(created.map(({ isConnected }) => isConnected)).toEqual([false, true]);
  });

  it("close a producer only after its writes have ended", async () => {
    const slow = Promise.withResolvers<RecordMetadata[]>();
    const { producers, created } = createWorld(({ messages: [message] }) =>
      message?.partition === 2 ? slow.promise : Promise.resolve([]),
    );
    const slowWrite = producers.write({ topic: "retry", partition: 2, messages });
    await expect(producers.write({ topic: "retry", partition: 5, messages })).rejects.toThrow("partition 5");
    await expect(producers.write({ topic: "retry", partition: 5, messages })).rejects.toThrow("partition 5");
    expect(created.map(({ isConnected }) => isConnected)).toEqual([true, false]);
    slow.resolve([acknowledged]);
    expect(await slowWrite).toBe(7);
    expect(created[0]?.isConnected).toBe(false);
  });

  it("report a producer that cannot be closed, and close the others", async () => {
    const { producers, created, closeErrors } = createWorld();
    await producers.write({ topic: "retry", partition: 2, messages });
    await producers.write({ topic: "dlq", messages });
    const [first] = created;
    Object.defineProperty(first, "isConnected", {
      set: () => {
        throw new Error("Stuck");
      },
    });
    await producers.close();
    expect(created[1]?.isConnected).toBe(false);
    expect(closeErrors).toEqual([new Error("Stuck")]);
  });
});
