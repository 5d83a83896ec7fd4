import { type BrokerPool, patchBrokers } from "../broker-pool.ts";
import { type BrokerRequest, apiKeys } from "../protocol.ts";
import { type TopicPartition, partitionKey } from "../topic-partition.ts";
import {
  type FetchOffsetOf,
  type FetchRequest,
  type FetchResponse,
  createFetchDecoder,
  supportedFetchVersions,
} from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";
import { StarvedPartitions } from "./starved-partitions.ts";

/** The next records of a partition, which a fetch could not read. */
export interface UnreadablePartition extends TopicPartition, UnreadableOffsets {
  /** The offset that was requested. It may lie before `offset`. */
  readonly fetchOffset: number;
}

/** The methods of kafkajs's connection to a broker that a consumer fetches with. */
interface FetchBroker {
  readonly connectionPool: { send: (request: BrokerRequest) => Promise<unknown> };
  fetch: (request: FetchRequest) => Promise<FetchResponse>;
}

export interface IsolatePartitionsOptions {
  /** A partition's next records cannot be read. Called after each fetch that finds it so. */
  readonly onUnreadable: (unreadable: UnreadablePartition) => void;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
}

const withOwnDecoder = (brokerRequest: BrokerRequest, fetchOffsetOf: FetchOffsetOf): BrokerRequest => {
  const { request, response } = brokerRequest;
  const { first, last } = supportedFetchVersions;
  const isSupported = request.apiKey === apiKeys.fetch && request.apiVersion >= first && request.apiVersion <= last;
  const decode = createFetchDecoder(request.apiVersion, fetchOffsetOf);
  return isSupported ? { ...brokerRequest, response: { ...response, decode } } : brokerRequest;
};

const fetchOffsetsIn = ({ topics }: FetchRequest): FetchOffsetOf => {
  const offsets = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, fetchOffset }) => [partitionKey({ topic, partition }), Number(fetchOffset)] as const),
  );
  const byPartition = new Map(offsets);
  return (topicPartition) => byPartition.get(partitionKey(topicPartition)) ?? 0;
};

const isolateBroker = (
  broker: FetchBroker,
  starved: StarvedPartitions,
  onUnreadable: IsolatePartitionsOptions["onUnreadable"],
): void => {
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
        const fetchOffset = fetchOffsetOf({ topic, partition });
        const unreadable = fetched.unreadable ?? starved.observe({ topic, partition, fetchOffset, isFirst }, fetched);
        if (unreadable) onUnreadable({ topic, partition, fetchOffset, ...unreadable });
        isFirst &&= fetched.size === 0;
      }
  };
  broker.fetch = async (request) => {
    const fetchOffsetOf = fetchOffsetsIn(request);
    currentFetchOffsetOf = fetchOffsetOf;
    // kafkajs calls `send` before this returns its promise, so the offsets are those of this request.
    const response = await fetch(request);
    report(response, fetchOffsetOf);
    return response;
  };
};

/**
 * Makes each partition of a consumer fail alone. kafkajs takes a batch that it cannot read, or the error of one partition, for a failure
 * of the whole fetch. It repeats the fetch again and again and reads nothing else from that broker meanwhile.
 */
export const isolatePartitions = (
  { brokerPool }: { readonly brokerPool: BrokerPool<FetchBroker> },
  { onUnreadable, monotonicNow }: IsolatePartitionsOptions,
): void => {
  const starved = new StarvedPartitions(monotonicNow);
  patchBrokers(brokerPool, (broker) => isolateBroker(broker, starved, onUnreadable));
};
