import { errorTypeOf } from "../error-types.ts";
import type { TopicPartition } from "../topic-partition.ts";

/** The methods that kafkajs calls on the group's coordinator, by kafkajs's names. */
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

/** The partitions that kafkajs resets with this commit: if a fetch offset is out of range, it commits a negative offset. */
export const offsetResetsIn = ({ topics = [] }: OffsetCommitRequest): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, offset }) => (Number(offset) < 0 ? [{ topic, partition }] : [])),
  );

const lostErrorNames: ReadonlySet<string> = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
]);
const lostErrorTypes: ReadonlySet<string> = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE"]);

/** Whether another broker may be the coordinator now. */
export const isCoordinatorLost = (error: unknown): boolean => {
  const { name = "" } = error as { readonly name?: string };
  return lostErrorNames.has(name) || lostErrorTypes.has(errorTypeOf(error) ?? "");
};

/**
 * Gives every partition without a commit the offset 0. kafkajs would ask for the start of its log, and throws a TypeError, which ends
 * the consumer, if the topic no longer exists. The offset does not matter: intake seeks each partition before it reads.
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
