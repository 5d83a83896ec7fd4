import { describe, expect, it } from "vitest";

import { planLong, planShort } from "../../bench/drill/schedule.ts";

const seeds = Array.from({ length: 50 }, (_, index) => index + 1);

describe("planLong()", () => {
  it.each(seeds)("has every kind of fault within ten minutes, seed %i", (seed) => {
    const { main, side } = planLong({ seed, minutes: 10 });
    expect(new Set(main.map(({ kind }) => kind)).size).toBe(22);
    expect(new Set(side.map(({ kind }) => kind)).size).toBe(4);
  });

  it("gives the same faults for the same seed and minutes, and other faults for another seed", () => {
    const [one, same, other] = [1, 1, 2].map((seed) => planLong({ seed, minutes: 3 }));
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it("starts no fault of a track before the rest after the previous fault is over, and ends in time", () => {
    const { main, side, lengthMs } = planLong({ seed: 4, minutes: 10 });
    for (const track of [main, side]) {
      for (const [index, { atMs, lastsMs, restMs }] of track.entries()) {
        expect(track[index + 1]?.atMs ?? lengthMs).toBeGreaterThanOrEqual(atMs + lastsMs + restMs);
      }
    }
  });
});

describe("planShort()", () => {
  it.each(seeds)("has every fault that each test run must show, in less than 90 s, seed %i", (seed) => {
    const { main, side, lengthMs } = planShort({ seed });
    expect(main.map(({ kind }) => kind).sort()).toEqual(
      ["kill", "registry", "outage-503", "throttled", "broker", "leave"].sort(),
    );
    expect(new Set(side.map(({ kind }) => kind))).toEqual(new Set(["unlucky", "refused", "poison", "repeats"]));
    expect(lengthMs).toBeLessThan(90_000);
  });
});
