import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Answer } from "../../src/core/outcome/classify.ts";
import { type Behaviour, type CallMade, createSimulatedStream, ok } from "./simulated-stream.ts";

const healthy: Behaviour = () => ({ answer: ok, afterMs: 20 });
const reset: Answer = { kind: "network", code: "ECONNRESET", sent: true };
const unavailable: Answer = { kind: "response", status: 503 };
const hangs: Answer = { kind: "timeout", timeoutMs: 10_000 };

const delivered = (calls: readonly CallMade[]): CallMade[] =>
  calls.filter(({ verdict }) => verdict.kind === "delivered");

/** When half of the rate of 64 calls at a time at 20 ms is reached again, in milliseconds from `since` on. */
const halfRateAfter = (calls: readonly CallMade[], since: number): number => {
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
      expect(delivery.limit).toBe(64);
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

  it("that hangs is over within the call that hung when the target returned, a pause, and a moment", async () => {
    const { delivery, run } = createSimulatedStream(healthy);
    await run(1_000);
    const down = await run(120_000, () => ({ answer: hangs, afterMs: 10_000 }));
    expect(down.filter(({ verdict }) => verdict.kind === "retry").length).toBeLessThan(10);
    const upAt = performance.now();
    expect(halfRateAfter(await run(20_000, healthy), upAt)).toBeLessThanOrEqual(19_500);
    delivery.close();
  });

  it("lets no second probe through while a failed one is judged", async () => {
    const { delivery, run } = createSimulatedStream(healthy, { onChange: () => {} });
    await run(100, () => ({ answer: reset, afterMs: 0 }));
    expect(delivery.breakerState).toBe("open");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(delivery.state).toBe("probe");
    const states = new Set<string>();
    const probe = { isJudged: false };
    delivery.attempt(
      { kind: "call", call: "track", body: Buffer.alloc(0) },
      { isFirst: true, refused: "never" },
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

  it("during which the target asks for a pause is not probed before that is over", async () => {
    const { delivery, holds, run } = createSimulatedStream(healthy);
    const answer: Answer = { kind: "response", status: 503, retryAfterMs: 60_000 };
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
    const { delivery, holds, made, run } = createSimulatedStream(() => ({ answer: ok, afterMs }));
    await run(8_100);
    expect(delivery.breakerState).toBe(state);
    expect(delivered(made)).toHaveLength(made.length);
    expect(made.length).toBeGreaterThanOrEqual(64);
    expect(holds).toEqual(state === "open" ? ["target_down true Calls take longer than 8000 ms"] : []);
    delivery.close();
  });

  it("keep the breaker open as probes, which come further and further apart, and are delivered", async () => {
    const { delivery, holds, made, run } = createSimulatedStream(() => ({ answer: ok, afterMs: 9_000 }));
    const calls = await run(100_000);
    const probes = calls.slice(64);
    expect(probes.length).toBeGreaterThan(4);
    const gaps = probes.slice(1).map(({ startedAt }, index) => startedAt - (probes[index]?.endedAt ?? 0));
    expect(gaps.toSorted((a, b) => a - b)).toEqual(gaps);
    expect(delivered(made)).toHaveLength(made.length);
    expect([holds.length, delivery.limit]).toEqual([1, 1]);
    await run(20_000, healthy);
    expect([delivery.breakerState, delivery.limit]).toEqual(["closed", 64]);
    delivery.close();
  });

  it("end a hold that they were to test: the target has taken the event", async () => {
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

  it("is taken off a target where calls queue, and comes back with its speed", async () => {
    let waiting = 0;
    const queue: Behaviour = () => {
      waiting++;
      setTimeout(() => waiting--, 40 * waiting);
      return { answer: ok, afterMs: 40 * waiting };
    };
    const { delivery, holds, run } = createSimulatedStream(healthy);
    await run(1_000);
    expect(delivery.limit).toBe(64);
    const calls = await run(120_000, queue);
    expect(delivery.limit).toBeLessThan(32);
    expect(calls.length).toBeGreaterThan(0.9 * 120 * 25);
    await run(40_000, healthy);
    expect([delivery.limit, holds]).toEqual([64, []]);
    delivery.close();
  });
});
