import { createRequire } from "node:module";

import type { Admin, Kafka } from "kafkajs";

import { patientRetry } from "./client.ts";
import { type TopicMetadata, metadataRequest } from "./topics/topic-metadata.ts";

/** A request of ours to a broker: kafkajs sends it, and gives back what `parse` makes of the answer. */
export interface BrokerRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<unknown>;
  };
  readonly response: {
    readonly decode: (raw: Buffer) => Promise<unknown>;
    readonly parse: (decoded: never) => Promise<unknown>;
  };
}

/** What a broker speaks: the versions of each kind of request, by its key. */
export type ApiVersions = Readonly<Record<number, { readonly maxVersion: number } | undefined>>;

/** kafkajs's connection to one broker. */
export interface ClusterBroker {
  readonly versions: ApiVersions | null;
  readonly connectionPool: { send(request: BrokerRequest): Promise<unknown> };
  disconnect(): Promise<void>;
  metadata(topics: readonly string[]): Promise<ClusterMetadata>;
  findGroupCoordinator(group: { groupId: string; coordinatorType: 0 }): Promise<unknown>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    retentionTime: number;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: readonly { topic: string; partitions: readonly { partition: number }[] }[];
  }): Promise<{
    responses: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
}

/** The answer to a question about topics, in kafkajs's shape. */
export interface ClusterMetadata {
  readonly topicMetadata: readonly TopicMetadata[];
}

interface BrokerPool {
  readonly brokers: Readonly<Record<string, ClusterBroker>>;
  readonly seedBroker: ClusterBroker | undefined;
  createBroker(options: object): ClusterBroker;
  findConnectedBroker(): Promise<ClusterBroker>;
}

/** kafkajs's view of a cluster; it has one for each client. */
export interface KafkaCluster {
  targetTopics: Set<string>;
  readonly brokerPool: BrokerPool & { readonly metadata: ClusterMetadata | null };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(place: { nodeId: number }): Promise<ClusterBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<ClusterBroker>;
}

const require = createRequire(import.meta.url);

type CreateCluster = (options: object) => KafkaCluster;

const isCreateCluster = (key: symbol): boolean => key.description === "private:Kafka:createCluster";

/** Which error of a topic need not fail a question about several; undefined: none. */
type IsTolerated = (error: string | undefined) => boolean;

/** Sends a request of ours, and gives up a connection that was closed, as kafkajs does for its own. */
export const sendTo = async (broker: ClusterBroker, request: BrokerRequest): Promise<unknown> => {
  try {
    return await broker.connectionPool.send(request);
  } catch (error) {
    if ((error as { name?: unknown }).name === "KafkaJSConnectionClosedError") await broker.disconnect();
    throw error;
  }
};

/** A broker's question about topics that one missing or forbidden topic does not spoil. */
const askTolerantly = (broker: ClusterBroker, isTolerated: IsTolerated): ClusterBroker => {
  const metadata = (topics: readonly string[]): Promise<unknown> =>
    sendTo(broker, metadataRequest(broker.versions ?? {}, topics, isTolerated));
  return Object.assign(broker, { metadata });
};

/**
 * kafkajs asks for all topics of a client at once, and takes one that is missing or forbidden for the failure of all: a consumer
 * stood still for one deleted topic, and an admin client could not be asked for anything any more. From here on such a topic
 * simply has no partitions. A forbidden one still fails the question unless the caller says otherwise: a member that took part
 * without a retry topic would not know who is parked there.
 */
export const tolerateMissingTopics = (
  cluster: object,
  isTolerated: IsTolerated = (error) => error === "UNKNOWN_TOPIC_OR_PARTITION",
): void => {
  const { brokerPool: pool } = cluster as KafkaCluster;
  const createBroker = pool.createBroker.bind(pool);
  pool.createBroker = (options) => askTolerantly(createBroker(options), isTolerated);
  for (const broker of [...Object.values(pool.brokers), ...(pool.seedBroker ? [pool.seedBroker] : [])])
    askTolerantly(broker, isTolerated);
};

/** A view of the cluster of our own, for questions, and an admin client that looks through it. Connects to nothing yet. */
export const openCluster = (kafka: Kafka): { cluster: KafkaCluster; admin: Admin } => {
  const key = Object.getOwnPropertySymbols(kafka).find(isCreateCluster);
  const create = (kafka as unknown as Record<symbol, CreateCluster>)[key ?? Symbol("none")];
  if (!create) throw new Error("Cannot ask the cluster: this is not the kafkajs that we know, want 2.2.4");
  const cluster = create({ allowAutoTopicCreation: false });
  tolerateMissingTopics(cluster, () => true);
  const createAdmin = require("kafkajs/src/admin") as (options: object) => Admin;
  return { cluster, admin: createAdmin({ cluster, logger: kafka.logger(), retry: patientRetry }) };
};
