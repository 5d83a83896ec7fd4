import { expect, test } from "vitest";

import { brokerProperties } from "../../local/kafka.ts";

const nodes = [1, 2, 3, 4].map((id) => ({ id, port: 21_000 + id, controllerPort: 22_000 + id }));

test.each([
  { count: 1, replicas: 1, inSync: 1 },
  { count: 2, replicas: 2, inSync: 2 },
  { count: 3, replicas: 3, inSync: 2 },
])("brokerProperties() keeps $replicas replicas with $count brokers", ({ count, replicas, inSync }) => {
  const properties = brokerProperties({ node: nodes[0]!, nodes: nodes.slice(0, count), folder: "/tmp/x" }).split("\n");
  expect(properties).toContain(`offsets.topic.replication.factor=${replicas}`);
  expect(properties).toContain(`default.replication.factor=${replicas}`);
  expect(properties).toContain(`min.insync.replicas=${inSync}`);
});

test("brokerProperties() listens on the loopback address only and names every controller", () => {
  const properties = brokerProperties({ node: nodes[1]!, nodes: nodes.slice(0, 3), folder: "/tmp/x" }).split("\n");
  expect(properties).toContain("listeners=PLAINTEXT://127.0.0.1:21002,CONTROLLER://127.0.0.1:22002");
  expect(properties).toContain("controller.quorum.voters=1@127.0.0.1:22001,2@127.0.0.1:22002,3@127.0.0.1:22003");
  expect(properties).toContain("auto.create.topics.enable=false");
});
