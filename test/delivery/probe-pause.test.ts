import { describe, expect, it } from "vitest";

import { nextProbePauseMs } from "../../src/delivery/probe-pause.ts";

const defaults = { probeMinMs: 1_000, probeMaxMs: 60_000 };

/** The pauses within an outage of this length. */
const pausesOf = ({ outageMs = 120_000, random = 0.5, ...limits }): number[] => {
  const pauses: number[] = [];
  for (let downMs = 0; downMs < outageMs; downMs += pauses.at(-1) ?? 0)
    pauses.push(nextProbePauseMs({ ...defaults, ...limits, failedProbes: pauses.length, downMs, random }));
  return pauses;
};

describe("nextProbePauseMs()", () => {
  it("doubles up to nine seconds in an outage of a few minutes", () => {
    expect(pausesOf({ outageMs: 30_000, random: 1 })).toEqual([1_000, 2_000, 4_000, 8_000, 9_000, 9_000]);
  });

  it.each([0, 0.5, 0.999])(
    "makes 20 probes at most in two minutes, and never waits ten seconds: random %d",
    (random) => {
      const pauses = pausesOf({ random });
      // The last of them ends after the two minutes.
      expect(pauses.length - 1).toBeLessThanOrEqual(20);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(9_000);
    },
  );

  it("grows with a longer outage, up to the longest pause", () => {
    const pauses = pausesOf({ outageMs: 3_600_000, random: 1 });
    expect(pauses.at(-1)).toBe(60_000);
    expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses);
  });

  it.each([
    ["is never longer than configured", { probeMaxMs: 5_000 }, 5_000],
    ["is never shorter than configured", { probeMinMs: 30_000 }, 30_000],
    ["takes the maximum if both contradict each other", { probeMinMs: 30_000, probeMaxMs: 20_000 }, 20_000],
  ])("%s", (_, limits, pauseMs) => {
    expect(pausesOf({ ...limits, random: 1 }).at(-1)).toBe(pauseMs);
  });

  it("keeps a quarter for jitter", () => {
    expect(pausesOf({ random: 0 })[0]).toBe(750);
    expect(pausesOf({ random: 1 })[0]).toBe(1_000);
  });
});
