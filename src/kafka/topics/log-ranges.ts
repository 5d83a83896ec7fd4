import { createRequire } from "node:module";

import { type ApiVersions, type BrokerRequest, type ClusterBroker, type KafkaCluster, sendTo } from "../cluster.ts";
import { isOwnError } from "../own-errors.ts";

/** Where the log of a partition begins and ends (the end is the offset of the next record to come). */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Offsets {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

interface Question {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
}

const require = createRequire(import.meta.url);
const { requests, lookup } = require("kafkajs/src/protocol/requests") as {
  requests: { ListOffsets: object };
  lookup: (versions: ApiVersions) => (apiKey: number, request: object) => (question: Question) => BrokerRequest;
};

const apiKey = 2;
/** Not replicas, and also what a transaction has not committed yet. */
const asClient = { replicaId: -1, isolationLevel: 0 };
const earliest = -2;
const latest = -1;

const keyOf = ({ topic, partition }: Place): string => `${topic}/${partition}`;

/** kafkajs takes the error of one partition for the failure of all: here it has no offset, and the others have theirs. */
const offsetsOf = async (
  broker: ClusterBroker,
  places: readonly Place[],
  timestamp: number,
): Promise<ReadonlyMap<string, number>> => {
  const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([topic, entries]) => ({
    topic,
    partitions: entries.map(({ partition }) => ({ partition, timestamp })),
  }));
  const { request, response } = lookup(broker.versions ?? {})(apiKey, requests.ListOffsets)({ ...asClient, topics });
  const parse = async (decoded: Offsets): Promise<Offsets> => decoded;
  const answer = (await sendTo(broker, {
    request,
    response: { decode: response.decode, parse },
  })) as Offsets;
  return new Map(
    answer.responses.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition, errorCode, offset }) =>
        errorCode === 0 ? [[keyOf({ topic, partition }), Number(offset)] as const] : [],
      ),
    ),
  );
};

/** What one leader says of its partitions, or why it says nothing. */
const askLeader = async (cluster: KafkaCluster, nodeId: number, led: readonly Place[]): Promise<LogRange[] | Error> => {
  try {
    const broker = await cluster.findBroker({ nodeId });
    const lows = await offsetsOf(broker, led, earliest);
    const highs = await offsetsOf(broker, led, latest);
    return led.flatMap(({ topic, partition }) => {
      const [low, high] = [lows, highs].map((offsets) => offsets.get(keyOf({ topic, partition })));
      return low === undefined || high === undefined ? [] : [{ topic, partition, low, high }];
    });
  } catch (error) {
    if (!(error instanceof Error) || isOwnError(error)) throw error;
    return error;
  }
};

/** Where the logs begin and end, of all partitions whose leader answers for them. Throws what was met where no leader does. */
export const askRanges = async (cluster: KafkaCluster): Promise<LogRange[]> => {
  const places = (cluster.brokerPool.metadata?.topicMetadata ?? []).flatMap(({ topic, partitionMetadata }) =>
    partitionMetadata.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
  );
  const answers: (LogRange[] | Error)[] = [];
  for (const [nodeId, led] of Map.groupBy(places, ({ leader }) => leader))
    if (nodeId >= 0) answers.push(await askLeader(cluster, nodeId, led));
  const ranges = answers.flatMap((answer) => (answer instanceof Error ? [] : answer));
  const failure = answers.find((answer) => answer instanceof Error);
  if (failure && ranges.length === 0) throw failure;
  return ranges;
};
