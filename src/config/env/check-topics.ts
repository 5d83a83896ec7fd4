import { quote } from "../config-error.ts";
import type { Problem } from "../config-error.ts";
import type { RetryTier } from "../config.ts";
import { topic } from "./kinds.ts";
import type { RetryDelay } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

interface TopicRole {
  readonly variable: VariableName;
  readonly name: string;
}

/** Tiers are named `<RETRY_TOPIC>-<delay>`. */
export const planTiers = (retryTopic: string, delays: readonly RetryDelay[]): readonly RetryTier[] =>
  delays.map(({ delay, delayMs }) => ({ topic: `${retryTopic}-${delay}`, delayMs }));

/** Every topic has one role, and every tier a name that Kafka takes. */
export const checkTopics = (values: Partial<Values>): Problem[] => {
  const roles = rolesOf(values);
  return [...checkTierNames(roles), ...checkRoles(roles)];
};

const rolesOf = (values: Partial<Values>): TopicRole[] => {
  const {
    SOURCE_TOPICS: sources = [],
    RETRY_TOPIC: retry,
    RETRY_DELAYS: delays = [],
    DEAD_LETTER_TOPIC: dead,
  } = values;
  const tiers = retry === undefined ? [] : planTiers(retry, delays);
  return [
    ...sources.map((name): TopicRole => ({ variable: "SOURCE_TOPICS", name })),
    ...tiers.map((tier): TopicRole => ({ variable: "RETRY_TOPIC", name: tier.topic })),
    ...(dead === undefined ? [] : [{ variable: "DEAD_LETTER_TOPIC", name: dead } as const]),
  ];
};

const checkTierNames = (roles: readonly TopicRole[]): Problem[] =>
  roles
    .filter(({ name }) => !topic.schema.safeParse(name).success)
    .slice(0, 1)
    .map(({ variable, name }) => ({
      variable,
      got: quote(name),
      want: "a name that leaves room for '-<delay>' within 249 characters",
    }));

const checkRoles = (roles: readonly TopicRole[]): Problem[] => {
  const owners = new Map<string, VariableName>();
  return roles.flatMap(({ variable, name }) => {
    // The broker refuses a second topic whose name differs only in '.' and '_'.
    const key = name.replaceAll(".", "_");
    const owner = owners.get(key);
    owners.set(key, variable);
    return owner === undefined ? [] : [{ variable, got: quote(name), want: `a topic that ${owner} has not taken` }];
  });
};
