import type { TopicPartition } from "./consumer.ts";

/** What kafkajs asks of the broker that keeps the group. */
export interface GroupBroker {
  readonly nodeId: number;
  heartbeat(request: unknown): Promise<unknown>;
  joinGroup(request: JoinRequest): Promise<{ readonly generationId: number; readonly memberId: string }>;
  syncGroup(request: unknown): Promise<unknown>;
  leaveGroup(request: GroupMember): Promise<unknown>;
  offsetFetch(request: unknown): Promise<OffsetAnswer>;
  offsetCommit(request: CommitRequest): Promise<unknown>;
}

export interface JoinRequest {
  readonly groupId: string;
}

export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
}

interface OffsetAnswer {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }[];
}

export interface CommitRequest {
  readonly groupGenerationId: number;
  readonly topics?: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: unknown }[];
  }[];
}

/** Not ours: so kafkajs begins anew if an offset is out of the log's range. */
export const resetsIn = ({ topics = [] }: CommitRequest): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, offset }) => (Number(offset) < 0 ? [{ topic, partition }] : [])),
  );

const lostNames = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
]);
const lostTypes = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE"]);

/** What a broker has answered; undefined if none has. */
export const typeOf = (error: unknown): unknown => (error as { type?: unknown }).type;

/** Whether an error says that another broker may keep the group by now. */
export const isLost = (error: unknown): boolean => {
  const { name = "", type = "" } = error as { name?: string; type?: string };
  return lostNames.has(name) || lostTypes.has(type);
};

/**
 * Every partition with an offset. For one without a commit kafkajs asks for the start of the log, and throws a TypeError if the
 * topic is gone by then, which ends the consumer. The member seeks each partition before it reads, so any number will do.
 */
export const withOffsets = (answer: OffsetAnswer): OffsetAnswer => ({
  ...answer,
  responses: answer.responses.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => (Number(one.offset) < 0 ? Object.assign({}, one, { offset: "0" }) : one)),
  })),
});
