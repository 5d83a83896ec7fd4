import { describe, expect, it } from "vitest";

import { ConcurrencyLimit } from "../../src/delivery/concurrency-limit.ts";
import { createRandom } from "../../src/standin/random.ts";
import { type Sample, createQueue, createSteady, simulate } from "./simulated-target.ts";

const mean = (samples: readonly Sample[], of: "calls" | "limit" | "meanMs"): number =>
  samples.reduce((sum, sample) => sum + sample[of], 0) / samples.length;

const minLimit = (samples: readonly Sample[]): number => Math.min(...samples.map(({ limit }) => limit));

describe("ConcurrencyLimit", () => {
  it.each([
    [20, 1_000],
    [50, 600],
    [100, 600],
  ])("keeps a target busy that takes %i calls a second, and its queue short", (callsPerSecond, mostMs) => {
    const settled = simulate({ target: createQueue({ callsPerSecond }), seconds: 600 }).slice(60);
    expect(mean(settled, "calls")).toBeGreaterThan(0.95 * callsPerSecond);
    expect(mean(settled, "meanMs")).toBeLessThan(mostMs);
    expect(Math.max(...settled.map(({ limit }) => limit))).toBeLessThan(64);
  });

  it("keeps the baseline while a queue lasts for hours", () => {
    const settled = simulate({ target: createQueue({ callsPerSecond: 50 }), seconds: 7_200 }).slice(-600);
    expect(mean(settled, "meanMs")).toBeLessThan(600);
  });

  const random = createRandom(1);
  it.each<[string, (now: number) => number]>([
    ["20 ms", () => 20],
    ["20 ms with jitter", () => 40 * random()],
    ["300 ms with jitter", () => 50 + 500 * random()],
    ["300 ms on average, some far more", () => -300 * Math.log(1 - random())],
    ["2 s", () => 2_000],
    ["20 ms, but 6 s for every fiftieth call", () => (random() < 0.02 ? 6_000 : 20)],
  ])("never cuts a target that takes %s, whatever the load", (_, latencyMs) => {
    expect(minLimit(simulate({ target: createSteady(latencyMs), seconds: 300 }))).toBe(64);
  });

  it.each([
    ["always 2 s", () => 2_000],
    ["2 s with jitter", () => 2_000 * (0.7 + 0.6 * random())],
    ["1 s on average, some far more", () => -1_000 * Math.log(1 - random())],
  ])("adapts the baseline to a target that itself became slower: from 20 ms to %s", (_, latencyMs) => {
    const target = createSteady((now) => (now < 10_000 ? 20 : latencyMs()));
    const samples = simulate({ target, seconds: 610 }).slice(10);
    expect(minLimit(samples)).toBeLessThan(32);
    expect(mean(samples, "limit")).toBeGreaterThan(0.8 * 64);
    expect(samples.at(-1)?.limit).toBe(64);
  });

  it("grows back within half a minute after the queue is gone", () => {
    const slow = createQueue({ callsPerSecond: 20 });
    const target = { answerAt: (now: number) => (now < 60_000 ? slow.answerAt(now) : now + 20) };
    const samples = simulate({ target, seconds: 95 });
    expect(samples[59]?.limit).toBeLessThan(25);
    expect(samples.at(-1)?.limit).toBe(64);
  });

  it("is never reduced below an eighth, nor below one call", () => {
    for (const max of [1, 4, 64]) {
      const limiter = new ConcurrencyLimit({ max, timeoutMs: 10_000 });
      for (let call = 0; call < 16; call++) limiter.recordSuccess(20);
      // Ever slower: it cannot get used to it.
      for (let call = 0; call < 2_000; call++) {
        limiter.recordSuccess(20 * 1.02 ** Math.min(call, 1_000));
        expect(limiter.limit).toBeGreaterThanOrEqual(Math.max(1, max / 8));
        expect(limiter.limit).toBeLessThanOrEqual(max);
      }
    }
  });

  it("reduces once for one slow round: calls that were in flight then do not count", () => {
    const limiter = new ConcurrencyLimit({ max: 64, timeoutMs: 10_000 });
    for (let call = 0; call < 16; call++) limiter.recordSuccess(20);
    for (let call = 0; call < 64; call++) limiter.recordSuccess(1_000);
    expect(limiter.limit).toBe(51);
    for (let call = 0; call < 64; call++) limiter.recordSuccess(1_000);
    expect(limiter.limit).toBe(51);
    for (let call = 0; call < 51; call++) limiter.recordSuccess(1_000);
    expect(limiter.limit).toBe(40);
  });

  it.each([
    ["20 ms", 20],
    ["1 s", 1_000],
  ])("takes the same time from half to full after throttling, at any latency: %s", (_, latencyMs) => {
    const limiter = new ConcurrencyLimit({ max: 64, timeoutMs: 10_000 });
    limiter.restartAfterThrottling();
    expect(limiter.limit).toBe(1);
    const samples = simulate({ limiter, target: createSteady(() => latencyMs), seconds: 40 });
    const half = samples.findIndex(({ limit }) => limit >= 32);
    const all = samples.findIndex(({ limit }) => limit === 64);
    expect(all - half).toBeGreaterThan(14);
    expect(all - half).toBeLessThan(18);
  });

  it("does not sink lower each time if it is throttled again before it has grown", () => {
    const limiter = new ConcurrencyLimit({ max: 64, timeoutMs: 10_000 });
    for (let time = 0; time < 10; time++) limiter.restartAfterThrottling();
    for (let call = 0; call < 7; call++) limiter.recordSuccess(20);
    expect(limiter.limit).toBe(8);
  });
});
