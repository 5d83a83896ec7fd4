import { createRequire } from "node:module";

import { assert as assertProperty, asyncProperty, integer, nat } from "fast-check";
import { describe, expect, it } from "vitest";

import type { BrokerRequest } from "../../../src/kafka/cluster.ts";
import { type FetchResponse, fetchDecoder } from "../../../src/kafka/fetch/fetch-response.ts";
import { type UnreadablePlace, isolatePartitions } from "../../../src/kafka/fetch/isolate-partitions.ts";
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

const broken = (base: number): Buffer => {
  const bytes = three(base);
  bytes[70] = 0xff;
  return bytes;
};

/** A broker of kafkajs that answers every fetch with these partitions. */
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

/** Fetches these partitions, from these offsets, as a consumer does whose partitions fail alone. */
const fetchIsolated = async (version: number, partitions: PartitionShape[], from: readonly number[]) => {
  const told: UnreadablePlace[] = [];
  const broker = createBroker(version, () => partitions);
  isolatePartitions(
    { brokerPool: { brokers: { 1: broker }, seedBroker: broker, createBroker: () => broker } },
    { monotonic: () => 0, onUnreadable: (place) => void told.push(place) },
  );
  const asked = from.map((offset, partition) => ({ partition, fetchOffset: String(offset) }));
  const { responses } = await broker.fetch({ topics: [{ topic: "events", partitions: asked }] });
  const offsets = responses[0]?.partitions.map(({ messages }) => messages.map(({ offset }) => Number(offset)));
  return { told, offsets };
};

