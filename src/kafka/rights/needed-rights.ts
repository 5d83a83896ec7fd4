import { type Operation, type Right, topicRight } from "./rights.ts";

export interface ServiceTopics {
  readonly source: readonly string[];
  readonly retry: readonly { readonly topic: string }[];
  readonly deadLetter: string;
}

/** What a broker says about this user's rights on a topic. */
export interface TopicRights {
  readonly topic: string;
  /** The name of the topic's error code; undefined for none. */
  readonly error: string | undefined;
  /** What this user may do, one bit for each operation; undefined if the broker does not send it. */
  readonly operations: number | undefined;
}

/** A member that cannot read one of these topics must not join the group: it would not know which users are parked. */
export const topicsToRead = ({ source, retry }: ServiceTopics): string[] => [
  ...source,
  ...retry.map(({ topic }) => topic),
];

export const allTopics = (topics: ServiceTopics): string[] => [...topicsToRead(topics), topics.deadLetter];

/** The rights that the service needs on its topics once they exist. Each of them implies Describe. */
export const neededRights = (topics: ServiceTopics): Right[] => [
  ...topicsToRead(topics).map((topic) => topicRight("Read", topic)),
  ...[...topics.retry.map(({ topic }) => topic), topics.deadLetter].map((topic) => topicRight("Write", topic)),
];

/**
 * The bit of each operation
 * (https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/acl/AclOperation.java).
 */
const operationCodes: Readonly<Record<Operation, number>> = {
  Read: 3,
  Write: 4,
  Create: 5,
  Alter: 7,
  Describe: 8,
  DescribeConfigs: 10,
};

const isRefused = (operation: Operation, { error, operations }: TopicRights): boolean => {
  if (error === "TOPIC_AUTHORIZATION_FAILED") return true;
  return error === undefined && operations !== undefined && (operations & (1 << operationCodes[operation])) === 0;
};

/** The needed rights that the cluster says are missing. A right that the cluster does not mention counts as granted. */
export const refusedRights = (needs: readonly Right[], topicRights: readonly TopicRights[]): Right[] => {
  const byTopic = new Map(topicRights.map((rights) => [rights.topic, rights]));
  return needs.filter(({ operation, resource }) => {
    const rights = resource.kind === "topic" ? byTopic.get(resource.name) : undefined;
    return rights !== undefined && isRefused(operation, rights);
  });
};
