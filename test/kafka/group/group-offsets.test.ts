import { describe, expect, it } from "vitest";

import type { KafkaCluster } from "../../../src/kafka/cluster.ts";
import { commitWithoutMembers } from "../../../src/kafka/group/group-offsets.ts";

const commit = { topic: "events", partition: 3, offset: 20, metadata: ";@id" };

/** A cluster that refuses to name the coordinator, for this reason; undefined if it names it. */
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

describe("commitWithoutMembers()", () => {
  it("commits as no member, for as long as the broker keeps offsets", async () => {
    const { cluster, commits } = createCluster(undefined);
    await commitWithoutMembers(cluster, "skips", commit);
    const topics = [{ topic: "events", partitions: [{ partition: 3, offset: "20", metadata: ";@id" }] }];
    expect(commits).toEqual([{ groupId: "skips", groupGenerationId: -1, memberId: "", retentionTime: -1, topics }]);
  });

  it.each([
    [
      "the broker's reason that kafkajs drops",
      new Error("GROUP_AUTHORIZATION_FAILED"),
      undefined,
      "GROUP_AUTHORIZATION_FAILED",
    ],
    [
      "kafkajs's error if the broker gives no reason",
      new Error("hidden"),
      undefined,
      "Failed to find group coordinator",
    ],
    ["any other error as it is", new Error("more"), "KafkaJSConnectionError", "Failed to find group coordinator"],
  ])("throws %s", async (_, reason, name, message) => {
    await expect(commitWithoutMembers(createCluster(reason, name).cluster, "skips", commit)).rejects.toThrow(message);
  });
});
