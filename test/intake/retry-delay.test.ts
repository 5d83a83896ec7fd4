import { describe, expect, it } from "vitest";

import { type Clocks, RetryDelay } from "../../src/intake/retry-delay.ts";

const delayMs = 30_000;
const start = 1_700_000_000_000;
const hour = 3_600_000;

/** A wall clock that can be set, and a monotonic clock. `pass` advances both. */
const createClocks = () => {
  const time = { wall: start, monotonic: 5_000 };
  const pass = (ms: number): void => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { time, pass, wallNow: () => time.wall, monotonicNow: () => time.monotonic };
};

/** Makes this record the head, and returns the milliseconds until it is due. */
const dueInOf = (retryDelay: RetryDelay, head: { offset: number; timestamp: number }, clocks: Clocks): number => {
  retryDelay.recordHead(head, delayMs, clocks);
  return retryDelay.remainingMs(clocks.monotonicNow());
};

describe("RetryDelay", () => {
  it.each([
    ["just written", 0, 30_000],
    ["written ten seconds ago", -10_000, 20_000],
    ["written longer ago than the delay", -31_000, -1_000],
    ["with a timestamp an hour ahead", hour, 30_000],
    ["without a timestamp", -start, 30_000 - start],
  ])("waits for a record %s from now", (_, age, dueIn) => {
    const clocks = createClocks();
    expect(dueInOf(new RetryDelay(), { offset: 7, timestamp: start + age }, clocks)).toBe(dueIn);
  });

  it("keeps the due time when the record is fetched again, whatever happens to the wall clock", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    const head = { offset: 7, timestamp: start + hour };
    expect(dueInOf(retryDelay, head, clocks)).toBe(30_000);
    clocks.pass(29_999);
    clocks.time.wall += hour;
    expect(dueInOf(retryDelay, head, clocks)).toBe(1);
    clocks.time.wall -= 2 * hour;
    expect(dueInOf(retryDelay, head, clocks)).toBe(1);
    clocks.pass(1);
    expect(dueInOf(retryDelay, head, clocks)).toBe(0);
  });

  it("decides again for another record", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    dueInOf(retryDelay, { offset: 7, timestamp: start }, clocks);
    clocks.pass(30_000);
    expect(dueInOf(retryDelay, { offset: 8, timestamp: start + 5_000 }, clocks)).toBe(5_000);
  });

  it("is not early for a record with the timestamp of a slow clock, if its end offset was observed", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    retryDelay.recordEndOffset(7, clocks.time.monotonic);
    clocks.pass(10_000);
    retryDelay.recordEndOffset(7, clocks.time.monotonic);
    clocks.pass(2_000);
    retryDelay.recordEndOffset(9, clocks.time.monotonic);
    clocks.pass(1_000);
    // Written within the two seconds before the end offset 9 was seen, whatever the timestamp says.
    expect(dueInOf(retryDelay, { offset: 7, timestamp: start - hour }, clocks)).toBe(27_000);
    expect(dueInOf(retryDelay, { offset: 8, timestamp: start - hour }, clocks)).toBe(27_000);
    expect(dueInOf(retryDelay, { offset: 9, timestamp: start - hour }, clocks)).toBe(29_000);
  });

  it("does not delay each record again if their timestamps come from a fast clock", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    retryDelay.recordEndOffset(100, clocks.time.monotonic);
    for (let offset = 0; offset < 3; offset++) {
      const { time } = clocks;
      expect(dueInOf(retryDelay, { offset, timestamp: time.wall + hour }, clocks)).toBe(offset === 0 ? 30_000 : 0);
      clocks.pass(offset === 0 ? 30_000 : 0);
    }
  });

  it("trusts the timestamp of a record that was written before the first observation", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    retryDelay.recordEndOffset(100, clocks.time.monotonic);
    expect(dueInOf(retryDelay, { offset: 99, timestamp: start - hour }, clocks)).toBeLessThan(0);
  });

  it.each([
    ["the time of its source record", start - 10 * 60_000],
    ["no time at all", -1],
  ])("waits for a record with %s as for others, if this machine's clock is three hours ahead", (_, timestamp) => {
    const clocks = createClocks();
    clocks.time.wall += 3 * hour;
    const retryDelay = new RetryDelay();
    retryDelay.recordEndOffset(7, clocks.time.monotonic);
    clocks.pass(1_000);
    retryDelay.recordEndOffset(8, clocks.time.monotonic);
    clocks.pass(500);
    const dueIn = dueInOf(retryDelay, { offset: 7, timestamp }, clocks);
    expect(dueIn).toBeGreaterThanOrEqual(delayMs - 1_500);
    expect(dueIn).toBeLessThanOrEqual(delayMs);
  });

  it("keeps a bounded number of end offsets; a forgotten one makes the due time earlier, never later", () => {
    const clocks = createClocks();
    const retryDelay = new RetryDelay();
    for (let endOffset = 1; endOffset <= 1_000; endOffset++) {
      retryDelay.recordEndOffset(endOffset, clocks.time.monotonic);
      clocks.pass(10);
    }
    const dueIn = dueInOf(retryDelay, { offset: 500, timestamp: start - hour }, clocks);
    expect(dueIn).toBeLessThanOrEqual(30_000 - 5_000);
    expect(dueIn).toBeGreaterThanOrEqual(20_000 - 10);
  });
});
