import { describe, expect, it } from "vitest";

import { lagOf, unreadableOf } from "../../src/intake/owned-partition.ts";
import { messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIntake, source, tier } from "./intake-rig.ts";

type Test = ReturnType<typeof createTestIntake>;

const feedOf = ({ intake }: Test, { topic }: { topic: string }) => {
  const feed = intake.feeds.find((one) => one.topic === topic);
  if (!feed) throw new Error(`There is no ${topic}`);
  return feed;
};

const bad = (offset: number, lastOffset: number, place = source) => ({
  ...place,
  from: offset,
  offset,
  lastOffset,
  reason: "Its checksum is wrong",
});

const newLines = ({ log }: Test): string[] => log.splice(0);

describe("a partition whose next batch cannot be read", () => {
  it("is not fetched from, and tells of it once", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    await test.take(source, messagesOf(5, 6)).done;
    test.intake.unreadable.met(bad(7, 9));
    expect(newLines(test)).toEqual(["pause source/0", "waits 7"]);
    expect(unreadableOf(feedOf(test, source))).toMatchObject({ offset: 7, lastOffset: 9, position: 7 });
    expect(test.intake.isOpen).toBe(true);
  });

  it("is tried again at growing pauses of up to a minute, as long as nothing changes", () => {
    const test = createTestIntake();
    test.own([source, 7]);
    const pauses: number[] = [];
    for (let tries = 0; tries < 9; tries++) {
      test.intake.unreadable.met(bad(7, 9));
      let seconds = 0;
      for (; !test.log.includes("resume source/0"); seconds++) test.clock.advance(1_000);
      pauses.push(seconds);
      test.log.length = 0;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it("reads on by itself when the batch is good again, and says so", async () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.unreadable.met(bad(7, 9));
    test.clock.advance(1_000);
    await test.take(source, messagesOf(7, 8, 9, 10)).done;
    test.intake.relieve();
    expect(test.offsets()).toEqual([7, 8, 9, 10]);
    expect(newLines(test)).toEqual(["pause source/0", "waits 7", "resume source/0", "reads on", "relieve "]);
    expect(feedOf(test, source).unreadable).toBeUndefined();
  });

  it("waits anew, from the shortest pause on, when it meets the next one", async () => {
    const test = createTestIntake();
    test.own([source, 7]);
    for (let tries = 0; tries < 4; tries++) {
      test.intake.unreadable.met(bad(7, 9));
      test.clock.advance(60_000);
    }
    await test.take(source, messagesOf(7, 8, 9)).done;
    test.log.length = 0;
    test.intake.unreadable.met(bad(10, 12));
    test.clock.advance(1_000);
    expect(newLines(test)).toEqual(["pause source/0", "waits 10", "resume source/0"]);
  });

  it("ignores what was asked for before it was assigned, before it is restored, or before it moved on", async () => {
    const test = createTestIntake();
    test.intake.assign([source]);
    test.log.length = 0;
    test.intake.unreadable.met(bad(7, 9));
    test.own([source, 10]);
    test.intake.unreadable.met(bad(7, 9));
    test.intake.unreadable.met(bad(7, 9, { topic: "other", partition: 9 }));
    expect(newLines(test)).toEqual([]);
  });

  it("stays paused for every other reason that there is", () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.gaps.outOfRange(source);
    test.intake.unreadable.met(bad(7, 9));
    test.clock.advance(60_000);
    expect(newLines(test)).toEqual(["pause source/0", "doubt", "waits 7"]);
  });

  it("no longer waits when retention has removed the batch", () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.unreadable.met(bad(7, 9));
    test.intake.gaps.outOfRange(source);
    test.intake.gaps.passOver(feedOf(test, source), { low: 20, goOnAt: 20 });
    newLines(test);
    test.intake.relieve();
    expect(newLines(test)).toEqual(["resume source/0", "reads on", "relieve "]);
  });
});

