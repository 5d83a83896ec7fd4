import { type Operation, type Right, topicRight } from "./refusals.ts";

export interface Topics {
  readonly source: readonly string[];
  readonly retry: readonly { readonly topic: string }[];
  readonly deadLetter: string;
}

/** What the cluster says of a topic when asked by its name. */
export interface TopicRights {
  readonly topic: string;
  readonly error: string | undefined;
  /** What this user may do, a bit for each operation; undefined where the cluster does not tell. */
  readonly operations: number | undefined;
}

/** A member that cannot read one of these must not take part: it would not know who is parked. */
export const readTopics = ({ source, retry }: Topics): string[] => [...source, ...retry.map(({ topic }) => topic)];

export const allTopics = (topics: Topics): string[] => [...readTopics(topics), topics.deadLetter];

/** What the service needs of topics that are there. Each of these rights implies Describe. */
export const neededRights = (topics: Topics): Right[] => [
  ...readTopics(topics).map((topic) => topicRight("Read", topic)),
  ...[...topics.retry.map(({ topic }) => topic), topics.deadLetter].map((topic) => topicRight("Write", topic)),
];

/** Kafka's codes, https://kafka.apache.org/protocol (AclOperation): the number of the bit. */
const codes: Readonly<Record<Operation, number>> = {
  Read: 3,
  Write: 4,
  Create: 5,
  Alter: 7,
  Describe: 8,
  DescribeConfigs: 10,
};

const isRefused = (operation: Operation, { error, operations }: TopicRights): boolean => {
  if (error === "TOPIC_AUTHORIZATION_FAILED") return true;
  return error === undefined && operations !== undefined && (operations & (1 << codes[operation])) === 0;
};

/** Which of the needed rights the cluster refuses by its own words. One that it does not tell of counts as granted. */
export const refusedRights = (needs: readonly Right[], answers: readonly TopicRights[]): Right[] => {
  const byTopic = new Map(answers.map((answer) => [answer.topic, answer]));
  return needs.filter(({ operation, resource }) => {
    const answer = resource.kind === "topic" ? byTopic.get(resource.name) : undefined;
    return answer !== undefined && isRefused(operation, answer);
  });
};
