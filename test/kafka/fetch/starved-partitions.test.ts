import { expect, it } from "vitest";

import { Nothing } from "../../../src/kafka/fetch/starved-partitions.ts";

const createTest = () => {
  const clock = { now: 0 };
  const nothing = new Nothing(() => clock.now);
  const ask = (from: number, { size = 0, isFirst = true, partition = 3 } = {}) =>
    nothing.of({ topic: "events", partition, from, isFirst }, { size, lastStableOffset: "9" });
  return { clock, ask };
};

const told = (offset: number) => ({
  offset,
  lastOffset: offset,
  reason: "The broker gives nothing, though its log goes on",
});

it("a broker that gives nothing of a log that goes on is given half a minute, and no more for the next offsets", () => {
  const { clock, ask } = createTest();
  expect(ask(3)).toBeUndefined();
  clock.now = 29_999;
  expect(ask(3)).toBeUndefined();
  clock.now = 30_000;
  expect(ask(3)).toEqual(told(3));
  expect(ask(4)).toEqual(told(4));
  clock.now = 100_000;
  expect(ask(4)).toEqual(told(4));
});

it("nothing is told at the end of the log, and what was given begins the wait anew", () => {
  const { clock, ask } = createTest();
  expect(ask(9)).toBeUndefined();
  ask(3);
  clock.now = 30_000;
  expect(ask(3, { size: 100 })).toBeUndefined();
  expect(ask(3)).toBeUndefined();
  clock.now = 40_000;
  expect(ask(3, { partition: 4 })).toBeUndefined();
});

it("what was seen long ago counts no more: the partition may have been paused, or owned by another", () => {
  const { clock, ask } = createTest();
  ask(3);
  clock.now = 120_000;
  expect(ask(3)).toBeUndefined();
});

it("nothing is made of an answer that others have filled, for as long as they do", () => {
  const { clock, ask } = createTest();
  for (; clock.now <= 600_000; clock.now += 1_000) expect(ask(3, { isFirst: false })).toBeUndefined();
  expect(ask(3)).toBeUndefined();
  clock.now += 15_000;
  expect(ask(3, { isFirst: false })).toBeUndefined();
  clock.now += 15_000;
  expect(ask(3)).toEqual(told(3));
});
