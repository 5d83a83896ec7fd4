import { findRefusal } from "./authorization-errors.ts";
import { type Operation, type Principal, type Resource, type Right, topicRight } from "./rights.ts";

const shellQuote = (text: string): string =>
  /^[\w.:,=@/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

const describeResource = (resource: Resource): string =>
  resource.kind === "cluster" ? "the cluster" : `${resource.kind} ${resource.name}`;

const aclFlagsOf = (resource: Resource): readonly string[] =>
  resource.kind === "cluster" ? ["--cluster"] : [`--${resource.kind}`, shellQuote(resource.name)];

/** The names of the same operations on Amazon MSK (https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html). */
const iamActions: Readonly<Record<Operation, string>> = {
  Read: "ReadData",
  Write: "WriteData",
  Describe: "DescribeTopic",
  Create: "CreateTopic",
  Alter: "AlterTopic",
  DescribeConfigs: "DescribeTopicDynamicConfiguration",
};

/** The IAM action that grants a right on Amazon MSK. */
export const iamAction = ({ operation, resource }: Right): string => {
  if (resource.kind !== "group") return `kafka-cluster:${iamActions[operation]}`;
  return `kafka-cluster:${operation === "Describe" ? "DescribeGroup" : "AlterGroup"}`;
};

/** How to grant an operation on these resources, which are of one kind: a command, or an IAM policy. */
export const grantCommand = (operation: Operation, resources: readonly Resource[], principal: Principal): string =>
  principal.isIam === true
    ? `an IAM policy that allows ${resources.map((resource) => `${iamAction({ operation, resource })} on ${describeResource(resource)}`).join(", ")}`
    : aclCommand(operation, resources, principal);

const aclCommand = (operation: Operation, resources: readonly Resource[], { brokers, username }: Principal): string =>
  [
    "kafka-acls.sh --bootstrap-server",
    shellQuote(brokers[0] ?? ""),
    "--add --allow-principal",
    shellQuote(`User:${username ?? "<principal>"}`),
    `--operation ${operation}`,
    ...resources.flatMap(aclFlagsOf),
  ].join(" ");

/** A sentence for an operation that Kafka refuses on one of several topics without naming it. */
export const missingRightOnOneOf = (operation: Operation, topics: readonly string[], principal: Principal): string => {
  const resources = topics.map((topic) => topicRight(operation, topic).resource);
  const command = grantCommand(operation, resources, principal);
  return `Kafka refuses the right ${operation} on one of the topics ${topics.join(", ")}: grant it with ${command}`;
};

/** A sentence with the missing right and how to grant it. */
export const missingRight = ({ operation, resource }: Right, principal: Principal): string => {
  const command = grantCommand(operation, [resource], principal);
  return `Kafka refuses the right ${operation} on ${describeResource(resource)}: grant it with ${command}`;
};

/**
 * A sentence with the right that is missing, out of those that a request needs; undefined if the error is no refusal. If the error does
 * not name a topic, the sentence names the first topic of `needs`, so call this after a request about one topic.
 */
export const explainAuthorizationError = (
  error: unknown,
  needs: readonly Right[],
  principal: Principal,
): string | undefined => {
  const refusal = findRefusal(error);
  if (!refusal) return undefined;
  const ofKind = needs.filter(({ resource }) => resource.kind === refusal.kind);
  const byTopic = ofKind.find(({ resource }) => resource.kind === "topic" && resource.name === refusal.topic);
  const right = byTopic ?? ofKind[0] ?? needs[0];
  return right && missingRight(right, principal);
};
