import type { Batch, KafkaMessage } from "kafkajs";

import type { Committed } from "../../src/kafka/admin.ts";
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

export interface Place {
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

const keyOf = ({ topic, partition }: Place): string => `${topic}/${partition}`;

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
  const places: readonly Place[] = topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
  const logs = new Map<string, Message[]>(places.map((place) => [keyOf(place), []]));
  const commits = new Map<string, Commit>();
  const logOf = (place: Place): Message[] => logs.get(keyOf(place)) ?? [];
  return {
    places,
    append: (place: Place, { key, value, headers = {} }: Produced): number => {
      const log = logOf(place);
      const offset = log.length;
      const timestamp = String(now());
      const rest = { headers: headersOf(headers), timestamp, attributes: 0, offset: String(offset) };
      log.push({ key: bytesOf(key), value: bytesOf(value), ...rest });
      return offset;
    },
    /** kafkajs's own batch of one fetch; undefined if there is nothing. */
    fetch: (place: Place, from: number, most: number): Batch | undefined => {
      const log = logOf(place);
      const messages = log.slice(from, from + most);
      return messages.length === 0 ? undefined : batchOf(place, messages, log.length);
    },
    commit: (place: Place, commit: Commit): void => void commits.set(keyOf(place), commit),
    committedOf: (place: Place): number => commits.get(keyOf(place))?.offset ?? 0,
    endOf: (place: Place): number => logOf(place).length,
    committed: async (_group: string, wanted: readonly string[]): Promise<Committed[]> =>
      places
        .filter(({ topic }) => wanted.includes(topic))
        .map(({ topic, partition }) => {
          const { offset, metadata = null } = commits.get(keyOf({ topic, partition })) ?? {};
          return { topic, partition, offset, metadata };
        }),
    topics: async (wanted: readonly string[]): Promise<TopicState[]> =>
      wanted.map((topic) => ({
        topic,
        error: undefined,
        id: undefined,
        operations: undefined,
        partitions: 1,
        replication: 1,
      })),
    ranges: async (wanted: readonly string[]): Promise<LogRange[]> =>
      places
        .filter(({ topic }) => wanted.includes(topic))
        .map(({ topic, partition }) => ({ topic, partition, low: 0, high: logOf({ topic, partition }).length })),
  };
};

export type SimulatedBroker = ReturnType<typeof createSimulatedBroker>;
