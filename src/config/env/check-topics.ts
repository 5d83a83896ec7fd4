import { type Problem, quote, wrongValue } from "../config-error.ts";
import type { RetryTopic } from "../config.ts";
import { type RetryDelaySetting, topic } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

interface TopicRole {
  readonly variable: VariableName;
  readonly name: string;
}

/** The retry topics, named `<RETRY_TOPIC>-<delay>`. */
export const retryTopicsOf = (prefix: string, delays: readonly RetryDelaySetting[]): readonly RetryTopic[] =>
  delays.map(({ delay, delayMs }) => ({ topic: `${prefix}-${delay}`, delayMs }));

/** Every topic has one role, and every retry topic has a name that Kafka takes. */
export const checkTopics = (values: Partial<Values>): Problem[] => {
  const roles = rolesOf(values);
  return [...checkRetryTopicNames(roles), ...checkDistinctTopics(roles)];
};

const rolesOf = (values: Partial<Values>): TopicRole[] => {
  const {
    SOURCE_TOPICS: sources = [],
    RETRY_TOPIC: retryPrefix,
    RETRY_DELAYS: delays = [],
    DEAD_LETTER_TOPIC: deadLetterTopic,
  } = values;
  const retryTopics = retryPrefix === undefined ? [] : retryTopicsOf(retryPrefix, delays);
  return [
    ...sources.map((name): TopicRole => ({ variable: "SOURCE_TOPICS", name })),
    ...retryTopics.map((retryTopic): TopicRole => ({ variable: "RETRY_TOPIC", name: retryTopic.topic })),
    ...(deadLetterTopic === undefined ? [] : [{ variable: "DEAD_LETTER_TOPIC", name: deadLetterTopic } as const]),
  ];
};

const checkRetryTopicNames = (roles: readonly TopicRole[]): Problem[] =>
  roles
    .filter(({ name }) => !topic.schema.safeParse(name).success)
    .slice(0, 1)
    .map(({ variable, name }) =>
      wrongValue(variable, quote(name), "a name so short that '<RETRY_TOPIC>-<delay>' has at most 249 characters"),
    );

const checkDistinctTopics = (roles: readonly TopicRole[]): Problem[] => {
  const owners = new Map<string, VariableName>();
  return roles.flatMap(({ variable, name }) => {
    // The broker refuses a second topic whose name differs only in '.' and '_', as `Topic.unifyCollisionChars` says:
    // https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/internals/Topic.java
    const key = name.replaceAll(".", "_");
    const owner = owners.get(key);
    owners.set(key, variable);
    if (owner === undefined) return [];
    return [wrongValue(variable, quote(name), `a topic that ${owner} does not name ('.' and '_' count as the same)`)];
  });
};
