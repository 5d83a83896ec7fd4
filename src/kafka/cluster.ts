import { createRequire } from "node:module";

import type { Admin, Cluster, Kafka } from "kafkajs";

import { type BrokerPool, patchBrokers } from "./broker-pool.ts";
import { patientRetry } from "./client.ts";
import type { FetchRequest, FetchResponse } from "./fetch/fetch-response.ts";
import type { GroupBroker } from "./group/group-broker.ts";
import type { ApiVersions, BrokerRequest, ClusterMetadata } from "./protocol.ts";
import { tolerantMetadataRequest } from "./topics/topic-metadata.ts";

/** kafkajs's connection to one broker: the methods that this service calls, none of which kafkajs exports. */
export interface ClusterBroker {
  /** Null until the connection is open. */
  readonly versions: ApiVersions | null;
  readonly connectionPool: { send(request: BrokerRequest): Promise<unknown> };
  disconnect(): Promise<void>;
  fetch(request: FetchRequest): Promise<FetchResponse>;
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
}

/** kafkajs's view of a cluster: its brokers and the metadata of its topics. Each client has its own. */
export interface KafkaCluster {
  targetTopics: Set<string>;
  readonly brokerPool: BrokerPool<ClusterBroker> & {
    readonly metadata: ClusterMetadata | null;
    findConnectedBroker(): Promise<ClusterBroker>;
  };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(target: { nodeId: number }): Promise<ClusterBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<ClusterBroker & GroupBroker>;
}

const unknownKafkajs = (): Error =>
  new Error("Cannot use the installed kafkajs: it lacks internals of version 2.2.4, want kafkajs 2.2.4");

/** The whole of a cluster, of which kafkajs's types show a part. Throws if it is not the kafkajs that this service knows. */
export const internalsOf = (cluster: Cluster): KafkaCluster => {
  if (!("brokerPool" in cluster && "findGroupCoordinator" in cluster)) throw unknownKafkajs();
  return cluster as Cluster & KafkaCluster;
};

/** Decides by its name whether an error of one topic may be ignored in a request about several; undefined means no error. */
type IsTolerated = (error: string | undefined) => boolean;

/** Sends a request. As kafkajs does for its own requests, it disconnects the broker if the connection is already closed. */
export const sendRequest = async (broker: ClusterBroker, request: BrokerRequest): Promise<unknown> => {
  try {
    return await broker.connectionPool.send(request);
  } catch (error) {
    if (error instanceof Error && error.name === "KafkaJSConnectionClosedError") await broker.disconnect();
    throw error;
  }
};

/**
 * Lets requests for metadata succeed although some topics have an error. kafkajs asks for all topics of a client in one request, and
 * one topic that is missing or forbidden fails the request: a consumer stopped for one deleted topic, and every call of an admin
 * client failed. After this patch a topic with a tolerated error has no partitions. By default only a missing topic is tolerated: a
 * member that joined without the right to read a retry topic would not know which users are parked there.
 */
export const tolerateMissingTopics = (
  { brokerPool }: { readonly brokerPool: BrokerPool<ClusterBroker> },
  isTolerated: IsTolerated = (error) => error === "UNKNOWN_TOPIC_OR_PARTITION",
): void =>
  patchBrokers(brokerPool, (broker) => {
    const metadata = (topics: readonly string[]): Promise<unknown> =>
      sendRequest(broker, tolerantMetadataRequest(broker.versions ?? {}, topics, isTolerated));
    Object.assign(broker, { metadata });
  });

const require = createRequire(import.meta.url);

/** kafkajs keeps this method of its client under a private symbol. */
const createClusterKey = "private:Kafka:createCluster";

const createClusterOf = (kafka: Kafka, options: { readonly allowAutoTopicCreation: boolean }): KafkaCluster => {
  const key = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === createClusterKey);
  const createCluster: unknown = key && Reflect.get(kafka, key);
  if (typeof createCluster !== "function") throw unknownKafkajs();
  return internalsOf(Reflect.apply(createCluster, kafka, [options]));
};

/**
 * An admin client, and the view of the cluster that it uses: requests that the admin client does not offer go through the view. No
 * error of a topic fails its requests for metadata. Opens no connection.
 */
export const createAdminCluster = (kafka: Kafka): { cluster: KafkaCluster; admin: Admin } => {
  const cluster = createClusterOf(kafka, { allowAutoTopicCreation: false });
  tolerateMissingTopics(cluster, () => true);
  const createAdmin = require("kafkajs/src/admin") as (options: object) => Admin;
  return { cluster, admin: createAdmin({ cluster, logger: kafka.logger(), retry: patientRetry }) };
};
