import type { TopicPartition } from "./consumer.ts";

/** What kafkajs asks of the broker that keeps the group. */
export interface GroupBroker {
  readonly nodeId: number;
  heartbeat(request: unknown): Promise<unknown>;
  joinGroup(request: JoinGroupRequest): Promise<{ readonly generationId: number; readonly memberId: string }>;
  syncGroup(request: unknown): Promise<unknown>;
  leaveGroup(request: GroupMember): Promise<unknown>;
  offsetFetch(request: unknown): Promise<OffsetFetchResponse>;
  offsetCommit(request: OffsetCommitRequest): Promise<unknown>;
}

export interface JoinGroupRequest {
  readonly groupId: string;
}

export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
}

interface OffsetFetchResponse {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }[];
}

export interface OffsetCommitRequest {
  readonly groupGenerationId: number;
  readonly topics?: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: unknown }[];
  }[];
}

/** Not ours: so kafkajs begins anew if an offset is out of the log's range. */
export const offsetResetsIn = ({ topics = [] }: OffsetCommitRequest): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, offset }) => (Number(offset) < 0 ? [{ topic, partition }] : [])),
  );

const lostErrorNames = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
]);
const lostErrorTypes = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE"]);

/** What a broker has answered; undefined if none has. */
export const brokerErrorOf = (error: unknown): unknown => (error as { type?: unknown }).type;

/** Whether an error says that another broker may keep the group by now. */
export const isCoordinatorLost = (error: unknown): boolean => {
  const { name = "", type = "" } = error as { name?: string; type?: string };
  return lostErrorNames.has(name) || lostErrorTypes.has(type);
};

/**
 * Every partition with an offset. For one without a commit kafkajs asks for the start of the log, and throws a TypeError if the
 * topic is gone by then, which ends the consumer. The member seeks each partition before it reads, so any number will do.
 */
export const withPlaceholderOffsets = (response: OffsetFetchResponse): OffsetFetchResponse => ({
  ...response,
  responses: response.responses.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((entry) =>
      Number(entry.offset) < 0 ? Object.assign({}, entry, { offset: "0" }) : entry,
    ),
  })),
});
