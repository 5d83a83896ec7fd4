import type { BrokerRequest } from "../cluster.ts";
import { type AskedFor, type FetchResponse, fetchDecoder, fetchVersions } from "./fetch-response.ts";
import type { UnreadableOffsets } from "./record-batches.ts";
import { Nothing } from "./starved-partitions.ts";

/** A partition of which nothing more can be read, because the broker gives, or has, nothing that can be. */
export interface UnreadablePlace extends UnreadableOffsets {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly from: number;
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

export interface IsolateOptions {
  /** What a partition has next cannot be read. Told at every fetch. */
  readonly onUnreadable: (place: UnreadablePlace) => void;
  readonly monotonic: () => number;
}

const apiKey = 1;

const withOurDecoder = (question: BrokerRequest, askedFor: AskedFor): BrokerRequest => {
  const { request, response } = question;
  const { first, last } = fetchVersions;
  const isOurs = request.apiKey === apiKey && request.apiVersion >= first && request.apiVersion <= last;
  const decode = fetchDecoder(request.apiVersion, askedFor);
  return isOurs ? { ...question, response: { ...response, decode } } : question;
};

const askedIn = ({ topics }: FetchRequest): AskedFor => {
  const offsets = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, fetchOffset }) => [`${topic}/${partition}`, Number(fetchOffset)] as const),
  );
  const byPartition = new Map(offsets);
  return (topic, partition) => byPartition.get(`${topic}/${partition}`) ?? 0;
};

const isolateIn = (
  broker: FetchBroker,
  nothing: Nothing,
  onUnreadable: IsolateOptions["onUnreadable"],
): FetchBroker => {
  const { connectionPool } = broker;
  const send = connectionPool.send.bind(connectionPool);
  const fetch = broker.fetch.bind(broker);
  let askedFor: AskedFor = () => 0;
  connectionPool.send = (request) => send(withOurDecoder(request, askedFor));
  const tell = ({ responses }: FetchResponse, asked: AskedFor): void => {
    let isFirst = true;
    for (const { topicName: topic, partitions } of responses)
      for (const fetched of partitions) {
        const { partition } = fetched;
        const from = asked(topic, partition);
        const unreadable = fetched.unreadable ?? nothing.of({ topic, partition, from, isFirst }, fetched);
        if (unreadable) onUnreadable({ topic, partition, from, ...unreadable });
        isFirst &&= fetched.size === 0;
      }
  };
  broker.fetch = async (request) => {
    const asked = askedIn(request);
    askedFor = asked;
    // The request is handed to the connection before this returns.
    const response = await fetch(request);
    tell(response, asked);
    return response;
  };
  return broker;
};

/**
 * A consumer whose partitions fail alone: kafkajs takes a batch that it cannot read, or one partition's error, for the failure of
 * the fetch, tries it again and again, and reads nothing from that broker meanwhile.
 */
export const isolatePartitions = (cluster: object, { onUnreadable, monotonic }: IsolateOptions): void => {
  const { brokerPool: pool } = cluster as { readonly brokerPool: BrokerPool };
  const nothing = new Nothing(monotonic);
  const createBroker = pool.createBroker.bind(pool);
  pool.createBroker = (options) => isolateIn(createBroker(options), nothing, onUnreadable);
  // The first one may be among the others.
  const known = new Set([...Object.values(pool.brokers), ...(pool.seedBroker ? [pool.seedBroker] : [])]);
  for (const broker of known) isolateIn(broker, nothing, onUnreadable);
};
