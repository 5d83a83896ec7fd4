import { describe, expect, it } from "vitest";

import { type LogCheckOptions, checkLogs } from "../../src/intake/log-check.ts";
import type { LogReset } from "../../src/intake/log-resets.ts";
import { type OwnedPartition, createOwnedPartition } from "../../src/intake/owned-partition.ts";
import { partitionKey } from "../../src/kafka/topic-partition.ts";
import type { LogRange } from "../../src/kafka/topics/log-ranges.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";

const openPartition = (partition: number, position: number, tier?: number): OwnedPartition => {
  const topicPartition = { topic: tier === undefined ? "source" : "tier", partition };
  const backlog = new RetryBacklog([]);
  const tracker = new OffsetTracker({ startOffset: position });
  return { ...createOwnedPartition(topicPartition, tier), topicId: "id", backlog, tracker };
};

const createTestLogs = (
  ownedPartitions: readonly OwnedPartition[],
  {
    startFrom = "earliest",
    whileAsked = () => {},
  }: { startFrom?: LogCheckOptions["topics"]["startFrom"]; whileAsked?: () => void } = {},
) => {
  const resets: LogReset[] = [];
  const fatal: string[] = [];
  const asked: (readonly string[])[] = [];
  const log: string[] = [];
  const world = { id: "id" as string | undefined, ownedPartitions };
  const ask = (...ranges: Omit<LogRange, "topic">[]): Promise<boolean> =>
    checkLogs({
      admin: {
        topicStates: async (topics) =>
          topics.map((topic) => ({
            topic,
            error: undefined,
            id: world.id,
            operations: undefined,
            partitions: 1,
            replicationFactor: 1,
          })),
        logRanges: async (topics) => {
          asked.push(topics);
          const answer = ranges.flatMap((range) => topics.map((topic) => ({ topic, ...range })));
          whileAsked();
          return answer;
        },
      },
      ingest: {
        get ownedPartitions() {
          return world.ownedPartitions;
        },
        recordEndOffset: (owned, endOffset) => void (owned.endOffset = Math.max(owned.endOffset, endOffset)),
        gaps: {
          resume: (owned) => void log.push(`resume ${partitionKey(owned)}`),
          skipRemoved: (owned, { beginningOffset, resumeOffset }) =>
            void log.push(`skip removed ${partitionKey(owned)} ${beginningOffset} ${resumeOffset}`),
        },
      },
      topics: { source: ["source"], retry: [{ topic: "tier" }], startFrom },
      onLogReset: (reset) => void resets.push(reset),
      onLogReplaced: (replaced) =>
        void log.push(
          `replaced ${replaced.map((owned) => `${partitionKey(owned)} ${owned.suspectedReset}`).join(", ")}`,
        ),
      onFatal: ({ message }) => void fatal.push(message),
    });
  return { ask, asked, resets, fatal, log, world };
};

