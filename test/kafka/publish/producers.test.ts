import type { ProducerRecord, RecordMetadata } from "kafkajs";
import { describe, expect, it } from "vitest";

import { Producers } from "../../../src/kafka/publish/producers.ts";

const messages = [{ key: "u1", value: "{}" }];
const taken: RecordMetadata = { topicName: "retry", partition: 2, errorCode: 0, baseOffset: "7" };

interface Made {
  readonly sent: ProducerRecord[];
  isConnected: boolean;
}

type Send = (record: ProducerRecord) => Promise<RecordMetadata[]>;

/** kafkajs as far as it is used, with answers by the test. */
const createWorld = (send: Send = async ({ topic }) => [{ ...taken, topicName: topic }]) => {
  const made: Made[] = [];
  const closeErrors: unknown[] = [];
  const create = () => {
    const one: Made = { sent: [], isConnected: false };
    made.push(one);
    return {
      connect: async () => void (one.isConnected = true),
      disconnect: async () => void (one.isConnected = false),
      send: async (record: ProducerRecord) => {
        if (!one.isConnected) throw new Error("The producer is disconnected");
        one.sent.push(record);
        return send(record);
      },
    };
  };
  return {
    producers: new Producers({ create, onCloseError: (error) => void closeErrors.push(error) }),
    made,
    closeErrors,
  };
};

describe("Producers", () => {
  it("write with the acknowledgement of all replicas, each topic by connections of its own that stay open", async () => {
    const { producers, made } = createWorld();
    expect(made).toEqual([]);
    expect(await producers.write({ topic: "retry", partition: 2, messages })).toBe(7);
    await producers.write({ topic: "retry", partition: 2, messages });
    await producers.write({ topic: "dlq", messages });
    const [first] = messages;
    const toRetry = { topic: "retry", acks: -1, compression: 0, messages: [{ ...first, partition: 2 }] };
    expect(made.map(({ sent }) => sent)).toEqual([
      [toRetry, toRetry],
      [{ topic: "dlq", acks: -1, compression: 0, messages }],
    ]);
    await producers.close();
    expect(made.map(({ isConnected }) => isConnected)).toEqual([false, false]);
    await expect(producers.write({ topic: "dlq", messages })).rejects.toThrow("closed");
  });

  it.each([
    ["none", 0],
    ["gzip", 1],
    ["snappy", 2],
    ["lz4", 3],
    ["zstd", 4],
  ] as const)("compress by %s if a write asks for it", async (compression, number) => {
    const { producers, made } = createWorld();
    await producers.write({ topic: "retry", partition: 2, messages, compression });
    expect(made[0]?.sent).toMatchObject([{ compression: number }]);
  });

  it.each<[string, RecordMetadata[]]>([
    ["nothing, as kafkajs answers for a partition that its metadata lacks", []],
    ["two partitions", [taken, { ...taken, partition: 3 }]],
    ["another partition", [{ ...taken, partition: 3 }]],
    ["another topic", [{ ...taken, topicName: "dlq" }]],
    ["an error", [{ ...taken, errorCode: 3 }]],
    ["no offset", [{ topicName: "retry", partition: 2, errorCode: 0 }]],
    ["the offset -1", [{ ...taken, baseOffset: "-1" }]],
    ["an empty offset", [{ ...taken, baseOffset: "" }]],
  ])("take an answer of %s for no acknowledgement, and ask anew with new metadata", async (_, answer) => {
    const answers = [answer, [taken]];
    const { producers, made } = createWorld(async () => answers.shift() ?? []);
    await expect(producers.write({ topic: "retry", partition: 2, messages })).rejects.toThrow(
      "Kafka has not acknowledged a write to partition 2 of retry: the topic may lack that partition",
    );
    expect(await producers.write({ topic: "retry", partition: 2, messages })).toBe(7);
    expect(made.map(({ isConnected }) => isConnected)).toEqual([false, true]);
  });

  it("let writes under way end before the producer is closed that they were given to", async () => {
    const slow = Promise.withResolvers<RecordMetadata[]>();
    const { producers, made } = createWorld(({ messages: [message] }) =>
      message?.partition === 2 ? slow.promise : Promise.resolve([]),
    );
    const underWay = producers.write({ topic: "retry", partition: 2, messages });
    await expect(producers.write({ topic: "retry", partition: 5, messages })).rejects.toThrow("partition 5");
    await expect(producers.write({ topic: "retry", partition: 5, messages })).rejects.toThrow("partition 5");
    expect(made.map(({ isConnected }) => isConnected)).toEqual([true, false]);
    slow.resolve([taken]);
    expect(await underWay).toBe(7);
    expect(made[0]?.isConnected).toBe(false);
  });

  it("tell of a producer that cannot be closed, and close the others", async () => {
    const { producers, made, closeErrors } = createWorld();
    await producers.write({ topic: "retry", partition: 2, messages });
    await producers.write({ topic: "dlq", messages });
    const [first] = made;
    Object.defineProperty(first, "isConnected", {
      set: () => {
        throw new Error("Stuck");
      },
    });
    await producers.close();
    expect(made[1]?.isConnected).toBe(false);
    expect(closeErrors).toEqual([new Error("Stuck")]);
  });
});
