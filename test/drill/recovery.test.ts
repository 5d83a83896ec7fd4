import { describe, expect, it } from "vitest";

import { createLedger } from "../../bench/drill/ledger.ts";
import { halfRateMs, recoveriesOf } from "../../bench/drill/recovery.ts";

/** One event every `everyMs` from `from` up to `to`. */
const steady = (from: number, to: number, everyMs: number): number[] =>
  Array.from({ length: Math.floor((to - from) / everyMs) }, (_, index) => from + index * everyMs);

describe("halfRateMs()", () => {
  it.each([
    { what: "the full rate at once", times: steady(0, 5_000, 10), from: 1_000, want: 0 },
    { what: "a pause of 2 s", times: [...steady(0, 1_000, 10), ...steady(3_000, 9_000, 10)], from: 1_000, want: 2_000 },
    {
      what: "a trickle, then half",
      times: [...steady(0, 2_000, 200), ...steady(2_000, 9_000, 20)],
      from: 1_000,
      want: 1_000,
    },
    { what: "a trickle for ever", times: steady(0, 9_000, 200), from: 1_000, want: undefined },
    { what: "nothing more", times: [], from: 1_000, want: undefined },
  ])("is $want after $what", ({ times, from, want }) => {
    expect(halfRateMs(times, { from, rate: 100 })).toBe(want);
  });
});

describe("recoveriesOf()", () => {
  it("counts from the end of a fault to the last late event before the next fault, without events of unlucky users", () => {
    const ledger = createLedger();
    const accept = (user: string, producedAt: number, at: number): void => {
      const id = `${user}-${producedAt}`;
      ledger.produce({ id, user, seq: producedAt, expected: "deliver" }, producedAt);
      ledger.accept(id, { launch: 1, at, isResponseRead: true });
    };
    accept("u1", 10_000, 10_020);
    accept("u1", 11_000, 16_500);
    accept("unlucky", 11_500, 19_000);
    accept("u1", 21_000, 30_000);
    const faults = [
      { kind: "outage-503", startedAt: 10_500, endedAt: 15_000 },
      { kind: "kill", startedAt: 20_000, endedAt: 22_000 },
    ] as const;
    const isUnlucky = (user: string): boolean => user === "unlucky";
    const found = recoveriesOf(faults, { ledger, isUnlucky, rate: 1 });
    expect(found.map(({ caughtUpMs }) => caughtUpMs)).toEqual([1_500, 10_000]);
  });
});