describe("checkLogs", () => {
  it("asks for sources and retry topics, and moves end offsets forward only", async () => {
    const owned = openPartition(0, 5);
    const { ask, asked, resets, log } = createTestLogs([owned]);
    await ask({ partition: 0, beginningOffset: 0, endOffset: 9 }, { partition: 7, beginningOffset: 3, endOffset: 4 });
    expect(await ask({ partition: 0, beginningOffset: 0, endOffset: 8 })).toBe(false);
    expect([owned.endOffset, asked[0], resets, log]).toEqual([9, ["source", "tier"], [], []]);
  });

  it("reports each range that retention removed before it was read once", async () => {
    const { ask, resets, fatal, log } = createTestLogs([openPartition(0, 5), openPartition(1, 5)]);
    const other = { partition: 1, beginningOffset: 5, endOffset: 20 };
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 }, other);
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 }, other);
    await ask({ partition: 0, beginningOffset: 12, endOffset: 20 }, other);
    expect(resets).toEqual([
      { topic: "source", partition: 0, cause: "removed", oldOffset: 5, newOffset: 8 },
      { topic: "source", partition: 0, cause: "removed", oldOffset: 8, newOffset: 12 },
    ]);
    expect([fatal, log[0]]).toEqual([[], "skip removed source/0 8 8"]);
  });

  it.each([
    ["earliest", undefined, "skip removed source/0 8 8"],
    ["latest", undefined, "skip removed source/0 8 20"],
    ["latest", 0, "skip removed tier/0 8 8"],
  ] as const)("continues behind a gap as START_FROM %s says (tier: %s)", async (startFrom, tier, expected) => {
    const { ask, log, resets } = createTestLogs([{ ...openPartition(0, 5, tier), isOutOfRange: true }], { startFrom });
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 });
    expect(log).toEqual([expected]);
    expect(resets).toMatchObject([{ oldOffset: 5, newOffset: Number(expected.split(" ").at(-1)) }]);
  });

  it("reports the jump to the end after a failed fetch, even if it reported the removal before", async () => {
    const owned = openPartition(0, 5);
    const { ask, resets } = createTestLogs([owned], { startFrom: "latest" });
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 });
    owned.isOutOfRange = true;
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 });
    expect(resets).toMatchObject([
      { oldOffset: 5, newOffset: 8 },
      { oldOffset: 8, newOffset: 20 },
    ]);
  });

  it("does not check a partition that is not open yet", async () => {
    const { ask, resets, log } = createTestLogs([createOwnedPartition({ topic: "source", partition: 0 }, undefined)]);
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 });
    expect([resets, log]).toEqual([[], []]);
  });

  it("ends the process if START_FROM is fail, and names all the partitions", async () => {
    const { ask, resets, fatal } = createTestLogs([openPartition(0, 5), openPartition(1, 6)], { startFrom: "fail" });
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 }, { partition: 1, beginningOffset: 8, endOffset: 20 });
    await ask({ partition: 0, beginningOffset: 8, endOffset: 20 }, { partition: 1, beginningOffset: 8, endOffset: 20 });
    expect(resets).toHaveLength(2);
    expect(fatal).toEqual([
      expect.stringMatching(/^Kafka's retention removed .*source\/0 \(5 to 7\), source\/1 \(6 to 7\).* START_FROM/),
    ]);
  });

  it("considers a topic recreated after another id comes twice, and commits nothing of it meanwhile", async () => {
    const owned = openPartition(0, 5);
    const { ask, log, world } = createTestLogs([owned]);
    world.id = "other";
    expect(await ask({ partition: 0, beginningOffset: 0, endOffset: 9 })).toBe(true);
    expect([owned.suspectedReset, owned.endOffset, log]).toEqual(["made_anew", 0, []]);
    expect(await ask({ partition: 0, beginningOffset: 0, endOffset: 9 })).toBe(false);
    expect(log).toEqual(["replaced source/0 made_anew"]);
  });

  it("drops a suspicion that is not confirmed, and ignores an answer without an id", async () => {
    const owned = openPartition(0, 5);
    const { ask, log, world } = createTestLogs([owned]);
    for (const id of ["other", undefined, "other", "id"]) {
      world.id = id;
      await ask({ partition: 0, beginningOffset: 0, endOffset: 9 });
    }
    expect([owned.suspectedReset, log]).toEqual([undefined, []]);
  });

  it("considers a log truncated if two answers end before the position, also after a failed fetch", async () => {
    const { ask, log } = createTestLogs([openPartition(0, 15), { ...openPartition(1, 15), isOutOfRange: true }]);
    const ranges = [0, 1].map((partition) => ({ partition, beginningOffset: 0, endOffset: 9 }));
    expect(await ask(...ranges)).toBe(true);
    expect(log).toEqual([]);
    expect(await ask(...ranges)).toBe(false);
    expect(log).toEqual(["replaced source/0 truncated, source/1 truncated"]);
  });

  it("fetches again after a failed fetch if only one answer says that the log is truncated", async () => {
    const { ask, log } = createTestLogs([{ ...openPartition(0, 15), isOutOfRange: true }]);
    await ask({ partition: 0, beginningOffset: 0, endOffset: 9 });
    await ask({ partition: 0, beginningOffset: 0, endOffset: 20 });
    expect(log).toEqual(["resume source/0"]);
  });

  it("is not misled by what is read while the cluster answers", async () => {
    const owned = openPartition(0, 9);
    let position = 9;
    const readOn = (): void => owned.tracker?.skipTo((position += 10));
    const { ask, log } = createTestLogs([owned], { whileAsked: readOn });
    for (const endOffset of [9, 19, 29]) expect(await ask({ partition: 0, beginningOffset: 0, endOffset })).toBe(false);
    expect(log).toEqual([]);
  });

  it("notices a retry topic that is truncated during its scan, which would never end", async () => {
    const backlogScan = { endOffset: 20, records: [], position: 3 };
    const owned: OwnedPartition = { ...createOwnedPartition({ topic: "tier", partition: 0 }, 0), backlogScan };
    const { ask, log } = createTestLogs([owned]);
    await ask({ partition: 0, beginningOffset: 0, endOffset: 19 });
    await ask({ partition: 0, beginningOffset: 0, endOffset: 19 });
    expect(log).toEqual(["replaced tier/0 truncated"]);
  });

  it("fetches again from a partition that is no longer out of range", async () => {
    const { ask, log } = createTestLogs([{ ...openPartition(0, 5), isOutOfRange: true }]);
    await ask({ partition: 0, beginningOffset: 0, endOffset: 9 });
    expect(log).toEqual(["resume source/0"]);
  });

  it("reports nothing about an assignment that ended while the cluster answered", async () => {
    const owned = openPartition(0, 15);
    const test = createTestLogs([owned], { whileAsked: () => void (test.world.ownedPartitions = []) });
    await test.ask({ partition: 0, beginningOffset: 0, endOffset: 9 });
    expect([owned.suspectedReset, test.log]).toEqual([undefined, []]);
  });
});
