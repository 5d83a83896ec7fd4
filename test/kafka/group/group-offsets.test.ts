import { describe, expect, it } from "vitest";

import type { KafkaCluster } from "../../../src/kafka/cluster.ts";
import { commitForNobody } from "../../../src/kafka/group/group-offsets.ts";

const commit = { topic: "events", partition: 3, offset: 20, metadata: ";@id" };

/** A cluster that refuses to say who keeps the group, for this reason; undefined: it says it. */
const createCluster = (reason: Error | undefined, hidden = "KafkaJSGroupCoordinatorNotFound") => {
  const commits: unknown[] = [];
  const cluster = {
    findGroupCoordinator: async () => {
      if (reason) throw Object.assign(new Error("Failed to find group coordinator"), { name: hidden });
      return { offsetCommit: async (request: unknown) => void commits.push(request) };
    },
    brokerPool: {
      findConnectedBroker: async () => ({
        findGroupCoordinator: async () => {
          if (reason && reason.message !== "hidden") throw reason;
        },
      }),
    },
  };
  return { cluster: cluster as unknown as KafkaCluster, commits };
};

describe("commitForNobody()", () => {
  it("commits as nobody's member, for as long as the broker keeps offsets", async () => {
    const { cluster, commits } = createCluster(undefined);
    await commitForNobody(cluster, "skips", commit);
    const topics = [{ topic: "events", partitions: [{ partition: 3, offset: "20", metadata: ";@id" }] }];
    expect(commits).toEqual([{ groupId: "skips", groupGenerationId: -1, memberId: "", retentionTime: -1, topics }]);
  });

  it.each([
    ["what kafkajs keeps to itself", new Error("GROUP_AUTHORIZATION_FAILED"), undefined, "GROUP_AUTHORIZATION_FAILED"],
    [
      "what kafkajs says, if the cluster says no more",
      new Error("hidden"),
      undefined,
      "Failed to find group coordinator",
    ],
    ["any other error as it is", new Error("more"), "KafkaJSConnectionError", "Failed to find group coordinator"],
  ])("throws %s", async (_, reason, name, message) => {
    await expect(commitForNobody(createCluster(reason, name).cluster, "skips", commit)).rejects.toThrow(message);
  });
});
