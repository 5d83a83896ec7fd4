import { describe, expect, it } from "vitest";

import { committablePartitions } from "../../src/intake/owned-partition.ts";
import { messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIngest, source, tier } from "./intake-rig.ts";

const ownedPartitionOf = (test: ReturnType<typeof createTestIngest>, { topic }: { topic: string }) => {
  const owned = test.ingest.ownedPartitions.find((candidate) => candidate.topic === topic);
  if (!owned) throw new Error(`There is no ${topic}`);
  return owned;
};

describe("a partition whose log lacks the next offset", () => {
  it("is paused until the cause is known, and a check is requested", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    test.ingest.gaps.onOutOfRange(source);
    test.ingest.gaps.onOutOfRange({ topic: "other", partition: 9 });
    test.ingest.reviewPeriodically();
    expect(test.log.filter((line) => !line.startsWith("spill"))).toEqual(["pause source/0", "suspect"]);
  });

  it("is fetched from its position again if its log is the known one", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    await test.readBatch(source, messagesOf(5, 6)).done;
    test.ingest.gaps.onOutOfRange(source);
    test.log.length = 0;
    test.ingest.gaps.resume(ownedPartitionOf(test, source));
    expect(test.log).toEqual(["seek source/0 7", "resume source/0"]);
  });

  it("continues behind the records that retention removed, and keeps those in memory", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    await test.readBatch(source, messagesOf(5, 6)).done;
    test.ingest.gaps.onOutOfRange(source);
    test.log.length = 0;
    test.ingest.gaps.skipRemoved(ownedPartitionOf(test, source), { beginningOffset: 20, resumeOffset: 20 });
    expect(test.log).toEqual(["seek source/0 20", "resume source/0"]);
    expect([
      test.offsets(),
      test.openPartitionOf(source)?.tracker.committableOffset,
      test.openPartitionOf(source)?.tracker.position,
    ]).toEqual([[5, 6], 5, 20]);
    await test.readBatch(source, messagesOf(20, 21)).done;
    expect(test.offsets()).toEqual([5, 6, 20, 21]);
  });

  it("keeps its position as long as no fetch has failed: the removed records may be in memory already", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    test.ingest.gaps.skipRemoved(ownedPartitionOf(test, source), { beginningOffset: 20, resumeOffset: 20 });
    expect([test.log, test.openPartitionOf(source)?.tracker.position]).toEqual([[], 5]);
  });

  it("releases the users whose records of a retry topic were removed, and no others", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5], [tier, 10]);
    const backlog = test.openPartitionOf(source)?.backlog;
    backlog?.upsert("gone", "a", { tier: 0, offset: 12 });
    backlog?.upsert("there", "b", { tier: 0, offset: 20 });
    backlog?.upsert("in memory", "c", { tier: 0, offset: 9 });
    test.ingest.gaps.skipRemoved(ownedPartitionOf(test, tier), { beginningOffset: 20, resumeOffset: 20 });
    expect(["gone", "there", "in memory"].map((user) => backlog?.lengthOf(user))).toEqual([0, 1, 1]);
  });

  it("continues its scan behind the gap if it is a retry topic, or opens if nothing is left", async () => {
    const value = valueOf("u1");
    for (const [low, expected] of [
      [12, ["seek retry-30s/0 12", "resume retry-30s/0"]],
      [14, ["seek source/0 5", "seek retry-30s/0 10", "resume source/0", "resume retry-30s/0"]],
    ] as const) {
      const test = createTestIngest();
      test.assignAndOpen([source, 5], [tier, 10, { endOffset: 14 }]);
      await test.readBatch(tier, [messageOf(10, { value })]).done;
      test.ingest.gaps.onOutOfRange(tier);
      test.log.length = 0;
      test.ingest.gaps.skipRemoved(ownedPartitionOf(test, tier), { beginningOffset: low, resumeOffset: low });
      expect(test.log).toEqual(expect.arrayContaining([...expected]));
      expect(test.ingest.areAllOpen).toBe(low === 14);
    }
  });

  it("requests a check of the log if offsets come again that were read before, and skips them", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    await test.readBatch(source, messagesOf(5, 6, 7)).done;
    await test.readBatch(source, messagesOf(8, 9)).done;
    expect(test.log).toEqual([]);
    await test.readBatch(source, messagesOf(3, 4, 10)).done;
    expect([test.log, test.offsets()]).toEqual([["suspect"], [5, 6, 7, 8, 9, 10]]);
  });

  it("commits nothing while its log is suspected", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    expect(committablePartitions(test.ingest.ownedPartitions)).toHaveLength(1);
    ownedPartitionOf(test, source).suspectedReset = "made_anew";
    expect(committablePartitions(test.ingest.ownedPartitions)).toHaveLength(0);
  });
});
