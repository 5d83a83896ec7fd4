import { expect, it } from "vitest";

import { StarvedPartitions } from "../../../src/kafka/fetch/starved-partitions.ts";

const createTest = () => {
  const clock = { now: 0 };
  const starvedPartitions = new StarvedPartitions(() => clock.now);
  const observe = (fetchOffset: number, { size = 0, isFirst = true, partition = 3 } = {}) =>
    starvedPartitions.observe({ topic: "events", partition, fetchOffset, isFirst }, { size, lastStableOffset: "9" });
  return { clock, observe };
};

const unreadableAt = (offset: number) => ({
  offset,
  lastOffset: offset,
  reason: "The broker returns no records, though the log continues",
});

it("a partition whose log continues is reported after 30 s without bytes, and at once for the next offsets", () => {
  const { clock, observe } = createTest();
  expect(observe(3)).toBeUndefined();
  clock.now = 29_999;
  expect(observe(3)).toBeUndefined();
  clock.now = 30_000;
  expect(observe(3)).toEqual(unreadableAt(3));
  expect(observe(4)).toEqual(unreadableAt(4));
  clock.now = 100_000;
  expect(observe(4)).toEqual(unreadableAt(4));
});

it("nothing is reported at the end of the log, and returned records restart the wait", () => {
  const { clock, observe } = createTest();
  expect(observe(9)).toBeUndefined();
  observe(3);
  clock.now = 30_000;
  expect(observe(3, { size: 100 })).toBeUndefined();
  expect(observe(3)).toBeUndefined();
  clock.now = 40_000;
  expect(observe(3, { partition: 4 })).toBeUndefined();
});

it("an empty answer of long ago no longer counts: the partition may have been paused, or owned by another member", () => {
  const { clock, observe } = createTest();
  observe(3);
  clock.now = 120_000;
  expect(observe(3)).toBeUndefined();
});

it("an empty answer does not count while other partitions fill the answer before it", () => {
  const { clock, observe } = createTest();
  for (; clock.now <= 600_000; clock.now += 1_000) expect(observe(3, { isFirst: false })).toBeUndefined();
  expect(observe(3)).toBeUndefined();
  clock.now += 15_000;
  expect(observe(3, { isFirst: false })).toBeUndefined();
  clock.now += 15_000;
  expect(observe(3)).toEqual(unreadableAt(3));
});
