import { createRequire } from "node:module";

import {
  type ApiVersions,
  type BrokerRequest,
  type ClusterBroker,
  type KafkaCluster,
  sendRequest,
} from "../cluster.ts";
import { isProgrammingError } from "../own-errors.ts";

/** Where the log of a partition begins and ends (the end is the offset of the next record to come). */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly beginningOffset: number;
  readonly endOffset: number;
}

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

interface ListOffsetsResponse {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

interface ListOffsetsRequest {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
}

const require = createRequire(import.meta.url);
const { requests, lookup } = require("kafkajs/src/protocol/requests") as {
  requests: { ListOffsets: object };
  lookup: (
    versions: ApiVersions,
  ) => (apiKey: number, request: object) => (question: ListOffsetsRequest) => BrokerRequest;
};

const apiKey = 2;
/** Not replicas, and also what a transaction has not committed yet. */
const consumerRequest = { replicaId: -1, isolationLevel: 0 };
const earliest = -2;
const latest = -1;

const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** kafkajs takes the error of one partition for the failure of all: here it has no offset, and the others have theirs. */
const listOffsets = async (
  broker: ClusterBroker,
  topicPartitions: readonly TopicPartition[],
  timestamp: number,
): Promise<ReadonlyMap<string, number>> => {
  const topics = [...Map.groupBy(topicPartitions, ({ topic }) => topic)].map(([topic, entries]) => ({
    topic,
    partitions: entries.map(({ partition }) => ({ partition, timestamp })),
  }));
  const { request, response } = lookup(broker.versions ?? {})(apiKey, requests.ListOffsets)({
    ...consumerRequest,
    topics,
  });
  const parse = async (decoded: ListOffsetsResponse): Promise<ListOffsetsResponse> => decoded;
  const listed = (await sendRequest(broker, {
    request,
    response: { decode: response.decode, parse },
  })) as ListOffsetsResponse;
  return new Map(
    listed.responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, errorCode, offset }) =>
        errorCode === 0 ? [[partitionKey({ topic, partition }), Number(offset)] as const] : [],
      ),
    ),
  );
};

/** What one leader says of its partitions, or why it says nothing. */
const listRangesOfLeader = async (
  cluster: KafkaCluster,
  nodeId: number,
  ledPartitions: readonly TopicPartition[],
): Promise<LogRange[] | Error> => {
  try {
    const broker = await cluster.findBroker({ nodeId });
    const beginningOffsets = await listOffsets(broker, ledPartitions, earliest);
    const endOffsets = await listOffsets(broker, ledPartitions, latest);
    return ledPartitions.flatMap(({ topic, partition }) => {
      const [beginningOffset, endOffset] = [beginningOffsets, endOffsets].map((offsets) =>
        offsets.get(partitionKey({ topic, partition })),
      );
      return beginningOffset === undefined || endOffset === undefined
        ? []
        : [{ topic, partition, beginningOffset, endOffset }];
    });
  } catch (error) {
    if (!(error instanceof Error) || isProgrammingError(error)) throw error;
    return error;
  }
};

/** Where the logs begin and end, of all partitions whose leader answers for them. Throws what was met where no leader does. */
export const listLogRanges = async (cluster: KafkaCluster): Promise<LogRange[]> => {
  const topicPartitions = (cluster.brokerPool.metadata?.topicMetadata ?? []).flatMap(({ topic, partitionMetadata }) =>
    partitionMetadata.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
  );
  const results: (LogRange[] | Error)[] = [];
  for (const [nodeId, ledPartitions] of Map.groupBy(topicPartitions, ({ leader }) => leader))
    if (nodeId >= 0) results.push(await listRangesOfLeader(cluster, nodeId, ledPartitions));
  const ranges = results.flatMap((listed) => (listed instanceof Error ? [] : listed));
  const failure = results.find((listed) => listed instanceof Error);
  if (failure && ranges.length === 0) throw failure;
  return ranges;
};
