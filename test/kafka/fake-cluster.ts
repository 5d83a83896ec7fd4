import type { Kafka } from "kafkajs";

import type { BrokerRequest } from "../../src/kafka/cluster.ts";
import type { TopicMetadata } from "../../src/kafka/topics/topic-metadata.ts";

type Answers = Record<string, (request: unknown) => unknown>;

interface FakePartition {
  readonly low?: number;
  readonly high?: number;
  readonly replicas?: readonly number[];
  readonly leader?: number;
  /** Of the question where its log begins and ends. */
  readonly errorCode?: number;
}

export interface FakeTopic {
  readonly errorCode?: number;
  readonly partitions?: readonly FakePartition[];
}

const asMetadata = (topic: string, found: FakeTopic | undefined): TopicMetadata => ({
  topic,
  topicErrorCode: found ? (found.errorCode ?? 0) : 3,
  topicId: found && `id-of-${topic}`,
  partitionMetadata: (found?.partitions ?? []).map(({ leader = 1, replicas = [1] }, partitionId) => ({
    partitionErrorCode: leader < 0 ? 5 : 0,
    partitionId,
    leader,
    replicas,
  })),
});

/** The names that a request of ours holds, whatever their encoding. */
const namesIn = (bytes: string, names: readonly string[]): string[] => names.filter((name) => bytes.includes(name));

/** kafkajs's view of a cluster with one broker that has these topics; counts how many questions run at the same time. */
export const createFakeKafka = (known: () => Readonly<Record<string, FakeTopic>>, answers: Answers = {}) => {
  const calls: { name: string; request: unknown }[] = [];
  let [running, most] = [0, 0];
  const run = async (name: string, request: unknown, answer: () => unknown): Promise<unknown> => {
    calls.push({ name, request });
    most = Math.max(most, ++running);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    running--;
    return answer();
  };
  const offsetsAt = (timestamp: number, names: readonly string[]) => ({
    responses: names.map((topic) => ({
      topic,
      partitions: (known()[topic]?.partitions ?? []).map(({ low = 0, high = 0, errorCode = 0 }, partition) => ({
        partition,
        errorCode,
        offset: String(timestamp === -2 ? low : high),
      })),
    })),
  });
  const send = async ({ request, response }: BrokerRequest): Promise<unknown> => {
    const { buffer } = (await request.encode()) as { buffer: Buffer };
    const names = namesIn(buffer.toString("latin1"), [...Object.keys(known()), ...cluster.targetTopics]);
    const decoded = await run(request.apiName, names, () => {
      if (request.apiName === "ListOffsets") return offsetsAt(Number(buffer.readBigInt64BE(buffer.length - 8)), names);
      return { topicMetadata: [...cluster.targetTopics].map((topic) => asMetadata(topic, known()[topic])) };
    });
    return response.parse(decoded as never);
  };
  const ask = (name: string) => (request: unknown) => run(name, request, () => answers[name]?.(request));
  const broker = {
    versions: { 2: { maxVersion: 3 }, 3: { maxVersion: 12 } },
    connectionPool: { send },
    metadata: (topics: readonly string[]): Promise<unknown> => Promise.resolve(topics),
    ...Object.fromEntries(
      ["offsetFetch", "createTopics", "createPartitions", "describeConfigs"].map((name) => [name, ask(name)]),
    ),
  };
  const pool = { brokers: { 1: broker }, createBroker: () => broker, metadata: undefined as unknown };
  const partitionsOf = (topic: string) => asMetadata(topic, known()[topic]).partitionMetadata;
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
  return { kafka: kafka as unknown as Kafka, calls, most: () => most };
};
