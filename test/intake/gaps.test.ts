import { describe, expect, it } from "vitest";

import { committableOf } from "../../src/intake/owned-partition.ts";
import { messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIntake, source, tier } from "./intake-rig.ts";

const feedOf = (test: ReturnType<typeof createTestIntake>, { topic }: { topic: string }) => {
  const feed = test.intake.feeds.find((one) => one.topic === topic);
  if (!feed) throw new Error(`There is no ${topic}`);
  return feed;
};

describe("a partition whose log does not have what is to be read next", () => {
  it("is not fetched from until it is known why, and somebody asks", () => {
    const test = createTestIntake();
    test.own([source, 5]);
    test.intake.gaps.outOfRange(source);
    test.intake.gaps.outOfRange({ topic: "other", partition: 9 });
    test.intake.relieve();
    expect(test.log.filter((line) => !line.startsWith("relieve"))).toEqual(["pause source/0", "doubt"]);
  });

  it("is fetched from its position again where its log is the one that we know", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    await test.take(source, messagesOf(5, 6)).done;
    test.intake.gaps.outOfRange(source);
    test.log.length = 0;
    test.intake.gaps.goOn(feedOf(test, source));
    expect(test.log).toEqual(["seek source/0 7", "resume source/0"]);
  });

  it("continues behind what retention removed, and keeps what is in memory", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    await test.take(source, messagesOf(5, 6)).done;
    test.intake.gaps.outOfRange(source);
    test.log.length = 0;
    test.intake.gaps.passOver(feedOf(test, source), { low: 20, goOnAt: 20 });
    expect(test.log).toEqual(["seek source/0 20", "resume source/0"]);
    expect([test.offsets(), test.inletOf(source)?.tracker.mark, test.inletOf(source)?.tracker.position]).toEqual([
      [5, 6],
      5,
      20,
    ]);
    await test.take(source, messagesOf(20, 21)).done;
    expect(test.offsets()).toEqual([5, 6, 20, 21]);
  });

  it("stays where it is as long as no fetch has failed: what retention removed may be in hand already", () => {
    const test = createTestIntake();
    test.own([source, 5]);
    test.intake.gaps.passOver(feedOf(test, source), { low: 20, goOnAt: 20 });
    expect([test.log, test.inletOf(source)?.tracker.position]).toEqual([[], 5]);
  });

  it("releases the users of a retry topic whose records are gone, and nobody else", () => {
    const test = createTestIntake();
    test.own([source, 5], [tier, 10]);
    const chains = test.inletOf(source)?.chains;
    chains?.moved("gone", "a", { tier: 0, offset: 12 });
    chains?.moved("there", "b", { tier: 0, offset: 20 });
    chains?.moved("in memory", "c", { tier: 0, offset: 9 });
    test.intake.gaps.passOver(feedOf(test, tier), { low: 20, goOnAt: 20 });
    expect(["gone", "there", "in memory"].map((user) => chains?.lengthOf(user))).toEqual([0, 1, 1]);
  });

  it("is scanned on behind the gap where it is a retry topic that is being read, or is opened where nothing is left", async () => {
    const value = valueOf("u1");
    for (const [low, expected] of [
      [12, ["seek retry-30s/0 12", "resume retry-30s/0"]],
      [14, ["seek source/0 5", "seek retry-30s/0 10", "resume source/0", "resume retry-30s/0"]],
    ] as const) {
      const test = createTestIntake();
      test.own([source, 5], [tier, 10, { high: 14 }]);
      await test.take(tier, [messageOf(10, { value })]).done;
      test.intake.gaps.outOfRange(tier);
      test.log.length = 0;
      test.intake.gaps.passOver(feedOf(test, tier), { low, goOnAt: low });
      expect(test.log).toEqual(expect.arrayContaining([...expected]));
      expect(test.intake.isOpen).toBe(low === 14);
    }
  });

  it("asks which log it is where it is handed numbers that were read before, and passes them over", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    await test.take(source, messagesOf(5, 6, 7)).done;
    await test.take(source, messagesOf(8, 9)).done;
    expect(test.log).toEqual([]);
    await test.take(source, messagesOf(3, 4, 10)).done;
    expect([test.log, test.offsets()]).toEqual([["doubt"], [5, 6, 7, 8, 9, 10]]);
  });

  it("commits nothing while it is in doubt", async () => {
    const test = createTestIntake();
    test.own([source, 5]);
    expect(committableOf(test.intake.feeds)).toHaveLength(1);
    feedOf(test, source).doubt = "made_anew";
    expect(committableOf(test.intake.feeds)).toHaveLength(0);
  });
});
