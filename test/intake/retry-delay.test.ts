import { describe, expect, it } from "vitest";

import { Due } from "../../src/intake/retry-delay.ts";

const delayMs = 30_000;
const start = 1_700_000_000_000;
const hour = 3_600_000;

/** Two clocks that go on together, and a wall clock that may be set. */
const createClocks = () => {
  const time = { wall: start, counted: 5_000 };
  const pass = (ms: number): void => {
    time.wall += ms;
    time.counted += ms;
  };
  return { time, pass, now: () => time.wall, monotonic: () => time.counted };
};

describe("Due", () => {
  it.each([
    ["just written", 0, 30_000],
    ["written ten seconds ago", -10_000, 20_000],
    ["written longer ago than the delay", -31_000, -1_000],
    ["of an hour ahead, by a clock that is wrong", hour, 30_000],
    ["without a time", -start, 30_000 - start],
  ])("waits for a record %s from now", (_, age, dueIn) => {
    const clocks = createClocks();
    expect(new Due().inMs({ offset: 7, timestamp: start + age }, delayMs, clocks)).toBe(dueIn);
  });

  it("remembers what it said when the record is fetched again, whatever happens to the wall clock", () => {
    const clocks = createClocks();
    const due = new Due();
    const head = { offset: 7, timestamp: start + hour };
    expect(due.inMs(head, delayMs, clocks)).toBe(30_000);
    clocks.pass(29_999);
    clocks.time.wall += hour;
    expect(due.inMs(head, delayMs, clocks)).toBe(1);
    clocks.time.wall -= 2 * hour;
    expect(due.inMs(head, delayMs, clocks)).toBe(1);
    clocks.pass(1);
    expect(due.inMs(head, delayMs, clocks)).toBe(0);
  });

  it("decides anew for another record", () => {
    const clocks = createClocks();
    const due = new Due();
    due.inMs({ offset: 7, timestamp: start }, delayMs, clocks);
    clocks.pass(30_000);
    expect(due.inMs({ offset: 8, timestamp: start + 5_000 }, delayMs, clocks)).toBe(5_000);
  });

  it("is not early for a record stamped by a clock that is slow, as far as the log's end was watched", () => {
    const clocks = createClocks();
    const due = new Due();
    due.ended(7, clocks.time.counted);
    clocks.pass(10_000);
    due.ended(7, clocks.time.counted);
    clocks.pass(2_000);
    due.ended(9, clocks.time.counted);
    clocks.pass(1_000);
    // Written within the two seconds before the end was 9, whatever its stamp says.
    expect(due.inMs({ offset: 7, timestamp: start - hour }, delayMs, clocks)).toBe(27_000);
    expect(due.inMs({ offset: 8, timestamp: start - hour }, delayMs, clocks)).toBe(27_000);
    expect(due.inMs({ offset: 9, timestamp: start - hour }, delayMs, clocks)).toBe(29_000);
  });

  it("does not let records of a clock that is fast wait one after the other", () => {
    const clocks = createClocks();
    const due = new Due();
    due.ended(100, clocks.time.counted);
    for (let offset = 0; offset < 3; offset++) {
      const { time } = clocks;
      expect(due.inMs({ offset, timestamp: time.wall + hour }, delayMs, clocks)).toBe(offset === 0 ? 30_000 : 0);
      clocks.pass(offset === 0 ? 30_000 : 0);
    }
  });

  it("trusts the stamp of a record that was there before anybody watched", () => {
    const clocks = createClocks();
    const due = new Due();
    due.ended(100, clocks.time.counted);
    expect(due.inMs({ offset: 99, timestamp: start - hour }, delayMs, clocks)).toBeLessThan(0);
  });

  it.each([
    ["the time of its source record", start - 10 * 60_000],
    ["no time at all", -1],
  ])("waits for a record with %s as for others, if this machine's clock is three hours ahead", (_, timestamp) => {
    const clocks = createClocks();
    clocks.time.wall += 3 * hour;
    const due = new Due();
    due.ended(7, clocks.time.counted);
    clocks.pass(1_000);
    due.ended(8, clocks.time.counted);
    clocks.pass(500);
    const dueIn = due.inMs({ offset: 7, timestamp }, delayMs, clocks);
    expect(dueIn).toBeGreaterThanOrEqual(delayMs - 1_500);
    expect(dueIn).toBeLessThanOrEqual(delayMs);
  });

  it("keeps a bounded number of ends; a forgotten one makes the bound earlier, never later", () => {
    const clocks = createClocks();
    const due = new Due();
    for (let high = 1; high <= 1_000; high++) {
      due.ended(high, clocks.time.counted);
      clocks.pass(10);
    }
    const dueIn = due.inMs({ offset: 500, timestamp: start - hour }, delayMs, clocks);
    expect(dueIn).toBeLessThanOrEqual(30_000 - 5_000);
    expect(dueIn).toBeGreaterThanOrEqual(20_000 - 10);
  });
});
