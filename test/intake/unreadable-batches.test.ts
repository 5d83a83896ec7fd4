import { describe, expect, it } from "vitest";

import { lagOf, currentUnreadableWait } from "../../src/intake/owned-partition.ts";
import { messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIngest, source, tier } from "./intake-rig.ts";

type Test = ReturnType<typeof createTestIngest>;

const ownedPartitionOf = ({ ingest }: Test, { topic }: { topic: string }) => {
  const owned = ingest.ownedPartitions.find((candidate) => candidate.topic === topic);
  if (!owned) throw new Error(`There is no ${topic}`);
  return owned;
};

const bad = (offset: number, lastOffset: number, topicPartition = source) => ({
  ...topicPartition,
  fetchOffset: offset,
  offset,
  lastOffset,
  reason: "Its checksum is wrong",
});

const newLines = ({ log }: Test): string[] => log.splice(0);

describe("a partition whose next batch cannot be read", () => {
  it("is paused, and reports it once", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    await test.readBatch(source, messagesOf(5, 6)).done;
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    expect(newLines(test)).toEqual(["pause source/0", "waits 7"]);
    expect(currentUnreadableWait(ownedPartitionOf(test, source))).toMatchObject({
      offset: 7,
      lastOffset: 9,
      position: 7,
    });
    expect(test.ingest.areAllOpen).toBe(true);
  });

  it("is tried again after growing pauses of up to a minute", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    const pauses: number[] = [];
    for (let tries = 0; tries < 9; tries++) {
      test.ingest.unreadable.onUnreadable(bad(7, 9));
      let seconds = 0;
      for (; !test.log.includes("resume source/0"); seconds++) test.clock.advance(1_000);
      pauses.push(seconds);
      test.log.length = 0;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("resumes by itself when the batch is readable again, and reports it", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.clock.advance(1_000);
    await test.readBatch(source, messagesOf(7, 8, 9, 10)).done;
    test.ingest.reviewPeriodically();
    expect(test.offsets()).toEqual([7, 8, 9, 10]);
    expect(newLines(test)).toEqual(["pause source/0", "waits 7", "resume source/0", "reads on", "spill "]);
    expect(ownedPartitionOf(test, source).unreadableWait).toBeUndefined();
  });

  it("waits from the shortest pause again at the next unreadable batch", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    for (let tries = 0; tries < 4; tries++) {
      test.ingest.unreadable.onUnreadable(bad(7, 9));
      test.clock.advance(60_000);
    }
    await test.readBatch(source, messagesOf(7, 8, 9)).done;
    test.log.length = 0;
    test.ingest.unreadable.onUnreadable(bad(10, 12));
    test.clock.advance(1_000);
    expect(newLines(test)).toEqual(["pause source/0", "waits 10", "resume source/0"]);
  });

  it("ignores answers from before it was assigned, restored or moved on", async () => {
    const test = createTestIngest();
    test.ingest.assign([source]);
    test.log.length = 0;
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.assignAndOpen([source, 10]);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.ingest.unreadable.onUnreadable(bad(7, 9, { topic: "other", partition: 9 }));
    expect(newLines(test)).toEqual([]);
  });

  it("stays paused for its other reasons", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.gaps.onOutOfRange(source);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.clock.advance(60_000);
    expect(newLines(test)).toEqual(["pause source/0", "suspect", "waits 7"]);
  });

  it("no longer waits when retention has removed the batch", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.ingest.gaps.onOutOfRange(source);
    test.ingest.gaps.skipRemoved(ownedPartitionOf(test, source), { beginningOffset: 20, resumeOffset: 20 });
    newLines(test);
    test.ingest.reviewPeriodically();
    expect(newLines(test)).toEqual(["resume source/0", "reads on", "spill "]);
  });
});

