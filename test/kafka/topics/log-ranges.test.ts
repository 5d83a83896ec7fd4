import { describe, expect, it } from "vitest";

import type { ClusterBroker, KafkaCluster } from "../../../src/kafka/cluster.ts";
import { listLogRanges } from "../../../src/kafka/topics/log-ranges.ts";

/** A cluster in which broker n leads partition n of the topic. Some brokers cannot be reached. */
const createCluster = (nodes: readonly number[], failures: Readonly<Record<number, Error>>): KafkaCluster => {
  const brokerOf = (partition: number): Pick<ClusterBroker, "versions" | "connectionPool"> => ({
    versions: { 2: { maxVersion: 3 } },
    connectionPool: {
      send: async ({ response }) => {
        const partitions = [{ partition, errorCode: 0, offset: "7" }];
        return response.parse({ responses: [{ topic: "a", partitions }] } as never);
      },
    },
  });
  const partitionMetadata = nodes.map((node) => ({ partitionId: node, leader: node }));
  const cluster = {
    brokerPool: { metadata: { topicMetadata: [{ topic: "a", partitionMetadata }] } },
    findBroker: async ({ nodeId }: { nodeId: number }) => {
      const failure = failures[nodeId];
      if (failure) throw failure;
      return brokerOf(nodeId);
    },
  };
  return cluster as unknown as KafkaCluster;
};

const gone = Object.assign(new Error("connect ECONNREFUSED"), { name: "KafkaJSConnectionError" });

describe("listLogRanges", () => {
  it("leaves out the partitions of a leader that cannot be reached, and returns the others", async () => {
    expect(await listLogRanges(createCluster([1, 2, 3], { 2: gone }))).toEqual([
      { topic: "a", partition: 1, beginningOffset: 7, endOffset: 7 },
      { topic: "a", partition: 3, beginningOffset: 7, endOffset: 7 },
    ]);
  });

  it("throws the first error if no leader answers", async () => {
    await expect(listLogRanges(createCluster([1, 2], { 1: gone, 2: gone }))).rejects.toBe(gone);
  });

  it("throws programming errors", async () => {
    const bug = new TypeError("x is not a function");
    await expect(listLogRanges(createCluster([1, 2], { 2: bug }))).rejects.toBe(bug);
  });
});
