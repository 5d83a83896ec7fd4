import { describe, expect, it } from "vitest";

import { createFeed } from "../../src/intake/feed.ts";
import { Pauses } from "../../src/intake/pauses.ts";

const createTestPauses = () => {
  const calls: string[] = [];
  const pauses = new Pauses({
    pause: (places) => void calls.push(...places.map(({ topic, partition }) => `pause ${topic}/${partition}`)),
    resume: ({ topic, partition }) => void calls.push(`resume ${topic}/${partition}`),
  });
  const feeds = [0, 1].map((partition) => createFeed({ topic: "t", partition }, undefined));
  const [first, second] = feeds;
  if (!first || !second) throw new Error("No feeds");
  pauses.assign(feeds);
  return { pauses, calls, first, second };
};

describe("pauses", () => {
  it("pause every partition of a new assignment until it is restored", () => {
    const { calls, first } = createTestPauses();
    expect(calls).toEqual(["pause t/0", "pause t/1"]);
    expect([...first.pauses]).toEqual(["restore"]);
  });

  it("pause once for several reasons, and resume when the last of them has gone", () => {
    const { pauses, calls, first } = createTestPauses();
    calls.length = 0;
    pauses.start(first, "budget");
    pauses.start(first, "due");
    pauses.end(first, "restore");
    pauses.end(first, "due");
    expect(calls).toEqual([]);
    pauses.end(first, "budget");
    expect(calls).toEqual(["resume t/0"]);
    pauses.end(first, "budget");
    expect(calls).toEqual(["resume t/0"]);
  });

  it("end one reason for all partitions, and leave the other reasons alone", () => {
    const { pauses, calls, first, second } = createTestPauses();
    pauses.end(first, "restore");
    pauses.start(first, "budget");
    pauses.start(second, "budget");
    calls.length = 0;
    expect(pauses.of("budget")).toEqual([first, second]);
    pauses.endAll("budget");
    expect(pauses.of("budget")).toEqual([]);
    expect(calls).toEqual(["resume t/0"]);
    pauses.endAll("budget");
    expect(calls).toEqual(["resume t/0"]);
  });

  it("forget the partitions of a former assignment: what ends or begins late there moves nothing", () => {
    const { pauses, calls, first } = createTestPauses();
    const again = createFeed({ topic: "t", partition: 0 }, undefined);
    pauses.assign([again]);
    calls.length = 0;
    pauses.end(first, "restore");
    pauses.start(first, "due");
    expect(calls).toEqual([]);
    expect(pauses.of("due")).toEqual([]);
    pauses.end(again, "restore");
    expect(calls).toEqual(["resume t/0"]);
  });

  it("pause a partition anew that is assigned again: kafkajs keeps pauses over a rebalance", () => {
    const { pauses, calls, first } = createTestPauses();
    pauses.start(first, "budget");
    calls.length = 0;
    pauses.assign([first]);
    expect(calls).toEqual(["pause t/0"]);
    pauses.end(first, "restore");
    expect(calls).toEqual(["pause t/0", "resume t/0"]);
  });
});
