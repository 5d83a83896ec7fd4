import * as fc from "fast-check";
import { AssignerProtocol, type Cluster, type Logger } from "kafkajs";
import { describe, expect, it } from "vitest";

import { createAssigner, assignNumbers } from "../../../src/kafka/group/assigner.ts";

const { MemberAssignment, MemberMetadata } = AssignerProtocol;

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

const byNumber = (a: number, b: number): number => a - b;

/** Members that own disjoint numbers, some of which may no longer exist. */
const groups = fc
  .record({
    partitions: fc.integer({ min: 0, max: 40 }),
    members: fc.integer({ min: 1, max: 9 }),
    owners: fc.array(fc.nat(12), { minLength: 45, maxLength: 45 }),
  })
  .map(({ partitions, members, owners }) => ({
    all: numbersTo(partitions),
    members: numbersTo(members).map((member) => ({
      id: `member-${member}`,
      owned: owners.flatMap((owner, number) => (owner === member ? [number] : [])),
    })),
  }));

describe("assignNumbers()", () => {
  it("assigns every number to exactly one member, as evenly as possible", () => {
    fc.assert(
      fc.property(groups, ({ members, all }) => {
        const shares = [...assignNumbers(members, all).values()];
        expect(shares.flat().toSorted(byNumber)).toEqual(all);
        const sizes = shares.map((share) => share.length);
        expect(shares).toHaveLength(members.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("moves as few numbers as an even share allows", () => {
    fc.assert(
      fc.property(groups, ({ members, all }) => {
        const shares = assignNumbers(members, all);
        const kept = members.flatMap(({ id, owned }) => owned.filter((number) => shares.get(id)?.includes(number)));
        const sizes = members.map(({ owned }) => owned.filter((number) => number < all.length).length);
        const share = Math.floor(all.length / members.length);
        const large = sizes.filter((size) => size > share).length;
        const most = sizes.reduce((sum, size) => sum + Math.min(size, share), 0);
        expect(kept).toHaveLength(most + Math.min(large, all.length % members.length));
      }),
    );
  });

  it("moves nothing if nothing has changed, whatever the order of the members", () => {
    fc.assert(
      fc.property(groups, ({ members, all }) => {
        const shares = assignNumbers(members, all);
        const settled = members.map(({ id }) => ({ id, owned: shares.get(id) ?? [] }));
        for (const again of [assignNumbers(settled, all), assignNumbers(settled.toReversed(), all)])
          for (const { id, owned } of settled) expect(new Set(again.get(id))).toEqual(new Set(owned));
      }),
    );
  });

  it("assigns a number that two members claim to one of them", () => {
    const members = ["a", "b"].map((id) => ({ id, owned: [0, 1] }));
    expect([...assignNumbers(members, [0, 1]).values()].flat().toSorted(byNumber)).toEqual([0, 1]);
  });
});

const logger = {} as Logger;

const createCluster = (partitions: Record<string, number>) => {
  const lookups: string[] = [];
  const cluster = {
    brokerPool: { brokers: {}, seedBroker: undefined, createBroker: () => ({}) },
    findTopicPartitionMetadata: (topic: string) =>
      numbersTo(partitions[topic] ?? 0).map((partitionId) => ({ partitionId })),
    findGroupCoordinator: async ({ groupId }: { groupId: string }) => {
      lookups.push(groupId);
      return { nodeId: 7 };
    },
  };
  return { cluster: cluster as unknown as Cluster, lookups };
};

const assignerOf = (cluster: Cluster, owned: number[] = [], beforeJoin = () => Promise.resolve()) =>
  createAssigner({
    retryTopics: ["retry-30s", "retry-5m"],
    ownedNumbers: () => owned,
    beforeJoin,
    onCoordinator: () => {},
    onOutOfRange: () => {},
    onUnreadable: () => {},
    monotonicNow: () => 0,
  })({ cluster, groupId: "g", logger });

describe("assigner", () => {
  const topics = ["source", "retry-30s", "retry-5m"];
  const partitions = { source: 6, "retry-30s": 6, "retry-5m": 6 };

  /** A whole rebalance in the wire's encoding: every member reports what it owns and gets its assignment. */
  const assign = async (owned: number[][], shape: Record<string, number> = partitions) => {
    const { cluster } = createCluster(shape);
    const members = owned.map((numbers, member) => ({
      memberId: `m${member}`,
      memberMetadata: assignerOf(cluster, numbers).protocol({ topics }).metadata,
    }));
    const assignments = await assignerOf(cluster).assign({ members, topics });
    return assignments.map(({ memberAssignment }) => MemberAssignment.decode(memberAssignment)?.assignment ?? {});
  };

  it("assigns partition n of every topic to the same member", async () => {
    const assignments = await assign([[], [], [], []]);
    expect(assignments).toHaveLength(4);
    for (const assignment of assignments) {
      expect(Object.keys(assignment)).toEqual(topics);
      expect(assignment["retry-30s"]).toEqual(assignment["source"]);
      expect(assignment["retry-5m"]).toEqual(assignment["source"]);
    }
    expect(assignments.flatMap(({ source }) => source ?? []).toSorted(byNumber)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("lets members keep the partitions that they reported", async () => {
    const [first, second, third] = await assign([[0, 1, 2], [3, 4, 5], []]);
    expect(first?.["source"]).toEqual([0, 1]);
    expect(second?.["source"]).toEqual([3, 4]);
    expect(third?.["source"]).toEqual([2, 5]);
  });

  it.each([
    [
      { source: 4, "retry-30s": 2, "retry-5m": 3 },
      { source: [0, 1], "retry-30s": [0, 1], "retry-5m": [0, 1] },
    ],
    [
      { source: 1, "retry-30s": 2, "retry-5m": 2 },
      { source: [0], "retry-30s": [0, 1], "retry-5m": [0, 1] },
    ],
    [
      { source: 4, "retry-30s": 2, "retry-5m": 0 },
      { source: [], "retry-30s": [], "retry-5m": [] },
    ],
  ])(
    "of %j it assigns only numbers that every retry topic has, and of each topic the partitions that exist",
    async (shape, expected) => {
      const assignments = await assign([[], []], shape);
      const all = (topic: string) => assignments.flatMap((assignment) => assignment[topic] ?? []).toSorted(byNumber);
      expect(Object.fromEntries(topics.map((topic) => [topic, all(topic)]))).toEqual(expected);
      for (const assignment of assignments)
        expect(assignment["retry-30s"]).toEqual(expect.arrayContaining(assignment["source"] ?? []));
    },
  );

  it("reports its name, the topics and the owned partitions", () => {
    const owned = [2, 4];
    const assigner = assignerOf(createCluster(partitions).cluster, owned);
    owned.push(5);
    const { name, metadata } = assigner.protocol({ topics });
    expect(name).toBe(assigner.name);
    const decoded = MemberMetadata.decode(metadata);
    expect(decoded?.topics).toEqual(topics);
    expect(decoded?.userData.toString()).toBe('{"v":1,"p":[2,4,5]}');
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["nonsense", Buffer.from("{")],
    ["null", Buffer.from("null")],
    ["another form", Buffer.from('{"p":{"0":1}}')],
    ["other types", Buffer.from('{"p":["0",null,1.5]}')],
  ])("treats a member that reports %s as new", async (_, userData) => {
    const { cluster } = createCluster(partitions);
    const memberMetadata = MemberMetadata.encode({ version: 1, topics, userData });
    const [assignment] = await assignerOf(cluster).assign({ members: [{ memberId: "m0", memberMetadata }], topics });
    const decoded = assignment && MemberAssignment.decode(assignment.memberAssignment);
    expect(decoded?.assignment["source"]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("holds every join until the work is drained, and then asks the real coordinator", async () => {
    const { cluster, lookups } = createCluster(partitions);
    const drained = Promise.withResolvers<void>();
    assignerOf(cluster, [], () => drained.promise);
    const joining = cluster.findGroupCoordinator({ groupId: "g" });
    await Promise.resolve();
    expect(lookups).toEqual([]);
    drained.resolve();
    expect(await joining).toMatchObject({ nodeId: 7 });
    expect(lookups).toEqual(["g"]);
  });

  it("holds joins once if kafkajs starts again with the same cluster", async () => {
    const { cluster, lookups } = createCluster(partitions);
    let joins = 0;
    for (let starts = 0; starts < 3; starts++)
      assignerOf(cluster, [], async () => {
        joins++;
      });
    await cluster.findGroupCoordinator({ groupId: "g" });
    // Before the lookup of the coordinator and after it: another fetcher may have joined meanwhile.
    expect([joins, lookups]).toEqual([2, ["g"]]);
  });
});
