import { createRequire } from "node:module";

import { assert as assertProperty, asyncProperty, integer, nat } from "fast-check";
import { describe, expect, it } from "vitest";

import { type FetchResponse, createFetchDecoder } from "../../../src/kafka/fetch/fetch-response.ts";
import { type UnreadablePartition, isolatePartitions } from "../../../src/kafka/fetch/isolate-partitions.ts";
import type { BrokerRequest } from "../../../src/kafka/protocol.ts";
import { type PartitionShape, batchBytes, responseBytes } from "./batch-bytes.ts";

const require = createRequire(import.meta.url);
const versions = [4, 5, 6, 7, 8, 9, 10, 11];

interface ResponseOfKafkajs {
  readonly decode: (raw: Buffer) => Promise<FetchResponse>;
  readonly parse: (decoded: unknown) => Promise<unknown>;
}

const responseOf = (version: number) =>
  require(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as ResponseOfKafkajs;

const three = (base: number, attributes = 0): Buffer =>
  batchBytes({
    base,
    attributes,
    records: [0, 1, 2].map((offsetDelta) => ({ offsetDelta, key: "k", value: `v${base + offsetDelta}` })),
  });

const corrupt = (base: number): Buffer => {
  const bytes = three(base);
  bytes[70] = 0xff;
  return bytes;
};

/** kafkajs's connection to a broker that answers every fetch with these partitions. */
const createBroker = (version: number, partitions: () => readonly PartitionShape[]) => {
  const send = async ({ response }: BrokerRequest): Promise<unknown> =>
    response.parse((await response.decode(responseBytes(version, "events", partitions()))) as never);
  const broker = {
    connectionPool: { send },
    fetch: async (_request: object) => {
      const request = { apiKey: 1, apiVersion: version, apiName: "Fetch", encode: async () => undefined };
      return (await broker.connectionPool.send({ request, response: responseOf(version) })) as FetchResponse;
    },
  };
  return broker;
};

/** Fetches these partitions from these offsets, over an isolated connection. */
const fetchIsolated = async (version: number, partitions: PartitionShape[], fetchOffsets: readonly number[]) => {
  const reported: UnreadablePartition[] = [];
  const broker = createBroker(version, () => partitions);
  isolatePartitions(
    { brokerPool: { brokers: { 1: broker }, seedBroker: broker, createBroker: () => broker } },
    { monotonicNow: () => 0, onUnreadable: (unreadable) => void reported.push(unreadable) },
  );
  const requested = fetchOffsets.map((offset, partition) => ({ partition, fetchOffset: String(offset) }));
  const { responses } = await broker.fetch({ topics: [{ topic: "events", partitions: requested }] });
  const offsets = responses[0]?.partitions.map(({ messages }) => messages.map(({ offset }) => Number(offset)));
  return { reported, offsets };
};

describe.each(versions)("the answer to a fetch of version %i", (version) => {
  it("is read as kafkajs reads it", async () => {
    const raw = responseBytes(version, "events", [
      { partition: 0, bytes: three(0), aborted: [[7, 1]], highWatermark: 40 },
      { partition: 1, bytes: Buffer.alloc(0) },
      { partition: 2, bytes: Buffer.concat([three(0, 1), three(3)]) },
      { partition: 3, errorCode: 1, highWatermark: -1, bytes: Buffer.alloc(0) },
    ]);
    const [ours, theirs] = [await createFetchDecoder(version, () => 0)(raw), await responseOf(version).decode(raw)];
    const shown = ({ responses, ...rest }: FetchResponse & { errorCode?: number; sessionId?: number }) => ({
      ...rest,
      errorCode: undefined,
      sessionId: undefined,
      responses: responses.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ messages, ...partition }) => ({
          ...partition,
          abortedTransactions: undefined,
          size: undefined,
          unreadable: undefined,
          messages: messages.map(({ batchContext, ...message }) => ({ ...message, of: batchContext.producerId })),
        })),
      })),
    });
    expect(shown(ours)).toEqual(shown(theirs));
  });

  it("returns all other partitions whole if one has an unreadable batch", async () => {
    const partitions = [
      { partition: 0, bytes: three(0) },
      { partition: 1, bytes: Buffer.concat([three(5), corrupt(8), three(11)]) },
      { partition: 2, bytes: three(20, 1) },
    ];
    const { reported, offsets } = await fetchIsolated(version, partitions, [0, 5, 20]);
    expect(offsets).toEqual([
      [0, 1, 2],
      [5, 6, 7],
      [20, 21, 22],
    ]);
    expect(reported).toEqual([]);
  });
});

