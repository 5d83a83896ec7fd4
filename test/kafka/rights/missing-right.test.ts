import { describe, expect, it } from "vitest";

import { isAuthorizationError } from "../../../src/kafka/rights/authorization-errors.ts";
import { explainAuthorizationError, grantCommand } from "../../../src/kafka/rights/missing-right.ts";
import { type Right, groupRight, principalOf, topicRight } from "../../../src/kafka/rights/rights.ts";

const paula = { brokers: ["k1:9092", "k2:9092"], username: "paula" };

/** kafkajs's error for a broker's error code. */
const protocolError = (type: string, more: object = {}): Error =>
  Object.assign(new Error("Not authorized"), { name: "KafkaJSProtocolError", type, retriable: false, ...more });

const refusals = {
  topic: protocolError("TOPIC_AUTHORIZATION_FAILED"),
  group: protocolError("GROUP_AUTHORIZATION_FAILED"),
  cluster: protocolError("CLUSTER_AUTHORIZATION_FAILED"),
};

const createCluster: Right = { operation: "Create", resource: { kind: "cluster" } };

describe("grantCommand()", () => {
  const add = "kafka-acls.sh --bootstrap-server k1:9092 --add --allow-principal User:paula --operation";
  it.each([
    [topicRight("Read", "orders"), `${add} Read --topic orders`],
    [topicRight("Write", "orders-retry-1s"), `${add} Write --topic orders-retry-1s`],
    [topicRight("DescribeConfigs", "dlq"), `${add} DescribeConfigs --topic dlq`],
    [topicRight("Alter", "dlq"), `${add} Alter --topic dlq`],
    [groupRight("Read", "gainstream"), `${add} Read --group gainstream`],
    [createCluster, `${add} Create --cluster`],
  ])("grants $operation on $resource", ({ operation, resource }, command) => {
    expect(grantCommand(operation, [resource], paula)).toBe(command);
  });

  it("has a placeholder for an unknown principal, quoted so that no shell takes it for a redirection", () => {
    const { operation, resource } = topicRight("Read", "orders");
    expect(grantCommand(operation, [resource], { brokers: ["k1:9092"] })).toContain(
      "--allow-principal 'User:<principal>' --operation",
    );
  });

  it.each([
    [topicRight("Read", "orders"), "kafka-cluster:ReadData on topic orders"],
    [topicRight("Write", "orders-retry-1s"), "kafka-cluster:WriteData on topic orders-retry-1s"],
    [topicRight("Create", "dlq"), "kafka-cluster:CreateTopic on topic dlq"],
    [topicRight("Alter", "dlq"), "kafka-cluster:AlterTopic on topic dlq"],
    [topicRight("DescribeConfigs", "dlq"), "kafka-cluster:DescribeTopicDynamicConfiguration on topic dlq"],
    [groupRight("Read", "gainstream"), "kafka-cluster:AlterGroup on group gainstream"],
    [groupRight("Describe", "gainstream-skips"), "kafka-cluster:DescribeGroup on group gainstream-skips"],
  ])("names the IAM action for $operation on $resource", ({ operation, resource }, policy) => {
    const principal = principalOf({ brokers: ["k1:9098"], sasl: { mechanism: "aws-msk-iam" } });
    expect(grantCommand(operation, [resource], principal)).toBe(`an IAM policy that allows ${policy}`);
  });

  it("grants several topics at once", () => {
    const topics = ["a", "b"].map((name) => topicRight("DescribeConfigs", name).resource);
    expect(grantCommand("DescribeConfigs", topics, paula)).toBe(`${add} DescribeConfigs --topic a --topic b`);
  });

  it("quotes names that a shell would split or run", () => {
    const { operation, resource } = groupRight("Read", "it's $HOME");
    const command = grantCommand(operation, [resource], { ...paula, username: "CN=a b" });
    expect(command).toContain("--allow-principal 'User:CN=a b' ");
    expect(command).toContain(String.raw`--group 'it'\''s $HOME'`);
  });
});

describe("explainAuthorizationError()", () => {
  const write = topicRight("Write", "dlq");
  const commit = [groupRight("Read", "g"), topicRight("Read", "orders")] as const;
  const create = [topicRight("Create", "retry"), topicRight("Create", "dlq")] as const;

  it.each([
    ["a refused topic", refusals.topic, [write], "Write on topic dlq"],
    [
      "a cause within a cause",
      new Error("a", { cause: new Error("b", { cause: refusals.topic }) }),
      [write],
      "Write on topic dlq",
    ],
    ["a refused group, of several needs", refusals.group, commit, "Read on group g"],
    ["a refused topic, of several needs", refusals.topic, commit, "Read on topic orders"],
    ["a refused cluster", refusals.cluster, [createCluster], "Create on the cluster"],
    [
      "a topic in a list of errors",
      Object.assign(new Error("Topic creation errors"), {
        errors: [
          protocolError("TOPIC_ALREADY_EXISTS", { topic: "retry" }),
          protocolError("TOPIC_AUTHORIZATION_FAILED", { topic: "dlq" }),
        ],
      }),
      create,
      "Create on topic dlq",
    ],
    ["a kind that was not asked for", refusals.cluster, [write], "Write on topic dlq"],
  ] as const)("names the right and the command for %s", (_, error, needs, right) => {
    const sentence = explainAuthorizationError(error, needs, paula);
    expect(sentence).toContain(
      `Kafka refuses the right ${right}: grant it with kafka-acls.sh --bootstrap-server k1:9092`,
    );
    expect(sentence).not.toMatch(/\.$/);
    expect(isAuthorizationError(error)).toBe(true);
  });

  it.each([
    ["another answer of the broker", protocolError("UNKNOWN_TOPIC_OR_PARTITION")],
    ["a lost connection", Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionClosedError" })],
    ["a bug", new TypeError("x is not a function")],
    ["no error at all", undefined],
  ])("returns undefined for %s", (_, error) => {
    expect(explainAuthorizationError(error, [write], paula)).toBeUndefined();
    expect(isAuthorizationError(error)).toBe(false);
  });
});
