import { describe, expect, it } from "vitest";

import type { KafkaCluster } from "../../../src/kafka/cluster.ts";
import { createCoordinatorFinder } from "../../../src/kafka/group/find-coordinator.ts";

const unexplained = Object.assign(new Error("Failed to find group coordinator"), {
  name: "KafkaJSGroupCoordinatorNotFound",
});
const refusal = Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" });
const lost = Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" });

const createCluster = (finds: unknown[], reason?: Error): KafkaCluster => {
  const cluster = {
    findGroupCoordinator: async () => {
      const answer = finds.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    brokerPool: {
      findConnectedBroker: async () => ({
        findGroupCoordinator: async () => {
          if (reason) throw reason;
        },
      }),
    },
  };
  return cluster as unknown as KafkaCluster;
};

describe("createCoordinatorFinder()", () => {
  it("returns the broker that the cluster names", async () => {
    const broker = { nodeId: 7 };
    expect(await createCoordinatorFinder(createCluster([broker]), "g")()).toBe(broker);
  });

  it.each([
    ["a refusal", refusal],
    ["a lost connection", lost],
  ])("throws the broker's reason if kafkajs drops it: %s", async (_, reason) => {
    await expect(createCoordinatorFinder(createCluster([unexplained], reason), "g")()).rejects.toBe(reason);
  });

  it("asks again if the broker names the coordinator now", async () => {
    const broker = { nodeId: 7 };
    expect(await createCoordinatorFinder(createCluster([unexplained, broker]), "g")()).toBe(broker);
  });

  it("throws kafkajs's other errors as they are", async () => {
    await expect(createCoordinatorFinder(createCluster([lost], refusal), "g")()).rejects.toBe(lost);
  });
});
