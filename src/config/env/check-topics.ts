import { quote } from "../config-error.ts";
import type { Problem } from "../config-error.ts";
import type { RetryTopic } from "../config.ts";
import { topic } from "./kinds.ts";
import type { RetryDelaySetting } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

interface TopicRole {
  readonly variable: VariableName;
  readonly name: string;
}

/** Tiers are named `<RETRY_TOPIC>-<delay>`. */
export const retryTopicsOf = (retryTopic: string, delays: readonly RetryDelaySetting[]): readonly RetryTopic[] =>
  delays.map(({ delay, delayMs }) => ({ topic: `${retryTopic}-${delay}`, delayMs }));

/** Every topic has one role, and every tier a name that Kafka takes. */
export const checkTopics = (values: Partial<Values>): Problem[] => {
  const roles = rolesOf(values);
  return [...checkRetryTopicNames(roles), ...checkDistinctTopics(roles)];
};

const rolesOf = (values: Partial<Values>): TopicRole[] => {
  const {
    SOURCE_TOPICS: sources = [],
    RETRY_TOPIC: retry,
    RETRY_DELAYS: delays = [],
    DEAD_LETTER_TOPIC: dead,
  } = values;
  const retryTopics = retry === undefined ? [] : retryTopicsOf(retry, delays);
  return [
    ...sources.map((name): TopicRole => ({ variable: "SOURCE_TOPICS", name })),
    ...retryTopics.map((retryTopic): TopicRole => ({ variable: "RETRY_TOPIC", name: retryTopic.topic })),
    ...(dead === undefined ? [] : [{ variable: "DEAD_LETTER_TOPIC", name: dead } as const]),
  ];
};

const checkRetryTopicNames = (roles: readonly TopicRole[]): Problem[] =>
  roles
    .filter(({ name }) => !topic.schema.safeParse(name).success)
    .slice(0, 1)
    .map(({ variable, name }) => ({
      variable,
      got: quote(name),
      want: "a name that leaves room for '-<delay>' within 249 characters",
    }));

const checkDistinctTopics = (roles: readonly TopicRole[]): Problem[] => {
  const owners = new Map<string, VariableName>();
  return roles.flatMap(({ variable, name }) => {
    // The broker refuses a second topic whose name differs only in '.' and '_'.
    const key = name.replaceAll(".", "_");
    const owner = owners.get(key);
    owners.set(key, variable);
    return owner === undefined ? [] : [{ variable, got: quote(name), want: `a topic that ${owner} has not taken` }];
  });
};
