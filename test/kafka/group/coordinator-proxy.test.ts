import { describe, expect, it } from "vitest";

import { CoordinatorProxy } from "../../../src/kafka/group/coordinator-proxy.ts";
import type { GroupBroker } from "../../../src/kafka/group/group-broker.ts";

const connectionError = Object.assign(new Error("connect ECONNREFUSED"), { name: "KafkaJSConnectionError" });
const moved = Object.assign(new Error("Not the coordinator"), { type: "NOT_COORDINATOR_FOR_GROUP" });
const rebalancing = Object.assign(new Error("Rebalancing"), { type: "REBALANCE_IN_PROGRESS" });

/** Brokers that are the coordinator one after the other. Each answers, or fails with the error of its number. */
const createBrokers = (failures: readonly (Error | undefined)[] = []) => {
  const log: string[] = [];
  let generation = 0;
  const brokerOf = (nodeId: number): GroupBroker => {
    const ask = (what: string) => async (): Promise<string> => {
      log.push(`${what} ${nodeId}`);
      const failure = failures[nodeId];
      if (failure) throw failure;
      return what;
    };
    return {
      nodeId,
      heartbeat: ask("heartbeat"),
      syncGroup: ask("sync"),
      leaveGroup: ask("leave"),
      offsetFetch: async () => {
        await ask("fetch")();
        const partitions = [
          { partition: 0, offset: "-1" },
          { partition: 1, offset: "7" },
        ];
        return { responses: [{ topic: "source", partitions }] };
      },
      offsetCommit: ask("commit"),
      joinGroup: async () => {
        await ask("join")();
        return { generationId: ++generation, memberId: `member-${generation}` };
      },
    };
  };
  let found = 0;
  const coordinator = new CoordinatorProxy({
    findCoordinator: async () => {
      log.push(`find ${found}`);
      return brokerOf(found++);
    },
    beforeLeave: async () => void log.push("drain"),
    onOutOfRange: ({ topic, partition }) => void log.push(`out of range ${topic}/${partition}`),
  });
  return { coordinator, log };
};