describe.each(versions)("the answer to a fetch of version %i", (version) => {
  it("is read as kafkajs reads it", async () => {
    const raw = responseBytes(version, "events", [
      { partition: 0, bytes: three(0), aborted: [[7, 1]], high: 40 },
      { partition: 1, bytes: Buffer.alloc(0) },
      { partition: 2, bytes: Buffer.concat([three(0, 1), three(3)]) },
      { partition: 3, errorCode: 1, high: -1, bytes: Buffer.alloc(0) },
    ]);
    const [ours, theirs] = [await fetchDecoder(version, () => 0)(raw), await responseOf(version).decode(raw)];
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

  it("gives all other partitions whole where one of them has a batch that cannot be read", async () => {
    const partitions = [
      { partition: 0, bytes: three(0) },
      { partition: 1, bytes: Buffer.concat([three(5), broken(8), three(11)]) },
      { partition: 2, bytes: three(20, 1) },
    ];
    const { told, offsets } = await fetchIsolated(version, partitions, [0, 5, 20]);
    expect(offsets).toEqual([
      [0, 1, 2],
      [5, 6, 7],
      [20, 21, 22],
    ]);
    expect(told).toEqual([]);
  });
});

describe("a consumer whose partitions fail alone", () => {
  it("tells of the batch, once, when nothing that can be read comes before it", async () => {
    const bytes = Buffer.concat([broken(8), three(11)]);
    const { told, offsets } = await fetchIsolated(11, [{ partition: 0, bytes }], [8]);
    const reason = "Its checksum is wrong";
    expect([told, offsets]).toEqual([
      [{ topic: "events", partition: 0, from: 8, offset: 8, lastOffset: 10, reason }],
      [[]],
    ]);
  });

  it("hands out nothing that was not asked for: kafkajs would go on by one offset each time", async () => {
    const bytes = Buffer.concat([three(5), broken(30)]);
    const { told, offsets } = await fetchIsolated(11, [{ partition: 0, bytes }], [20]);
    expect([told, offsets]).toEqual([[expect.objectContaining({ offset: 30, lastOffset: 32 })], [[]]]);
  });

  it("tells of what is left of a batch whose first records were read before", async () => {
    const { told } = await fetchIsolated(11, [{ partition: 0, bytes: broken(8) }], [10]);
    expect(told).toMatchObject([{ offset: 10, lastOffset: 10 }]);
  });

  it.each([
    [-1, "The broker says UNKNOWN"],
    [2, "The broker says CORRUPT_MESSAGE"],
    [56, "The broker says KAFKA_STORAGE_ERROR"],
  ])("takes the broker's error %i for that partition's own trouble", async (errorCode, reason) => {
    const partitions = [
      { partition: 0, errorCode, high: -1, bytes: Buffer.alloc(0) },
      { partition: 1, bytes: three(0) },
    ];
    const { told, offsets } = await fetchIsolated(11, partitions, [7, 0]);
    const mustWait = errorCode === 56 && { mustWait: true };
    expect(told).toEqual([{ topic: "events", partition: 0, from: 7, offset: 7, lastOffset: 7, reason, ...mustWait }]);
    expect(offsets).toEqual([[], [0, 1, 2]]);
  });

  it("leaves every other error to kafkajs", async () => {
    const failing = fetchIsolated(11, [{ partition: 0, errorCode: 6, high: -1, bytes: Buffer.alloc(0) }], [7]);
    await expect(failing).rejects.toMatchObject({ type: "NOT_LEADER_FOR_PARTITION" });
  });

  it("leaves all other requests, and versions that it does not know, as they are", async () => {
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
        { monotonic: () => 0, onUnreadable: () => undefined },
      );
      const request = { apiKey, apiVersion, apiName: "", encode: async () => undefined };
      await broker.connectionPool.send({ request, response: { decode, parse: decode } });
      expect(seen).toEqual([decode]);
    }
  });

  it("isolates also in brokers that join later", async () => {
    const told: UnreadablePlace[] = [];
    const broker = createBroker(11, () => [{ partition: 0, bytes: broken(8) }]);
    const brokerPool = { brokers: {}, createBroker: () => broker };
    isolatePartitions({ brokerPool }, { monotonic: () => 0, onUnreadable: (place) => void told.push(place) });
    await brokerPool
      .createBroker()
      .fetch({ topics: [{ topic: "events", partitions: [{ partition: 0, fetchOffset: "8" }] }] });
    expect(told).toHaveLength(1);
  });

  it("suspects a broker that gives nothing only where no other partition has filled the answer before", async () => {
    const told: number[] = [];
    let now = 0;
    let order: readonly number[] = [];
    const broker = createBroker(11, () =>
      order.map((partition) => ({ partition, bytes: partition === 1 ? three(0) : Buffer.alloc(0), high: 9 })),
    );
    isolatePartitions(
      { brokerPool: { brokers: { 1: broker }, createBroker: () => broker } },
      { monotonic: () => now, onUnreadable: ({ partition }) => void told.push(partition) },
    );
    const asked = [0, 1, 2].map((partition) => ({ partition, fetchOffset: "0" }));
    for (; now <= 40_000; now += 10_000) {
      order = [0, 1, 2];
      await broker.fetch({ topics: [{ topic: "events", partitions: asked }] });
    }
    expect(told).toEqual([0, 0]);
  });

  it("unpacks no more than fits into memory: of the other partitions nothing is read, and nothing is said against them", async () => {
    const bomb = batchBytes({ base: 0, attributes: 1, records: [{ offsetDelta: 0, value: "x".repeat(40_000_000) }] });
    const partitions = [0, 1, 2].map((partition) => ({ partition, bytes: Buffer.concat([bomb, three(1)]) }));
    const { told, offsets } = await fetchIsolated(11, partitions, [0, 0, 0]);
    expect([told, offsets]).toEqual([[], [[0], [], []]]);
  });

  it("gives all other partitions whole, and the batches before, whichever byte of a partition has changed", async () => {
    const good = Buffer.concat([three(0), three(3, 1), three(6)]);
    await assertProperty(
      asyncProperty(nat(good.length - 1), integer({ min: 1, max: 255 }), async (place, mask) => {
        const bytes = Buffer.from(good);
        bytes[place] = (bytes[place] ?? 0) ^ mask;
        const partitions = [
          { partition: 0, bytes: good, high: 9 },
          { partition: 1, bytes, high: 9 },
          { partition: 2, bytes: good, high: 9 },
        ];
        const { offsets } = await fetchIsolated(11, partitions, [0, 0, 0]);
        const all = [0, 1, 2, 3, 4, 5, 6, 7, 8];
        expect([offsets?.[0], offsets?.[2]]).toEqual([all, all]);
        const before =
          place < three(0).length ? [] : place < good.length - three(6).length ? all.slice(0, 3) : all.slice(0, 6);
        expect(offsets?.[1]?.slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
