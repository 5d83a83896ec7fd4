import { type ClusterBroker, type KafkaCluster, sendRequest } from "../cluster.ts";
import { isProgrammingError } from "../own-errors.ts";
import { createListOffsetsRequest } from "../protocol.ts";
import { type TopicPartition, partitionKey } from "../topic-partition.ts";

/** The offsets that the log of a partition holds. */
export interface LogRange extends TopicPartition {
  /** The offset of the first record that is still there. */
  readonly beginningOffset: number;
  /** The offset that the next record gets. */
  readonly endOffset: number;
}

interface ListOffsetsResponse {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

/** As a client, not as a replica; records of transactions that are not committed count too. */
const asClient = { replicaId: -1, isolationLevel: 0 };
/** Timestamps with a meaning of their own (https://github.com/apache/kafka/blob/trunk/clients/src/main/resources/common/message/ListOffsetsRequest.json). */
const earliest = -2;
const latest = -1;

/** The offsets at a timestamp, by partition. A partition with an error has none; kafkajs's own request fails for all partitions then. */
const listOffsets = async (
  broker: ClusterBroker,
  topicPartitions: readonly TopicPartition[],
  timestamp: number,
): Promise<ReadonlyMap<string, number>> => {
  const topics = [...Map.groupBy(topicPartitions, ({ topic }) => topic)].map(([topic, entries]) => ({
    topic,
    partitions: entries.map(({ partition }) => ({ partition, timestamp })),
  }));
  const { request, response } = createListOffsetsRequest(broker.versions ?? {}, { ...asClient, topics });
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

/** The log ranges of the partitions that one broker leads, or the error that kept it from answering. */
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

/** The log ranges of all partitions whose leader answers. Throws the first error if no leader answers. */
export const listLogRanges = async (cluster: KafkaCluster): Promise<LogRange[]> => {
  const topicPartitions = (cluster.brokerPool.metadata?.topicMetadata ?? []).flatMap(({ topic, partitionMetadata }) =>
    partitionMetadata.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
  );
  const results: (LogRange[] | Error)[] = [];
  for (const [nodeId, ledPartitions] of Map.groupBy(topicPartitions, ({ leader }) => leader))
    if (nodeId >= 0) results.push(await listRangesOfLeader(cluster, nodeId, ledPartitions));
  const ranges = results.flatMap((result) => (result instanceof Error ? [] : result));
  const failure = results.find((result) => result instanceof Error);
  if (failure && ranges.length === 0) throw failure;
  return ranges;
};
