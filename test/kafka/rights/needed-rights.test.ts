import { describe, expect, it } from "vitest";

import {
  type TopicRights,
  allTopics,
  neededRights,
  topicsToRead,
  refusedRights,
} from "../../../src/kafka/rights/needed-rights.ts";

const topics = { source: ["orders"], retry: [{ topic: "retry-1s" }, { topic: "retry-1m" }], deadLetter: "dlq" };
const needs = neededRights(topics);
const read = 1 << 3;
const write = 1 << 4;
const describeIt = 1 << 8;

const granted = { error: undefined, operations: read | write | describeIt };

/** The refused rights if one topic has this answer and all others grant everything. */
const refusedIf = (topic: string, answer: Omit<TopicRights, "topic">): string[] => {
  const answers = allTopics(topics).map((name): TopicRights => {
    const { error, operations } = name === topic ? answer : granted;
    return { topic: name, error, operations };
  });
  return refusedRights(needs, answers).map(({ operation, resource }) =>
    resource.kind === "topic" ? `${operation} ${resource.name}` : resource.kind,
  );
};

describe("the rights on topics", () => {
  it("are to read sources and retry topics, and to write retry topics and dead letters", () => {
    expect(topicsToRead(topics)).toEqual(["orders", "retry-1s", "retry-1m"]);
    expect(
      refusedRights(
        needs,
        allTopics(topics).map((topic) => ({ topic, error: undefined, operations: 0 })),
      ),
    ).toEqual(needs);
    expect(needs.map(({ operation }) => operation)).toEqual(["Read", "Read", "Read", "Write", "Write", "Write"]);
  });

  it.each<[string, string, Omit<TopicRights, "topic">, string[]]>([
    ["nothing if all is granted", "orders", granted, []],
    ["a source that may be seen and not read", "orders", { error: undefined, operations: describeIt }, ["Read orders"]],
    [
      "a retry topic that may only be read",
      "retry-1s",
      { error: undefined, operations: read | describeIt },
      ["Write retry-1s"],
    ],
    [
      "a retry topic that may only be written",
      "retry-1m",
      { error: undefined, operations: write | describeIt },
      ["Read retry-1m"],
    ],
    [
      "all of a topic that may not even be seen",
      "retry-1s",
      { error: "TOPIC_AUTHORIZATION_FAILED", operations: undefined },
      ["Read retry-1s", "Write retry-1s"],
    ],
    [
      "nothing of a topic that does not exist",
      "dlq",
      { error: "UNKNOWN_TOPIC_OR_PARTITION", operations: undefined },
      [],
    ],
    ["nothing that the cluster does not report", "dlq", { error: undefined, operations: undefined }, []],
  ])("that are refused: %s", (_, topic, answer, refused) => {
    expect(refusedIf(topic, answer)).toEqual(refused);
  });
});
