import { expect, it } from "vitest";

import { iamAction } from "../../src/kafka/rights/missing-right.ts";
import { type Operation, type Right, groupRight, topicRight } from "../../src/kafka/rights/rights.ts";
import { markedLines, markedTable } from "./marked.ts";

const document = "docs/permissions.md";

interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: string }[];
}

/** The resource name in the policy, by the resource column of the tables. */
const resources: Readonly<Record<string, string>> = {
  group: "gainstream",
  "group of skips": "gainstream-skips",
  "each source topic": "segment-events",
  "each retry topic": "gainstream-retry-*",
  "dead-letter topic": "gainstream-dlq",
};

const isGroup = (resource: string): boolean => resource.startsWith("group");

const rightOf = (resource: string, operation: Operation): Right =>
  isGroup(resource) ? groupRight(operation, "g") : topicRight(operation, "t");

it(`${document} has an IAM policy with exactly the rights of its tables, the implied rights and the login`, () => {
  const lines = markedLines(document, "iam-policy").filter((line) => !line.startsWith("```"));
  const policy: Policy = JSON.parse(lines.join("\n"));
  const allowed = policy.Statement.flatMap(({ Action, Resource }) =>
    Action.map((action) => `${action} on ${Resource.split("/").slice(2).join("/").replace("*/", "")}`),
  );
  const rows = [...markedTable(document, "least-rights"), ...markedTable(document, "more-rights")];
  const wanted = rows.flatMap(([resource = "", right = ""]) => {
    const action = iamAction(rightOf(resource, right.replaceAll("`", "") as Operation));
    const implied = isGroup(resource) ? "DescribeGroup" : "DescribeTopic";
    return [action, `kafka-cluster:${implied}`].map((one) => `${one} on ${resources[resource]}`);
  });
  expect(new Set(allowed)).toEqual(new Set(["kafka-cluster:Connect on *", ...wanted]));
  expect(allowed).toHaveLength(new Set(allowed).size);
});
