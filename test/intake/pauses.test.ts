import { describe, expect, it } from "vitest";

import { createOwnedPartition, type PauseReason } from "../../src/intake/owned-partition.ts";
import { Pauses } from "../../src/intake/pauses.ts";

/** Two partitions, paused for `restore`. `holding` is what still holds, as `0 restore`. */
const createTestPauses = () => {
  const calls: string[] = [];
  const holding = new Set(["0 restore", "1 restore"]);
  const pauses = new Pauses({
    pause: (topicPartitions) =>
      void calls.push(...topicPartitions.map(({ topic, partition }) => `pause ${topic}/${partition}`)),
    resume: ({ topic, partition }) => void calls.push(`resume ${topic}/${partition}`),
  });
  const ownedPartitions = [0, 1].map((partition) => createOwnedPartition({ topic: "t", partition }, undefined));
  const [first, second] = ownedPartitions;
  if (!first || !second) throw new Error("No partitions");
  pauses.assign(ownedPartitions, "restore", ({ partition }) => holding.has(`${partition} restore`));
  const start = (owned: typeof first, reason: PauseReason): void => {
    const name = `${owned.partition} ${reason}`;
    holding.add(name);
    pauses.pauseWhile(owned, reason, () => holding.has(name));
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

  it("pause once for several reasons, and resume when the last of them no longer applies", () => {
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

  it("do not begin for a reason that no longer applies", () => {
    const { pauses, calls, first, end } = createTestPauses();
    end("0 restore");
    calls.length = 0;
    pauses.pauseWhile(first, "budget", () => false);
    expect([calls, first.pauses.size]).toEqual([[], 0]);
  });

  it("check only the given reasons", () => {
    const { pauses, calls, first, second, start, end, holding } = createTestPauses();
    end("0 restore");
    start(first, "budget");
    start(second, "budget");
    start(second, "due");
    holding.clear();
    calls.length = 0;
    expect(pauses.pausedFor("budget")).toEqual([first, second]);
    pauses.review(["budget"]);
    expect(pauses.pausedFor("budget")).toEqual([]);
    expect([calls, [...second.pauses.keys()]]).toEqual([["resume t/0"], ["restore", "due"]]);
    pauses.review();
    expect(calls).toEqual(["resume t/0", "resume t/1"]);
  });

  it("forget the partitions of an earlier assignment: late changes there have no effect", () => {
    const { pauses, calls, first, start, end } = createTestPauses();
    const again = createOwnedPartition({ topic: "t", partition: 0 }, undefined);
    let isRestored = false;
    pauses.assign([again], "restore", () => !isRestored);
    calls.length = 0;
    end("0 restore");
    start(first, "due");
    expect(calls).toEqual([]);
    expect(pauses.pausedFor("due")).toEqual([]);
    isRestored = true;
    pauses.review();
    expect(calls).toEqual(["resume t/0"]);
  });

  it("pause a partition again that is assigned again: kafkajs keeps pauses over a rebalance", () => {
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
