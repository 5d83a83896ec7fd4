import type { Kafka } from "kafkajs";

import type { BrokerRequest, TopicMetadata } from "../../src/kafka/protocol.ts";

type Answers = Record<string, (request: unknown) => unknown>;

interface FakePartition {
  readonly beginningOffset?: number;
  readonly endOffset?: number;
  readonly replicas?: readonly number[];
  readonly leader?: number;
  /** The error code in the answer to ListOffsets. */
  readonly errorCode?: number;
}

export interface FakeTopic {
  readonly errorCode?: number;
  readonly partitions?: readonly FakePartition[];
}

const asMetadata = (topic: string, topicNow: FakeTopic | undefined): TopicMetadata => ({
  topic,
  topicErrorCode: topicNow ? (topicNow.errorCode ?? 0) : 3,
  topicId: topicNow && `id-of-${topic}`,
  partitionMetadata: (topicNow?.partitions ?? []).map(({ leader = 1, replicas = [1] }, partitionId) => ({
    partitionErrorCode: leader < 0 ? 5 : 0,
    partitionId,
    leader,
    replicas,
  })),
});

/** Which of these names a request contains, whatever its encoding. */
const namesIn = (bytes: string, names: readonly string[]): string[] => names.filter((name) => bytes.includes(name));

/** kafkajs's view of a cluster with one broker that has these topics. It counts how many requests run at the same time. */
export const createFakeKafka = (topicsNow: () => Readonly<Record<string, FakeTopic>>, answers: Answers = {}) => {
  const calls: { name: string; request: unknown }[] = [];
  let [running, maxRunning] = [0, 0];
  const run = async (name: string, request: unknown, answer: () => unknown): Promise<unknown> => {
    calls.push({ name, request });
    maxRunning = Math.max(maxRunning, ++running);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    running--;
    return answer();
  };
  const offsetsAt = (timestamp: number, names: readonly string[]) => ({
    responses: names.map((topic) => ({
      topic,
      partitions: (topicsNow()[topic]?.partitions ?? []).map(
        ({ beginningOffset = 0, endOffset = 0, errorCode = 0 }, partition) => ({
          partition,
          errorCode,
          offset: String(timestamp === -2 ? beginningOffset : endOffset),
        }),
      ),
    })),
  });
  const send = async ({ request, response }: BrokerRequest): Promise<unknown> => {
    const { buffer } = (await request.encode()) as { buffer: Buffer };
    const names = namesIn(buffer.toString("latin1"), [...Object.keys(topicsNow()), ...cluster.targetTopics]);
    const decoded = await run(request.apiName, names, () => {
      if (request.apiName === "ListOffsets") return offsetsAt(Number(buffer.readBigInt64BE(buffer.length - 8)), names);
      return { topicMetadata: [...cluster.targetTopics].map((topic) => asMetadata(topic, topicsNow()[topic])) };
    });
    return response.parse(decoded as never);
  };
  const answerTo = (name: string) => (request: unknown) => run(name, request, () => answers[name]?.(request));
  const broker = {
    versions: { 2: { maxVersion: 3 }, 3: { maxVersion: 12 } },
    connectionPool: { send },
    metadata: (topics: readonly string[]): Promise<unknown> => Promise.resolve(topics),
    ...Object.fromEntries(
      ["offsetFetch", "createTopics", "createPartitions", "describeConfigs"].map((name) => [name, answerTo(name)]),
    ),
  };
  const pool = { brokers: { 1: broker }, createBroker: () => broker, metadata: undefined as unknown };
  const partitionsOf = (topic: string) => asMetadata(topic, topicsNow()[topic]).partitionMetadata;
  const cluster = {
    targetTopics: new Set<string>(),
    brokerPool: pool,
    connect: () => run("connect", undefined, () => undefined),
    disconnect: () => run("disconnect", undefined, () => undefined),
    refreshMetadata: async () => void (pool.metadata = await broker.metadata([...cluster.targetTopics])),
    refreshMetadataIfNecessary: async () => undefined,
    addTargetTopic: async () => undefined,
    findTopicPartitionMetadata: partitionsOf,
    findBroker: async () => broker,
    findControllerBroker: async () => broker,
    findGroupCoordinator: async () => broker,
  };
  const logger = { namespace: () => logger, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const kafka = { logger: () => logger, [Symbol("private:Kafka:createCluster")]: () => cluster };
  return { kafka: kafka as unknown as Kafka, calls, maxRunning: () => maxRunning };
};