describe("a batch that an operator lets the service skip", () => {
  it("is skipped; open records before it are kept, and later ones are read", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5, { endOffset: 12 }]);
    await test.readBatch(source, messagesOf(5, 6)).done;
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    newLines(test);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 10);
    expect(newLines(test)).toEqual(["resume source/0"]);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    expect(newLines(test)).toEqual(["seek source/0 10", "skipped 7 to 9"]);
    const tracker = test.openPartitionOf(source)?.tracker;
    expect([tracker?.committableOffset, tracker?.position, lagOf(ownedPartitionOf(test, source))]).toEqual([5, 10, 7]);
    await test.readBatch(source, messagesOf(10, 11)).done;
    test.complete(4);
    expect([tracker?.committableOffset, lagOf(ownedPartitionOf(test, source))]).toEqual([12, 0]);
    test.ingest.reviewPeriodically();
    expect(newLines(test)).toEqual(["spill "]);
  });

  it("is skipped at once if the request came before, also several in a row", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 13);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.ingest.unreadable.onUnreadable(bad(10, 12));
    test.ingest.unreadable.onUnreadable(bad(13, 15));
    expect(newLines(test)).toEqual([
      "seek source/0 10",
      "skipped 7 to 9",
      "seek source/0 13",
      "skipped 10 to 12",
      "pause source/0",
      "waits 13",
    ]);
  });

  it("is not skipped if it is readable again", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 20);
    await test.readBatch(source, messagesOf(7, 8, 9)).done;
    expect([newLines(test), test.offsets()]).toEqual([
      ["pause source/0", "waits 7", "resume source/0"],
      [7, 8, 9],
    ]);
  });

  it("is not skipped after a fetch from a later offset: the records before it are unknown", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 20);
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    expect([newLines(test), test.openPartitionOf(source)?.tracker.position]).toEqual([[], 5]);
  });

  it("is not skipped if the batch itself is not at fault: its broker's disk has failed", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 7]);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 20);
    test.ingest.unreadable.onUnreadable({ ...bad(7, 7), isUnskippable: true });
    expect([newLines(test), test.openPartitionOf(source)?.tracker.position]).toEqual([
      ["pause source/0", "waits 7"],
      7,
    ]);
  });

  it("is not skipped in part, and readable records are never skipped", async () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5]);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, source), 9);
    await test.readBatch(source, messagesOf(5, 6)).done;
    test.ingest.unreadable.onUnreadable(bad(7, 9));
    expect([newLines(test), test.offsets()]).toEqual([
      ["pause source/0", "waits 7"],
      [5, 6],
    ]);
  });

  it("releases the users whose records of a retry topic it contains, and no others", () => {
    const test = createTestIngest();
    test.assignAndOpen([source, 5], [tier, 10]);
    const backlog = test.openPartitionOf(source)?.backlog;
    backlog?.upsert("lost", "a", { tier: 0, offset: 11 });
    backlog?.upsert("behind", "b", { tier: 0, offset: 13 });
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    expect(backlog?.lengthOf("lost")).toBe(1);
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, tier), 13);
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    expect(["lost", "behind"].map((user) => backlog?.lengthOf(user))).toEqual([0, 1]);
  });
});

describe("a retry topic that cannot be read while it is scanned", () => {
  const start = () => {
    const test = createTestIngest();
    const other = { topic: "source", partition: 1 };
    test.ingest.assign([source, tier, other]);
    test.ingest.open(
      new Map([test.startAt(source, 5), test.startAt(tier, 10, { endOffset: 16 }), test.startAt(other, 3)]),
    );
    newLines(test);
    return { ...test, other };
  };

  it("keeps only its own partition number closed, since the parked users are unknown; the service counts as restored", async () => {
    const test = start();
    expect(test.ingest.areAllOpen).toBe(false);
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    expect(newLines(test)).toEqual(["pause retry-30s/0", "waits 10"]);
    expect([
      test.openPartitionOf(source),
      test.openPartitionOf(test.other)?.tracker.position,
      test.ingest.areAllOpen,
    ]).toEqual([undefined, 3, true]);
    test.clock.advance(1_000);
    expect(newLines(test)).toEqual(["resume retry-30s/0"]);
  });

  it("continues its scan behind a batch that an operator lets it skip, and skips the batch again when it is read", async () => {
    const test = start();
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    test.ingest.unreadable.allowSkip(ownedPartitionOf(test, tier), 13);
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    expect(newLines(test).slice(2)).toEqual(["resume retry-30s/0", "seek retry-30s/0 13"]);
    await test.readBatch(
      tier,
      [13, 14, 15].map((offset) => messageOf(offset, { value: valueOf("parked") })),
    ).done;
    expect([test.ingest.areAllOpen, test.openPartitionOf(source)?.backlog.lengthOf("parked")]).toEqual([true, 3]);
    newLines(test);
    test.ingest.unreadable.onUnreadable(bad(10, 12, tier));
    expect(newLines(test)).toEqual(["seek retry-30s/0 13", "skipped 10 to 12"]);
    expect(test.openPartitionOf(tier)?.tracker.position).toBe(13);
  });
});