describe("a batch that an operator lets the service skip", () => {
  it("is passed, with what is open before it kept, and the rest is read", async () => {
    const test = createTestIntake();
    test.own([source, 5, { high: 12 }]);
    await test.take(source, messagesOf(5, 6)).done;
    test.intake.unreadable.met(bad(7, 9));
    newLines(test);
    test.intake.unreadable.allow(feedOf(test, source), 10);
    expect(newLines(test)).toEqual(["resume source/0"]);
    test.intake.unreadable.met(bad(7, 9));
    expect(newLines(test)).toEqual(["seek source/0 10", "skipped 7 to 9"]);
    const tracker = test.inletOf(source)?.tracker;
    expect([tracker?.mark, tracker?.position, lagOf(feedOf(test, source))]).toEqual([5, 10, 7]);
    await test.take(source, messagesOf(10, 11)).done;
    test.finish(4);
    expect([tracker?.mark, lagOf(feedOf(test, source))]).toEqual([12, 0]);
    test.intake.relieve();
    expect(newLines(test)).toEqual(["relieve "]);
  });

  it("is passed at once where the word was there before, also if several follow each other", () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.unreadable.allow(feedOf(test, source), 13);
    test.intake.unreadable.met(bad(7, 9));
    test.intake.unreadable.met(bad(10, 12));
    test.intake.unreadable.met(bad(13, 15));
    expect(newLines(test)).toEqual([
      "seek source/0 10",
      "skipped 7 to 9",
      "seek source/0 13",
      "skipped 10 to 12",
      "pause source/0",
      "waits 13",
    ]);
  });

  it("is not passed if it can be read by now", async () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.unreadable.met(bad(7, 9));
    test.intake.unreadable.allow(feedOf(test, source), 20);
    await test.take(source, messagesOf(7, 8, 9)).done;
    expect([newLines(test), test.offsets()]).toEqual([
      ["pause source/0", "waits 7", "resume source/0"],
      [7, 8, 9],
    ]);
  });

  it("is not passed on the word of a fetch from further on: what lies before it is not known", () => {
    const test = createTestIntake();
    test.own([source, 5]);
    test.intake.unreadable.allow(feedOf(test, source), 20);
    test.intake.unreadable.met(bad(7, 9));
    expect([newLines(test), test.inletOf(source)?.tracker.position]).toEqual([[], 5]);
  });

  it("is not passed if nothing is known against it: its broker's disk has failed", () => {
    const test = createTestIntake();
    test.own([source, 7]);
    test.intake.unreadable.allow(feedOf(test, source), 20);
    test.intake.unreadable.met({ ...bad(7, 7), mustWait: true });
    expect([newLines(test), test.inletOf(source)?.tracker.position]).toEqual([["pause source/0", "waits 7"], 7]);
  });

  it("is not passed by half, and nothing that can be read ever is", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    test.intake.unreadable.allow(feedOf(test, source), 9);
    await test.take(source, messagesOf(5, 6)).done;
    test.intake.unreadable.met(bad(7, 9));
    expect([newLines(test), test.offsets()]).toEqual([
      ["pause source/0", "waits 7"],
      [5, 6],
    ]);
  });

  it("releases the users of whom it holds records in a retry topic, and nobody else", () => {
    const test = createTestIntake();
    test.own([source, 5], [tier, 10]);
    const chains = test.inletOf(source)?.chains;
    chains?.moved("lost", "a", { tier: 0, offset: 11 });
    chains?.moved("behind", "b", { tier: 0, offset: 13 });
    test.intake.unreadable.met(bad(10, 12, tier));
    expect(chains?.lengthOf("lost")).toBe(1);
    test.intake.unreadable.allow(feedOf(test, tier), 13);
    test.intake.unreadable.met(bad(10, 12, tier));
    expect(["lost", "behind"].map((user) => chains?.lengthOf(user))).toEqual([0, 1]);
  });
});

describe("a retry topic that cannot be read while it is scanned", () => {
  const start = () => {
    const test = createTestIntake();
    const other = { topic: "source", partition: 1 };
    test.intake.assign([source, tier, other]);
    test.intake.restore(
      new Map([test.startAt(source, 5), test.startAt(tier, 10, { high: 16 }), test.startAt(other, 3)]),
    );
    newLines(test);
    return { ...test, other };
  };

  it("keeps its partition number closed, since nobody knows who is parked, and no other; the service counts as restored", async () => {
    const test = start();
    expect(test.intake.isOpen).toBe(false);
    test.intake.unreadable.met(bad(10, 12, tier));
    expect(newLines(test)).toEqual(["pause retry-30s/0", "waits 10"]);
    expect([test.inletOf(source), test.inletOf(test.other)?.tracker.position, test.intake.isOpen]).toEqual([
      undefined,
      3,
      true,
    ]);
    test.clock.advance(1_000);
    expect(newLines(test)).toEqual(["resume retry-30s/0"]);
  });

  it("is scanned on behind the batch that an operator lets it skip, and skips it once more when it is read", async () => {
    const test = start();
    test.intake.unreadable.met(bad(10, 12, tier));
    test.intake.unreadable.allow(feedOf(test, tier), 13);
    test.intake.unreadable.met(bad(10, 12, tier));
    expect(newLines(test).slice(2)).toEqual(["resume retry-30s/0", "seek retry-30s/0 13"]);
    await test.take(
      tier,
      [13, 14, 15].map((offset) => messageOf(offset, { value: valueOf("parked") })),
    ).done;
    expect([test.intake.isOpen, test.inletOf(source)?.chains.lengthOf("parked")]).toEqual([true, 3]);
    newLines(test);
    test.intake.unreadable.met(bad(10, 12, tier));
    expect(newLines(test)).toEqual(["seek retry-30s/0 13", "skipped 10 to 12"]);
    expect(test.inletOf(tier)?.tracker.position).toBe(13);
  });
});
