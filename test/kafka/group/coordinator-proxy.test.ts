import { describe, expect, it } from "vitest";

import { Coordinator } from "../../../src/kafka/group/coordinator-proxy.ts";
import type { GroupBroker } from "../../../src/kafka/group/group-broker.ts";

const connectionError = Object.assign(new Error("connect ECONNREFUSED"), { name: "KafkaJSConnectionError" });
const moved = Object.assign(new Error("Not the coordinator"), { type: "NOT_COORDINATOR_FOR_GROUP" });
const rebalancing = Object.assign(new Error("Rebalancing"), { type: "REBALANCE_IN_PROGRESS" });

/** Brokers that keep the group one after the other; each answers, or fails as it is told to. */
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
  const coordinator = new Coordinator({
    find: async () => {
      log.push(`find ${found}`);
      return brokerOf(found++);
    },
    beforeLeave: async () => void log.push("drain"),
    onOutOfRange: ({ topic, partition }) => void log.push(`out of range ${topic}/${partition}`),
  });
  return { coordinator, log };
};

describe("Coordinator", () => {
  it.each([
    ["is gone", connectionError],
    ["does not keep the group any more", moved],
  ])("looks for the new one where the old one %s, and asks it the same", async (_, failure) => {
    const { coordinator, log } = createBrokers([failure]);
    await coordinator.locate();
    expect(await coordinator.heartbeat({})).toBe("heartbeat");
    expect(await coordinator.heartbeat({})).toBe("heartbeat");
    expect(log).toEqual(["find 0", "heartbeat 0", "find 1", "heartbeat 1", "heartbeat 1"]);
    expect([coordinator.nodeId, coordinator.isConnected()]).toEqual([1, true]);
  });

  it("hands on what the coordinator itself says, such as a rebalance", async () => {
    const { coordinator, log } = createBrokers([rebalancing]);
    await coordinator.locate();
    await expect(coordinator.heartbeat({})).rejects.toBe(rebalancing);
    expect(log).toEqual(["find 0", "heartbeat 0"]);
  });

  it("leaves it to kafkajs to begin a join anew", async () => {
    const { coordinator, log } = createBrokers([connectionError]);
    await coordinator.locate();
    await expect(coordinator.joinGroup({ groupId: "g" })).rejects.toBe(connectionError);
    await coordinator.locate();
    await coordinator.joinGroup({ groupId: "g" });
    expect(log).toEqual(["find 0", "join 0", "find 1", "join 1"]);
  });

  it("gives kafkajs an offset for every partition: it asks for the start of a topic that is gone, and ends", async () => {
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

  it("looks once for all who ask at the same time", async () => {
    const { coordinator, log } = createBrokers();
    await Promise.all([coordinator.heartbeat({}), coordinator.offsetFetch({}), coordinator.syncGroup({})]);
    expect(log.filter((line) => line.startsWith("find"))).toEqual(["find 0"]);
  });

  it("commits before a join through the new coordinator", async () => {
    const { coordinator, log } = createBrokers([undefined, moved]);
    await coordinator.locate();
    await coordinator.joinGroup({ groupId: "g" });
    await coordinator.locate();
    coordinator.allowCommit();
    await coordinator.offsetCommit({ groupGenerationId: 1 });
    expect(log).toEqual(["find 0", "join 0", "find 1", "commit 1", "find 2", "commit 2"]);
  });

  it("lets no repetition of a commit pass once the group has joined anew", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.locate();
    await coordinator.joinGroup({ groupId: "g" });
    coordinator.allowCommit();
    await coordinator.joinGroup({ groupId: "g" });
    const late = coordinator.offsetCommit({ groupGenerationId: 2 });
    await expect(late).rejects.toThrow("A commit of a former assignment comes too late");
    await expect(late).rejects.toMatchObject({ retriable: false });
    coordinator.allowCommit();
    await coordinator.offsetCommit({ groupGenerationId: 2 });
    expect(log.filter((line) => line.startsWith("commit"))).toEqual(["commit 0"]);
  });

  it.each([
    ["does not know a topic any more, so that the next commit is computed anew", "UNKNOWN_TOPIC_OR_PARTITION", false],
    ["is still loading the group", "GROUP_LOAD_IN_PROGRESS", true],
  ])("says of a commit that failed whether kafkajs may repeat it: the cluster %s", async (_, type, retriable) => {
    const failures: (Error | undefined)[] = [];
    const { coordinator } = createBrokers(failures);
    await coordinator.joinGroup({ groupId: "g" });
    coordinator.allowCommit();
    failures[0] = Object.assign(new Error(type), { type, retriable: true });
    await expect(coordinator.offsetCommit({ groupGenerationId: 1 })).rejects.toMatchObject({ type, retriable });
  });

  it("lets the work end before the member leaves, whoever wants it to leave", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.leaveGroup({ groupId: "g", memberId: "m" });
    expect(log).toEqual(["drain", "find 0", "leave 0"]);
  });

  it("passes no reset of kafkajs's own on, which would erase the commit, and tells what it means", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.joinGroup({ groupId: "g" });
    const partitions = [{ partition: 3, offset: "-2" }];
    await coordinator.offsetCommit({ groupGenerationId: 1, topics: [{ topic: "source", partitions }] });
    expect(log).toEqual(["find 0", "join 0", "out of range source/3"]);
  });

  it("leaves as whom it joined if kafkajs has not, and only once", async () => {
    const { coordinator, log } = createBrokers();
    await coordinator.leaveBehind();
    expect(log).toEqual([]);
    await coordinator.joinGroup({ groupId: "g" });
    await coordinator.leaveBehind();
    await coordinator.leaveBehind();
    expect(log.filter((line) => line.startsWith("leave"))).toEqual(["leave 0"]);
  });

  it.each([
    ["a refused farewell", "GROUP_AUTHORIZATION_FAILED", 2],
    ["a group that has forgotten the member", "UNKNOWN_MEMBER_ID", 1],
  ])("after %s says farewell as often as it has to", async (_, type, times) => {
    const failures: (Error | undefined)[] = [];
    const { coordinator, log } = createBrokers(failures);
    await coordinator.joinGroup({ groupId: "g" });
    failures[0] = Object.assign(new Error(type), { type });
    for (let tries = 0; tries < 2; tries++) await coordinator.leaveBehind().catch(() => undefined);
    expect(log.filter((line) => line.startsWith("leave"))).toHaveLength(times);
  });

  it.each([
    ["refuses", Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" }), false],
    ["cannot be reached", connectionError, false],
    ["does not know the stranger", Object.assign(new Error("Unknown"), { type: "UNKNOWN_MEMBER_ID" }), true],
  ] as const)("asks whether it may take part without a join: the group %s", async (_, failure, mayJoin) => {
    const { coordinator, log } = createBrokers([failure]);
    const answer = await coordinator.ask("g").catch((error: unknown) => error);
    expect(answer).toBe(mayJoin ? undefined : failure);
    expect(log).toEqual(["find 0", "heartbeat 0"]);
  });
});
