import type { Batch, KafkaMessage } from "kafkajs";

import type { CommittedOffset } from "../../src/kafka/admin.ts";
import type { LogRange } from "../../src/kafka/topics/log-ranges.ts";
import type { TopicState } from "../../src/kafka/topics/topic-metadata.ts";
import { batchOf } from "../intake/batches.ts";

type Message = Extract<KafkaMessage, { size?: never }>;

/** A record as a producer gives it. */
export interface Produced {
  readonly key?: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers?: object | undefined;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

const bytesOf = (value: string | Buffer | null | undefined): Buffer | null =>
  value === null || value === undefined ? null : Buffer.from(value);

const headersOf = (headers: object): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value as string | Buffer)]));

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** What a cluster keeps: logs, and what the group has committed. */
export const createSimulatedBroker = ({
  topics,
  partitions,
  now,
}: {
  topics: readonly string[];
  partitions: number;
  now: () => number;
}) => {
  const topicPartitions: readonly TopicPartition[] = topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
  const logs = new Map<string, Message[]>(topicPartitions.map((topicPartition) => [keyOf(topicPartition), []]));
  const commits = new Map<string, Commit>();
  const logOf = (topicPartition: TopicPartition): Message[] => logs.get(keyOf(topicPartition)) ?? [];
  return {
    topicPartitions,
    append: (topicPartition: TopicPartition, { key, value, headers = {} }: Produced): number => {
      const log = logOf(topicPartition);
      const offset = log.length;
      const timestamp = String(now());
      const rest = { headers: headersOf(headers), timestamp, attributes: 0, offset: String(offset) };
      log.push({ key: bytesOf(key), value: bytesOf(value), ...rest });
      return offset;
    },
    /** kafkajs's own batch of one fetch; undefined if there is nothing. */
    fetch: (topicPartition: TopicPartition, from: number, most: number): Batch | undefined => {
      const log = logOf(topicPartition);
      const messages = log.slice(from, from + most);
      return messages.length === 0 ? undefined : batchOf(topicPartition, messages, log.length);
    },
    commit: (topicPartition: TopicPartition, commit: Commit): void => void commits.set(keyOf(topicPartition), commit),
    committedOf: (topicPartition: TopicPartition): number => commits.get(keyOf(topicPartition))?.offset ?? 0,
    endOf: (topicPartition: TopicPartition): number => logOf(topicPartition).length,
    committedOffsets: async (_group: string, wanted: readonly string[]): Promise<CommittedOffset[]> =>
      topicPartitions
        .filter(({ topic }) => wanted.includes(topic))
        .map(({ topic, partition }) => {
          const { offset, metadata = null } = commits.get(keyOf({ topic, partition })) ?? {};
          return { topic, partition, offset, metadata };
        }),
    topicStates: async (wanted: readonly string[]): Promise<TopicState[]> =>
      wanted.map((topic) => ({
        topic,
        error: undefined,
        id: undefined,
        operations: undefined,
        partitions: 1,
        replicationFactor: 1,
      })),
    logRanges: async (wanted: readonly string[]): Promise<LogRange[]> =>
      topicPartitions
        .filter(({ topic }) => wanted.includes(topic))
        .map(({ topic, partition }) => ({
          topic,
          partition,
          beginningOffset: 0,
          endOffset: logOf({ topic, partition }).length,
        })),
  };
};

export type SimulatedBroker = ReturnType<typeof createSimulatedBroker>;