describe("CoordinatorProxy", () => {
  it.each([
    ["is gone", connectionError],
    ["is no longer the coordinator", moved],
  ])("sends the request to the new coordinator if the old one %s", async (_, failure) => {
    const { coordinator, log } = createBrokers([failure]);
    await coordinator.rediscover();
    expect(await coordinator.heartbeat({})).toBe("heartbeat");
    expect(await coordinator.heartbeat({})).toBe("heartbeat");
    expect(log).toEqual(["find 0", "heartbeat 0", "find 1", "heartbeat 1", "heartbeat 1"]);
    expect([coordinator.nodeId, coordinator.isConnected()]).toEqual([1, true]);
  });

  it("throws the coordinator's own errors, such as a rebalance", async () => {
    const { coordinator, log } = createBrokers([rebalancing]);
    await coordinator.rediscover();
    await expect(coordinator.heartbeat({})).rejects.toBe(rebalancing);
    expect(log).toEqual(["find 0", "heartbeat 0"]);
  });

  it("leaves it to kafkajs to start another join", async () => {
    const { coordinator, log } = createBrokers([connectionError]);
    await coordinator.rediscover();
    await expect(coordinator.joinGroup({ groupId: "g" })).rejects.toBe(connectionError);
    await coordinator.rediscover();
    await coordinator.joinGroup({ groupId: "g" });
    expect(log).toEqual(["find 0", "join 0", "find 1", "join 1"]);
  });

  it("gives kafkajs an offset for every partition: it would ask for the start of a deleted topic and end", async () => {
    const { coordinator } = createBrokers();
    expect(await coordinator.offsetFetch({})).toEqual({
      responses: [
        {
          topic: "source",
          partitions: [
            { partition: 0, offset: "0" },
            { partition: 1, offset: "7" },
          ],
        },
      ],
    });
  });

  it("looks up the coordinator once for several requests at the same time", async () => {
    const { coordinator, log } = createBrokers();
    await Promise.all([coordinator.heartbeat({}), coordinator.offsetFetch({}), coordinator.syncGroup({})]);
    expect(log.filter((line) => line.startsWith("find"))).toEqual(["find 0"]);
  });

  it("commits before a join through the new coordinator", async () => {
    const { coordinator, log } = createBrokers([undefined, moved]);
    await coordinator.rediscover();
    await coordinator.joinGroup({ groupId: "g" });
    await coordinator.rediscover();
    coordinator.allowCommit();
    await coordinator.offsetCommit({ groupGenerationId: 1 });
    expect(log).toEqual(["find 0", "join 0", "find 1", "commit 1", "find 2", "commit 2"]);
  });

  it("blocks a repeated commit once the group has joined again", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.rediscover();
    await coordinator.joinGroup({ groupId: "g" });
    coordinator.allowCommit();
    await coordinator.joinGroup({ groupId: "g" });
    const late = coordinator.offsetCommit({ groupGenerationId: 2 });
    await expect(late).rejects.toThrow("Cannot commit: the offsets belong to an earlier assignment");
    await expect(late).rejects.toMatchObject({ retriable: false });
    coordinator.allowCommit();
    await coordinator.offsetCommit({ groupGenerationId: 2 });
    expect(log.filter((line) => line.startsWith("commit"))).toEqual(["commit 0"]);
  });

  it.each([
    ["no longer has a topic, so intake computes the next commit without it", "UNKNOWN_TOPIC_OR_PARTITION", false],
    ["is still loading the group", "GROUP_LOAD_IN_PROGRESS", true],
  ])("marks whether kafkajs may repeat a failed commit: the cluster %s", async (_, type, retriable) => {
    const failures: (Error | undefined)[] = [];
    const { coordinator } = createBrokers(failures);
    await coordinator.joinGroup({ groupId: "g" });
    coordinator.allowCommit();
    failures[0] = Object.assign(new Error(type), { type, retriable: true });
    await expect(coordinator.offsetCommit({ groupGenerationId: 1 })).rejects.toMatchObject({ type, retriable });
  });

  it("drains the work before the member leaves, even if kafkajs makes it leave", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.leaveGroup({ groupId: "g", memberId: "m" });
    expect(log).toEqual(["drain", "find 0", "leave 0"]);
  });

  it("does not forward kafkajs's own reset, which would erase the commit, and reports it", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.joinGroup({ groupId: "g" });
    const partitions = [{ partition: 3, offset: "-2" }];
    await coordinator.offsetCommit({ groupGenerationId: 1, topics: [{ topic: "source", partitions }] });
    expect(log).toEqual(["find 0", "join 0", "out of range source/3"]);
  });

  it("leaves with the member id of its join if kafkajs has not left, and only once", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.leaveIfStillMember();
    expect(log).toEqual([]);
    await coordinator.joinGroup({ groupId: "g" });
    await coordinator.leaveIfStillMember();
    await coordinator.leaveIfStillMember();
    expect(log.filter((line) => line.startsWith("leave"))).toEqual(["leave 0"]);
  });

  it.each([
    ["a leave request that is refused", "GROUP_AUTHORIZATION_FAILED", 2],
    ["a group that has forgotten the member", "UNKNOWN_MEMBER_ID", 1],
  ])("sends as many leave requests as necessary after %s", async (_, type, times) => {
    const failures: (Error | undefined)[] = [];
    const { coordinator, log } = createBrokers(failures);
    await coordinator.joinGroup({ groupId: "g" });
    failures[0] = Object.assign(new Error(type), { type });
    for (let tries = 0; tries < 2; tries++) await coordinator.leaveIfStillMember().catch(() => undefined);
    expect(log.filter((line) => line.startsWith("leave"))).toHaveLength(times);
  });

  it.each([
    ["refuses", Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" }), false],
    ["cannot be reached", connectionError, false],
    ["does not know the member", Object.assign(new Error("Unknown"), { type: "UNKNOWN_MEMBER_ID" }), true],
  ] as const)("checks access to the group without joining it: the group %s", async (_, failure, mayJoin) => {
    const { coordinator, log } = createBrokers([failure]);
    const answer = await coordinator.checkGroupAccess("g").catch((error: unknown) => error);
    expect(answer).toBe(mayJoin ? undefined : failure);
    expect(log).toEqual(["find 0", "heartbeat 0"]);
  });
});
