import { describe, expect, it } from "vitest";

import { createFeed, type PauseReason } from "../../src/intake/owned-partition.ts";
import { Pauses } from "../../src/intake/pauses.ts";

/** Two partitions, paused for `restore`. `holding` is what still holds, as `0 restore`. */
const createTestPauses = () => {
  const calls: string[] = [];
  const holding = new Set(["0 restore", "1 restore"]);
  const pauses = new Pauses({
    pause: (places) => void calls.push(...places.map(({ topic, partition }) => `pause ${topic}/${partition}`)),
    resume: ({ topic, partition }) => void calls.push(`resume ${topic}/${partition}`),
  });
  const feeds = [0, 1].map((partition) => createFeed({ topic: "t", partition }, undefined));
  const [first, second] = feeds;
  if (!first || !second) throw new Error("No feeds");
  pauses.assign(feeds, "restore", ({ partition }) => holding.has(`${partition} restore`));
  const start = (feed: typeof first, reason: PauseReason): void => {
    const name = `${feed.partition} ${reason}`;
    holding.add(name);
    pauses.start(feed, reason, () => holding.has(name));
  };
  const end = (...names: string[]): void => {
    for (const name of names) holding.delete(name);
    pauses.review();
  };
  return { pauses, calls, first, second, start, end, holding };
};

describe("pauses", () => {
  it("pause every partition of a new assignment until it is restored", () => {
    const { calls, first } = createTestPauses();
    expect(calls).toEqual(["pause t/0", "pause t/1"]);
    expect([...first.pauses.keys()]).toEqual(["restore"]);
  });

  it("pause once for several reasons, and resume when the last of them has gone", () => {
    const { calls, first, start, end } = createTestPauses();
    calls.length = 0;
    start(first, "budget");
    start(first, "due");
    end("0 restore");
    end("0 due");
    expect(calls).toEqual([]);
    end("0 budget");
    expect(calls).toEqual(["resume t/0"]);
    end("0 budget");
    expect(calls).toEqual(["resume t/0"]);
  });

  it("do not begin for a reason that no longer holds, since nobody would end it", () => {
    const { pauses, calls, first, end } = createTestPauses();
    end("0 restore");
    calls.length = 0;
    pauses.start(first, "budget", () => false);
    expect([calls, first.pauses.size]).toEqual([[], 0]);
  });

  it("ask only about the reasons given, and leave the others alone", () => {
    const { pauses, calls, first, second, start, end, holding } = createTestPauses();
    end("0 restore");
    start(first, "budget");
    start(second, "budget");
    start(second, "due");
    holding.clear();
    calls.length = 0;
    expect(pauses.of("budget")).toEqual([first, second]);
    pauses.review(["budget"]);
    expect(pauses.of("budget")).toEqual([]);
    expect([calls, [...second.pauses.keys()]]).toEqual([["resume t/0"], ["restore", "due"]]);
    pauses.review();
    expect(calls).toEqual(["resume t/0", "resume t/1"]);
  });

  it("forget the partitions of a former assignment: what ends or begins late there moves nothing", () => {
    const { pauses, calls, first, start, end } = createTestPauses();
    const again = createFeed({ topic: "t", partition: 0 }, undefined);
    let isRestored = false;
    pauses.assign([again], "restore", () => !isRestored);
    calls.length = 0;
    end("0 restore");
    start(first, "due");
    expect(calls).toEqual([]);
    expect(pauses.of("due")).toEqual([]);
    isRestored = true;
    pauses.review();
    expect(calls).toEqual(["resume t/0"]);
  });

  it("pause a partition anew that is assigned again: kafkajs keeps pauses over a rebalance", () => {
    const { pauses, calls, first, start, end } = createTestPauses();
    start(first, "budget");
    calls.length = 0;
    pauses.assign([first], "restore", () => true);
    expect(calls).toEqual(["pause t/0"]);
    pauses.assign([first], "restore", () => false);
    end();
    expect(calls).toEqual(["pause t/0", "pause t/0", "resume t/0"]);
  });
});
