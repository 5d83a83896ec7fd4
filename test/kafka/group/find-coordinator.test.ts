import type { Cluster } from "kafkajs";
import { describe, expect, it } from "vitest";

import { createFinder } from "../../../src/kafka/group/find-coordinator.ts";

const unexplained = Object.assign(new Error("Failed to find group coordinator"), {
  name: "KafkaJSGroupCoordinatorNotFound",
});
const refusal = Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" });
const lost = Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" });

const createCluster = (finds: unknown[], reason?: Error): Cluster => {
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
  return cluster as unknown as Cluster;
};

describe("createFinder()", () => {
  it("gives the broker that the cluster names", async () => {
    const broker = { nodeId: 7 };
    expect(await createFinder(createCluster([broker]), "g")()).toBe(broker);
  });

  it.each([
    ["a refusal", refusal],
    ["a lost connection", lost],
  ])("throws what a broker says if kafkajs keeps it to itself: %s", async (_, reason) => {
    await expect(createFinder(createCluster([unexplained], reason), "g")()).rejects.toBe(reason);
  });

  it("asks again if the broker knows by now", async () => {
    const broker = { nodeId: 7 };
    expect(await createFinder(createCluster([unexplained, broker]), "g")()).toBe(broker);
  });

  it("hands on what kafkajs does say", async () => {
    await expect(createFinder(createCluster([lost], refusal), "g")()).rejects.toBe(lost);
  });
});
