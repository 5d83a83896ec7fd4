import type { BrokerRequest } from "../cluster.ts";
import {
  type FetchOffsetOf,
  type FetchResponse,
  createFetchDecoder,
  supportedFetchVersions,
} from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";
import { StarvedPartitions } from "./starved-partitions.ts";

/** A partition of which nothing more can be read, because the broker gives, or has, nothing that can be. */
export interface UnreadablePartition extends UnreadableOffsets {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly fetchOffset: number;
}

interface FetchRequest {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
  }[];
}

/** What kafkajs's types do not show of a broker that is fetched from. */
interface FetchBroker {
  readonly connectionPool: { send: (request: BrokerRequest) => Promise<unknown> };
  fetch: (request: FetchRequest) => Promise<FetchResponse>;
}

interface BrokerPool {
  readonly brokers: Readonly<Record<string, FetchBroker>>;
  readonly seedBroker: FetchBroker | undefined;
  createBroker: (options: object) => FetchBroker;
}

export interface IsolatePartitionsOptions {
  /** What a partition has next cannot be read. Told at every fetch. */
  readonly onUnreadable: (unreadable: UnreadablePartition) => void;
  readonly monotonicNow: () => number;
}

const apiKey = 1;

const withOwnDecoder = (brokerRequest: BrokerRequest, currentFetchOffsetOf: FetchOffsetOf): BrokerRequest => {
  const { request, response } = brokerRequest;
  const { first, last } = supportedFetchVersions;
  const isOurs = request.apiKey === apiKey && request.apiVersion >= first && request.apiVersion <= last;
  const decode = createFetchDecoder(request.apiVersion, currentFetchOffsetOf);
  return isOurs ? { ...brokerRequest, response: { ...response, decode } } : brokerRequest;
};

const fetchOffsetsIn = ({ topics }: FetchRequest): FetchOffsetOf => {
  const offsets = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, fetchOffset }) => [`${topic}/${partition}`, Number(fetchOffset)] as const),
  );
  const byPartition = new Map(offsets);
  return (topic, partition) => byPartition.get(`${topic}/${partition}`) ?? 0;
};

const isolateBroker = (
  broker: FetchBroker,
  starved: StarvedPartitions,
  onUnreadable: IsolatePartitionsOptions["onUnreadable"],
): FetchBroker => {
  const { connectionPool } = broker;
  const send = connectionPool.send.bind(connectionPool);
  const fetch = broker.fetch.bind(broker);
  let currentFetchOffsetOf: FetchOffsetOf = () => 0;
  connectionPool.send = (request) => send(withOwnDecoder(request, currentFetchOffsetOf));
  const report = ({ responses }: FetchResponse, fetchOffsetOf: FetchOffsetOf): void => {
    let isFirst = true;
    for (const { topicName: topic, partitions } of responses)
      for (const fetched of partitions) {
        const { partition } = fetched;
        const fetchOffset = fetchOffsetOf(topic, partition);
        const unreadable = fetched.unreadable ?? starved.observe({ topic, partition, fetchOffset, isFirst }, fetched);
        if (unreadable) onUnreadable({ topic, partition, fetchOffset, ...unreadable });
        isFirst &&= fetched.size === 0;
      }
  };
  broker.fetch = async (request) => {
    const fetchOffsetOf = fetchOffsetsIn(request);
    currentFetchOffsetOf = fetchOffsetOf;
    // The request is handed to the connection before this returns.
    const response = await fetch(request);
    report(response, fetchOffsetOf);
    return response;
  };
  return broker;
};

/**
 * A consumer whose partitions fail alone: kafkajs takes a batch that it cannot read, or one partition's error, for the failure of
 * the fetch, tries it again and again, and reads nothing from that broker meanwhile.
 */
export const isolatePartitions = (cluster: object, { onUnreadable, monotonicNow }: IsolatePartitionsOptions): void => {
  const { brokerPool: pool } = cluster as { readonly brokerPool: BrokerPool };
  const starved = new StarvedPartitions(monotonicNow);
  const createBroker = pool.createBroker.bind(pool);
  pool.createBroker = (options) => isolateBroker(createBroker(options), starved, onUnreadable);
  // The first one may be among the others.
  const brokers = new Set([...Object.values(pool.brokers), ...(pool.seedBroker ? [pool.seedBroker] : [])]);
  for (const broker of brokers) isolateBroker(broker, starved, onUnreadable);
};
