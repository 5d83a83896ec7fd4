/** A right of Kafka's authorizer, as `kafka-acls.sh` names it. */
export type Operation = "Read" | "Write" | "Describe" | "Create" | "Alter" | "DescribeConfigs";

export type Resource =
  | { readonly kind: "topic"; readonly name: string }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "cluster" };

/** What somebody may do with a resource. */
export interface Right {
  readonly operation: Operation;
  readonly resource: Resource;
}

/** Whom the cluster refuses, and where `kafka-acls.sh` reaches it. */
export interface Principal {
  readonly brokers: readonly string[];
  /** The log-in's name; without one the principal is not known here. */
  readonly username?: string | undefined;
  /** Whether rights are actions of an IAM policy. */
  readonly isIam?: boolean;
}

interface LogIn {
  readonly mechanism: string;
  readonly username?: string | undefined;
}

export const principalOf = (kafka: {
  readonly brokers: readonly string[];
  readonly sasl?: LogIn | undefined;
}): Principal => ({
  brokers: kafka.brokers,
  username: kafka.sasl?.username,
  isIam: kafka.sasl?.mechanism === "aws-msk-iam",
});

export const topicRight = (operation: Operation, name: string): Right => ({
  operation,
  resource: { kind: "topic", name },
});

export const groupRight = (operation: Operation, name: string): Right => ({
  operation,
  resource: { kind: "group", name },
});

const kinds: Readonly<Record<string, Resource["kind"]>> = {
  TOPIC_AUTHORIZATION_FAILED: "topic",
  GROUP_AUTHORIZATION_FAILED: "group",
  CLUSTER_AUTHORIZATION_FAILED: "cluster",
};

/** The kind of resource that the cluster refuses, and the topic where the error names it. */
interface Refusal {
  readonly kind: Resource["kind"];
  readonly topic: string | undefined;
}

interface ErrorOfKafka {
  readonly type?: unknown;
  readonly topic?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

const refusalIn = ({ type, topic }: ErrorOfKafka): Refusal | undefined => {
  const kind = typeof type === "string" ? kinds[type] : undefined;
  return kind && { kind, topic: typeof topic === "string" ? topic : undefined };
};

/** kafkajs hides what the broker said in causes, and that of several topics in a list. */
const refusalOf = (error: unknown): Refusal | undefined => {
  if (typeof error !== "object" || error === null) return undefined;
  const { cause, errors }: ErrorOfKafka = error;
  const inner: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return refusalIn(error) ?? [...inner, cause].map(refusalOf).find((found) => found !== undefined);
};

/** What Kafka refuses a right on; undefined where the error is no refusal. */
export const refusedKind = (error: unknown): Resource["kind"] | undefined => refusalOf(error)?.kind;

/** Whether Kafka says that a right is missing. */
export const isRefusal = (error: unknown): boolean => refusedKind(error) !== undefined;

const quote = (word: string): string =>
  /^[\w.:,=@/-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

const nameOf = (resource: Resource): string =>
  resource.kind === "cluster" ? "the cluster" : `${resource.kind} ${resource.name}`;

const flagsOf = (resource: Resource): readonly string[] =>
  resource.kind === "cluster" ? ["--cluster"] : [`--${resource.kind}`, quote(resource.name)];

/** What Amazon MSK calls the same (https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html). */
const iamActions: Readonly<Record<Operation, string>> = {
  Read: "ReadData",
  Write: "WriteData",
  Describe: "DescribeTopic",
  Create: "CreateTopic",
  Alter: "AlterTopic",
  DescribeConfigs: "DescribeTopicDynamicConfiguration",
};

/** The action of IAM that is the same right. */
export const iamAction = ({ operation, resource }: Right): string => {
  if (resource.kind !== "group") return `kafka-cluster:${iamActions[operation]}`;
  return `kafka-cluster:${operation === "Describe" ? "DescribeGroup" : "AlterGroup"}`;
};

/** The command, or the policy, that grants an operation on resources of one kind. */
export const grantCommand = (operation: Operation, resources: readonly Resource[], principal: Principal): string =>
  principal.isIam === true
    ? `an IAM policy that allows ${resources.map((resource) => `${iamAction({ operation, resource })} on ${nameOf(resource)}`).join(", ")}`
    : aclCommand(operation, resources, principal);

const aclCommand = (operation: Operation, resources: readonly Resource[], { brokers, username }: Principal): string =>
  [
    "kafka-acls.sh --bootstrap-server",
    quote(brokers[0] ?? ""),
    "--add --allow-principal",
    quote(`User:${username ?? "<principal>"}`),
    `--operation ${operation}`,
    ...resources.flatMap(flagsOf),
  ].join(" ");

/** Says that one of these rights on topics is missing, where Kafka does not say which. */
export const missingOneOf = (operation: Operation, topics: readonly string[], principal: Principal): string => {
  const resources = topics.map((topic) => topicRight(operation, topic).resource);
  const command = grantCommand(operation, resources, principal);
  return `Kafka refuses the right ${operation} on one of the topics ${topics.join(", ")}: grant it with ${command}`;
};

/** Says which right is missing, and how to grant it. */
export const missingRight = ({ operation, resource }: Right, principal: Principal): string => {
  const command = grantCommand(operation, [resource], principal);
  return `Kafka refuses the right ${operation} on ${nameOf(resource)}: grant it with ${command}`;
};

/**
 * Says which of the rights that a request needs is missing; undefined where the error is no refusal. Where an error does not name
 * its topic, the first topic of `needs` stands for it: ask for one topic at a time.
 */
export const explainRefusal = (error: unknown, needs: readonly Right[], principal: Principal): string | undefined => {
  const refusal = refusalOf(error);
  if (!refusal) return undefined;
  const ofKind = needs.filter(({ resource }) => resource.kind === refusal.kind);
  const named = ofKind.find(({ resource }) => resource.kind === "topic" && resource.name === refusal.topic);
  const right = named ?? ofKind[0] ?? needs[0];
  return right && missingRight(right, principal);
};
