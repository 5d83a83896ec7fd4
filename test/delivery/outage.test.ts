import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import { type Behaviour, type EndedCall, createSimulatedStream, ok } from "./simulated-stream.ts";

const healthy: Behaviour = () => ({ answer: ok, afterMs: 20 });
const reset: CallResult = { kind: "network", code: "ECONNRESET", sent: true };
const unavailable: CallResult = { kind: "response", status: 503 };
const hangs: CallResult = { kind: "timeout", timeoutMs: 10_000 };

const delivered = (calls: readonly EndedCall[]): EndedCall[] =>
  calls.filter(({ verdict }) => verdict.kind === "delivered");

/** When half of the rate of 64 parallel calls of 20 ms is reached again, in milliseconds after `since`. */
const halfRateAfter = (calls: readonly EndedCall[], since: number): number => {
  const perTenth = 64 / 0.02 / 2 / 10;
  const ends = delivered(calls).map(({ endedAt }) => endedAt);
  const index = ends.findIndex((end, first) => (ends[first + perTenth] ?? Number.POSITIVE_INFINITY) - end <= 100);
  return (ends[index] ?? Number.POSITIVE_INFINITY) - since;
};

describe("an outage", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ["connections break", reset, 0, 0],
    ["connections break", reset, 0, 0.999],
    ["connections break", reset, 5, 0.5],
    ["the target answers 503", unavailable, 20, 0],
    ["the target answers 503", unavailable, 20, 0.5],
  ])(
    "of two minutes where %s takes 30 calls and ten seconds to recover at most (%#)",
    async (_, answer, afterMs, random) => {
      const { delivery, holds, run } = createSimulatedStream(healthy, { random: () => random });
      const before = await run(1_000);
      expect(before.length).toBeGreaterThan(3_000);
      const downAt = performance.now();
      const down = await run(120_000, () => ({ answer, afterMs }));
      // Nobody can know of it before the first answer: those calls are as good as in flight when it began.
      const knowing = down.filter(({ startedAt }) => startedAt > downAt + afterMs + 20);
      expect(knowing.length).toBeLessThanOrEqual(30);
      const upAt = performance.now();
      const after = await run(10_000, healthy);
      expect(halfRateAfter(after, upAt)).toBeLessThanOrEqual(10_000 - 100);
      expect(delivery.concurrencyLimit).toBe(64);
      expect(holds.map((hold) => hold.slice(0, 16))).toEqual(["target_down true", "target_down fals"]);
      delivery.close();
    },
  );

  it("of an hour is probed about once a minute in the end", async () => {
    const { delivery, run } = createSimulatedStream(healthy);
    await run(1_000);
    const answer = reset;
    await run(3_000_000, () => ({ answer, afterMs: 0 }));
    const probes = await run(600_000);
    expect(probes.length).toBeGreaterThanOrEqual(10);
    expect(probes.length).toBeLessThanOrEqual(14);
    delivery.close();
  });

  it("with hanging calls is over after the call that hung at the recovery, one pause and a moment", async () => {
    const { delivery, run } = createSimulatedStream(healthy);
    await run(1_000);
    const down = await run(120_000, () => ({ answer: hangs, afterMs: 10_000 }));
    expect(down.filter(({ verdict }) => verdict.kind === "retry").length).toBeLessThan(10);
    const upAt = performance.now();
    expect(halfRateAfter(await run(20_000, healthy), upAt)).toBeLessThanOrEqual(19_500);
    delivery.close();
  });

  it("allows no second probe while the result of a failed one is recorded", async () => {
    const { delivery, run } = createSimulatedStream(healthy, { onMaySend: () => {} });
    await run(100, () => ({ answer: reset, afterMs: 0 }));
    expect(delivery.breakerState).toBe("open");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(delivery.state).toBe("probe");
    const states = new Set<string>();
    const probe = { isJudged: false };
    delivery.attempt(
      { kind: "call", type: "track", body: Buffer.alloc(0) },
      { isFirst: true, refusalHistory: "never" },
      () => {
        probe.isJudged = true;
      },
    );
    await vi.advanceTimersToNextTimerAsync();
    for (let turn = 0; turn < 50; turn++) {
      states.add(delivery.state);
      await Promise.resolve();
    }
    expect(probe.isJudged).toBe(true);
    expect([...states]).toEqual(["closed"]);
    delivery.close();
  });

  it("in which the target asks for a pause is not probed before its end", async () => {
    const { delivery, holds, run } = createSimulatedStream(healthy);
    const answer: CallResult = { kind: "response", status: 503, retryAfterMs: 60_000 };
    const down = await run(59_000, () => ({ answer, afterMs: 20 }));
    expect(down.length).toBe(64);
    expect(delivery.holds).toContain("throttled");
    await run(10_000, healthy);
    expect([delivery.state, delivery.holds, delivery.breakerState]).toEqual(["closed", [], "closed"]);
    expect(holds.filter((hold) => hold.startsWith("throttled"))).toHaveLength(2);
    delivery.close();
  });
});

describe("slow calls", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    [8_000, "closed"],
    [8_001, "open"],
  ])("of %i ms leave the breaker %s, and are delivered", async (afterMs, state) => {
    const { delivery, holds, endedCalls, run } = createSimulatedStream(() => ({ answer: ok, afterMs }));
    await run(8_100);
    expect(delivery.breakerState).toBe(state);
    expect(delivered(endedCalls)).toHaveLength(endedCalls.length);
    expect(endedCalls.length).toBeGreaterThanOrEqual(64);
    expect(holds).toEqual(state === "open" ? ["target_down true Calls take longer than 8000 ms"] : []);
    delivery.close();
  });

  it("keep the breaker open as probes, at growing pauses, and are delivered", async () => {
    const { delivery, holds, endedCalls, run } = createSimulatedStream(() => ({ answer: ok, afterMs: 9_000 }));
    const calls = await run(100_000);
    const probes = calls.slice(64);
    expect(probes.length).toBeGreaterThan(4);
    const gaps = probes.slice(1).map(({ startedAt }, index) => startedAt - (probes[index]?.endedAt ?? 0));
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps);
    expect(delivered(endedCalls)).toHaveLength(endedCalls.length);
    expect([holds.length, delivery.concurrencyLimit]).toEqual([1, 1]);
    await run(20_000, healthy);
    expect([delivery.breakerState, delivery.concurrencyLimit]).toEqual(["closed", 64]);
    delivery.close();
  });

  it("end the hold that they probe: the target has accepted the event", async () => {
    const { delivery, run } = createSimulatedStream(healthy);
    await run(100, () => ({ answer: { kind: "response", status: 401 }, afterMs: 20 }));
    expect(delivery.holds).toEqual(["unauthorized"]);
    await run(12_000, () => ({ answer: ok, afterMs: 9_000 }));
    expect(delivery.holds).toEqual([]);
    delivery.close();
  });
});

describe("load", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is reduced while calls queue at the target, and returns with its speed", async () => {
    let waiting = 0;
    const queue: Behaviour = () => {
      waiting++;
      setTimeout(() => waiting--, 40 * waiting);
      return { answer: ok, afterMs: 40 * waiting };
    };
    const { delivery, holds, run } = createSimulatedStream(healthy);
    await run(1_000);
    expect(delivery.concurrencyLimit).toBe(64);
    const calls = await run(120_000, queue);
    expect(delivery.concurrencyLimit).toBeLessThan(32);
    expect(calls.length).toBeGreaterThan(0.9 * 120 * 25);
    await run(40_000, healthy);
    expect([delivery.concurrencyLimit, holds]).toEqual([64, []]);
    delivery.close();
  });
});
