import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from "../../src/delivery/breaker.ts";

const windowMs = 10_000;

/** Pauses of 1 s, 2 s, 4 s … before a probe. */
const createTestBreaker = (change: Partial<BreakerOptions> = {}) => {
  const states: BreakerState[] = [];
  const breaker = createBreaker({
    errorPercent: 50,
    minCalls: 10,
    windowMs,
    probePauseMs: (failedProbes) => 1_000 * 2 ** failedProbes,
    onChange: (state) => states.push(state),
    ...change,
  });
  return { breaker, states };
};

/** Records the failures evenly between the successes, the last failure at the end. */
const recordCalls = async (breaker: Breaker, { good = 0, bad = 0 }): Promise<void> => {
  for (let call = 0, failed = 0; call < good + bad; call++) {
    const isBad = (call + 1) * bad >= (failed + 1) * (good + bad);
    if (isBad) failed++;
    await (isBad ? breaker.recordFailure() : breaker.recordSuccess());
  }
};

describe("breaker", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("does not open before the least number of calls, even if all failed", async () => {
    const { breaker, states } = createTestBreaker();
    await recordCalls(breaker, { bad: 9 });
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(breaker.state).toBe("open");
    expect(states).toEqual(["open"]);
  });

  it("opens after the least number of failures in a row, however many calls succeeded before", async () => {
    const { breaker, states } = createTestBreaker();
    await recordCalls(breaker, { good: 1_000 });
    await recordCalls(breaker, { bad: 9 });
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(states).toEqual(["open"]);
  });

  it("does not count failures in a row that lie further apart than the window", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 9 });
    await vi.advanceTimersByTimeAsync(windowMs + 1_001);
    await recordCalls(breaker, { bad: 9 });
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(breaker.state).toBe("open");
  });

  it("opens at exactly the percentage, and not below it", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { good: 6, bad: 5 });
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(breaker.state).toBe("open");
  });

  it.each([
    [1, 99, 1],
    [25, 75, 25],
    [100, 0, 10],
  ])("opens at %i percent with %i successes before %i failures", async (errorPercent, good, bad) => {
    const { breaker } = createTestBreaker({ errorPercent });
    await recordCalls(breaker, { good, bad: bad - 1 });
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(breaker.state).toBe("open");
  });

  it("forgets what is older than the window", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 9 });
    vi.advanceTimersByTime(windowMs + 1_000);
    await recordCalls(breaker, { bad: 9 });
    expect(breaker.state).toBe("closed");
  });

  it("reflects a failure when the promise resolves", async () => {
    const { breaker } = createTestBreaker({ minCalls: 1 });
    const recorded = breaker.recordFailure();
    await recorded;
    expect(breaker.state).toBe("open");
  });

  it("is half-open after the pause, and closes with a success", async () => {
    const { breaker, states } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    vi.advanceTimersByTime(999);
    expect(breaker.state).toBe("open");
    vi.advanceTimersByTime(1);
    expect(breaker.state).toBe("half-open");
    await breaker.recordSuccess();
    expect(breaker.state).toBe("closed");
    expect(states).toEqual(["open", "half-open", "closed"]);
  });

  it("opens again with the first failure while half-open, and pauses longer each time", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    const pauses: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      const before = Date.now();
      while (breaker.state === "open") vi.advanceTimersByTime(100);
      pauses.push(Date.now() - before);
      await breaker.recordFailure();
      expect(breaker.state).toBe("open");
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it("pauses briefly again after it was closed in between", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    vi.advanceTimersByTime(1_000);
    await breaker.recordFailure();
    vi.advanceTimersByTime(2_000);
    await breaker.recordSuccess();
    await recordCalls(breaker, { bad: 20 });
    expect(breaker.state).toBe("open");
    vi.advanceTimersByTime(1_000);
    expect(breaker.state).toBe("half-open");
    await breaker.recordFailure();
    vi.advanceTimersByTime(2_000);
    expect(breaker.state).toBe("half-open");
  });

  it("stays half-open until a result is recorded, however long that takes", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    vi.advanceTimersByTime(3_600_000);
    expect(breaker.state).toBe("half-open");
    await breaker.recordSuccess();
    expect(breaker.state).toBe("closed");
  });

  it("ignores results that are recorded while it is open", async () => {
    const { breaker, states } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    await recordCalls(breaker, { good: 50, bad: 50 });
    expect(states).toEqual(["open"]);
    vi.advanceTimersByTime(1_000);
    expect(breaker.state).toBe("half-open");
    await breaker.recordSuccess();
    expect(breaker.state).toBe("closed");
  });

  it("ignores results after its shutdown, and keeps no timer", async () => {
    const { breaker, states } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    breaker.shutdown();
    await recordCalls(breaker, { good: 1, bad: 1 });
    vi.advanceTimersByTime(3_600_000);
    expect(states).toEqual(["open"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not share its settings or its count with another breaker", async () => {
    const { breaker } = createTestBreaker();
    const { breaker: other } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    await recordCalls(other, { bad: 9 });
    expect([breaker.state, other.state]).toEqual(["open", "closed"]);
  });

  it("counts only calls since it closed: the failures that opened it do not open it again", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { bad: 10 });
    vi.advanceTimersByTime(1_000);
    await breaker.recordSuccess();
    await recordCalls(breaker, { bad: 9 });
    expect(breaker.state).toBe("closed");
  });

  it("opens at the percentage of slow calls, but not by a series of them: no attempt is lost by waiting", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { good: 20 });
    for (let call = 0; call < 19; call++) await breaker.recordSlowCall();
    expect(breaker.state).toBe("closed");
    await breaker.recordSlowCall();
    expect(breaker.state).toBe("open");
  });

  it("lets slow calls neither end a series of failures nor extend it", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { good: 1_000 });
    await recordCalls(breaker, { bad: 9 });
    await breaker.recordSlowCall();
    expect(breaker.state).toBe("closed");
    await breaker.recordFailure();
    expect(breaker.state).toBe("open");
  });

  it.each(["recordFailure", "recordSlowCall"] as const)(
    "opens at once when a probe fails or is slow: %s()",
    async (how) => {
      const { breaker } = createTestBreaker();
      await recordCalls(breaker, { bad: 10 });
      vi.advanceTimersByTime(1_000);
      const recorded = breaker[how]();
      expect(breaker.state).toBe("open");
      await recorded;
      vi.advanceTimersByTime(2_000);
      expect(breaker.state).toBe("half-open");
    },
  );

  it("passes the time since it opened when it asks for the next pause", async () => {
    const asked: [number, number][] = [];
    const pauseMs = (failedProbes: number, downMs: number): number => {
      asked.push([failedProbes, downMs]);
      return 1_000;
    };
    const { breaker } = createTestBreaker({ probePauseMs: pauseMs });
    vi.advanceTimersByTime(60_000);
    for (let outage = 0; outage < 2; outage++) {
      await recordCalls(breaker, { bad: 10 });
      vi.advanceTimersByTime(1_000);
      await breaker.recordFailure();
      vi.advanceTimersByTime(1_000);
      await breaker.recordSuccess();
    }
    const outage = [
      [1, 1_000],
      [2, 2_000],
      [0, 0],
    ];
    expect(asked).toEqual([[0, 0], ...outage, ...outage]);
  });

  it("counts a series by the monotonic clock: a wall clock that is set back does not join old failures to new ones", async () => {
    const { breaker } = createTestBreaker();
    await recordCalls(breaker, { good: 100 });
    await recordCalls(breaker, { bad: 9 });
    await vi.advanceTimersByTimeAsync(2 * windowMs);
    vi.setSystemTime(Date.now() - 3_600_000);
    await recordCalls(breaker, { good: 0, bad: 1 });
    expect(breaker.state).toBe("closed");
  });
});