describe("a consumer whose partitions fail alone", () => {
  it("reports the batch once if nothing readable comes before it", async () => {
    const bytes = Buffer.concat([corrupt(8), three(11)]);
    const { reported, offsets } = await fetchIsolated(11, [{ partition: 0, bytes }], [8]);
    const reason = "Its checksum is wrong";
    expect([reported, offsets]).toEqual([
      [{ topic: "events", partition: 0, fetchOffset: 8, offset: 8, lastOffset: 10, reason }],
      [[]],
    ]);
  });

  it("returns nothing that was not requested: kafkajs would advance by one offset each time", async () => {
    const bytes = Buffer.concat([three(5), corrupt(30)]);
    const { reported, offsets } = await fetchIsolated(11, [{ partition: 0, bytes }], [20]);
    expect([reported, offsets]).toEqual([[expect.objectContaining({ offset: 30, lastOffset: 32 })], [[]]]);
  });

  it("reports the rest of a batch whose first records were read before", async () => {
    const { reported } = await fetchIsolated(11, [{ partition: 0, bytes: corrupt(8) }], [10]);
    expect(reported).toMatchObject([{ offset: 10, lastOffset: 10 }]);
  });

  it.each([
    [-1, "The broker reports UNKNOWN"],
    [2, "The broker reports CORRUPT_MESSAGE"],
    [56, "The broker reports KAFKA_STORAGE_ERROR"],
  ])("treats the broker's error %i as that partition's own", async (errorCode, reason) => {
    const partitions = [
      { partition: 0, errorCode, highWatermark: -1, bytes: Buffer.alloc(0) },
      { partition: 1, bytes: three(0) },
    ];
    const { reported, offsets } = await fetchIsolated(11, partitions, [7, 0]);
    const skippable = errorCode === 56 && { isUnskippable: true };
    expect(reported).toEqual([
      { topic: "events", partition: 0, fetchOffset: 7, offset: 7, lastOffset: 7, reason, ...skippable },
    ]);
    expect(offsets).toEqual([[], [0, 1, 2]]);
  });

  it("leaves every other error to kafkajs", async () => {
    const failing = fetchIsolated(11, [{ partition: 0, errorCode: 6, highWatermark: -1, bytes: Buffer.alloc(0) }], [7]);
    await expect(failing).rejects.toMatchObject({ type: "NOT_LEADER_FOR_PARTITION" });
  });

  it("leaves all other requests and unknown versions as they are", async () => {
    const decode = async (): Promise<object> => ({ responses: [] });
    for (const [apiKey, apiVersion] of [
      [3, 11],
      [1, 3],
      [1, 12],
    ] as const) {
      const seen: unknown[] = [];
      const broker = {
        connectionPool: {
          send: async (request: BrokerRequest): Promise<unknown> => seen.push(request.response.decode),
        },
        fetch: async () => ({ responses: [] }),
      };
      isolatePartitions(
        { brokerPool: { brokers: { 1: broker }, createBroker: () => broker } },
        { monotonicNow: () => 0, onUnreadable: () => undefined },
      );
      const request = { apiKey, apiVersion, apiName: "", encode: async () => undefined };
      await broker.connectionPool.send({ request, response: { decode, parse: decode } });
      expect(seen).toEqual([decode]);
    }
  });

  it("patches brokers that connect later too", async () => {
    const reported: UnreadablePartition[] = [];
    const broker = createBroker(11, () => [{ partition: 0, bytes: corrupt(8) }]);
    const brokerPool = { brokers: {}, createBroker: () => broker };
    isolatePartitions(
      { brokerPool },
      { monotonicNow: () => 0, onUnreadable: (unreadable) => void reported.push(unreadable) },
    );
    await brokerPool
      .createBroker()
      .fetch({ topics: [{ topic: "events", partitions: [{ partition: 0, fetchOffset: "8" }] }] });
    expect(reported).toHaveLength(1);
  });

  it("suspects a broker that returns nothing only if no other partition filled the response before", async () => {
    const reported: number[] = [];
    let now = 0;
    let order: readonly number[] = [];
    const broker = createBroker(11, () =>
      order.map((partition) => ({ partition, bytes: partition === 1 ? three(0) : Buffer.alloc(0), highWatermark: 9 })),
    );
    isolatePartitions(
      { brokerPool: { brokers: { 1: broker }, createBroker: () => broker } },
      { monotonicNow: () => now, onUnreadable: ({ partition }) => void reported.push(partition) },
    );
    const requested = [0, 1, 2].map((partition) => ({ partition, fetchOffset: "0" }));
    for (; now <= 40_000; now += 10_000) {
      order = [0, 1, 2];
      await broker.fetch({ topics: [{ topic: "events", partitions: requested }] });
    }
    expect(reported).toEqual([0, 0]);
  });

  it("decompresses no more than the memory limit: the other partitions are neither read nor reported", async () => {
    const bomb = batchBytes({ base: 0, attributes: 1, records: [{ offsetDelta: 0, value: "x".repeat(40_000_000) }] });
    const partitions = [0, 1, 2].map((partition) => ({ partition, bytes: Buffer.concat([bomb, three(1)]) }));
    const { reported, offsets } = await fetchIsolated(11, partitions, [0, 0, 0]);
    expect([reported, offsets]).toEqual([[], [[0], [], []]]);
  });

  it("returns all other partitions whole, and the batches before, whichever byte of a partition has changed", async () => {
    const good = Buffer.concat([three(0), three(3, 1), three(6)]);
    await assertProperty(
      asyncProperty(nat(good.length - 1), integer({ min: 1, max: 255 }), async (position, mask) => {
        const bytes = Buffer.from(good);
        bytes[position] = (bytes[position] ?? 0) ^ mask;
        const partitions = [
          { partition: 0, bytes: good, highWatermark: 9 },
          { partition: 1, bytes, highWatermark: 9 },
          { partition: 2, bytes: good, highWatermark: 9 },
        ];
        const { offsets } = await fetchIsolated(11, partitions, [0, 0, 0]);
        const all = [0, 1, 2, 3, 4, 5, 6, 7, 8];
        expect([offsets?.[0], offsets?.[2]]).toEqual([all, all]);
        const before =
          position < three(0).length
            ? []
            : position < good.length - three(6).length
              ? all.slice(0, 3)
              : all.slice(0, 6);
        expect(offsets?.[1]?.slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
