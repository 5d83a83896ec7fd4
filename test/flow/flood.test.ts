import { describe, expect, it } from "vitest";

import { Flood, type FloodLimit } from "../../src/flow/flood.ts";

const start = 1_700_000_000_000;
const limit = { consecutive: 5, percent: 50, minEvents: 20 };

const createTestFlood = (given: FloodLimit = limit) => {
  const changes: { isHeld: boolean; error: string; heldMs: number }[] = [];
  const flood = new Flood({ limit: given, onHold: (change) => void changes.push(change) });
  /** `d` asks for a dead letter, `.` is an event that ended well; gives how many dead letters were admitted. */
  const play = (events: string, now = start): number => {
    let admitted = 0;
    for (const event of events)
      if (event === ".") flood.passed(now);
      else if (flood.admit(now)) admitted++;
    return admitted;
  };
  return { flood, changes, play };
};

describe("Flood", () => {
  it.each([
    ["fewer in a row than the limit", "dddd.dddd.dddd", 12, false],
    ["as many in a row as the limit: the next is held", "dddddd", 5, true],
    ["a share below the limit", "..d..d..d..d..d..d..d..d..d..d", 10, false],
    ["the share while there are few events", ".d.d.d.d.d.d.d.d.d", 9, false],
    ["the share of enough events", "d.d.d.d.d.d.d.d.d.d.d.d", 10, true],
  ])("judges %s", (_, events, admitted, isHeld) => {
    const { flood, play } = createTestFlood();
    expect([play(events), flood.isHeld]).toEqual([admitted, isHeld]);
  });

  it("tells once when it closes, in words that say how to go on", () => {
    const { changes, play } = createTestFlood();
    play("ddddddddd");
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ isHeld: true, heldMs: 0 });
    expect(changes[0]?.error).toMatch(
      /^5 events in a row .*raise deadLetterLimit in the settings file or set it to false$/,
    );
  });

  it("forgets the share after a minute, and the row never", () => {
    const { flood, play } = createTestFlood();
    play(".d.d.d.d.d.d.d.d.d.");
    expect(play("d", start + 65_000)).toBe(1);
    expect(play("ddddd", start + 10 * 60_000)).toBe(4);
    expect(flood.isHeld).toBe(true);
  });

  it("goes on, counting from nothing, when an operator changes the limit, and not when he does not", () => {
    const { flood, changes, play } = createTestFlood();
    play("dddddd");
    flood.change({ ...limit }, start + 1_000);
    expect(flood.isHeld).toBe(true);
    flood.change({ ...limit, consecutive: 6 }, start + 2_000);
    expect([flood.isHeld, changes[1]]).toEqual([false, { isHeld: false, error: "", heldMs: 2_000 }]);
    expect(play("ddddddd")).toBe(6);
  });

  it("never closes where it is switched off", () => {
    const { flood, play } = createTestFlood();
    play("dddddd");
    flood.change(false, start);
    expect([play("d".repeat(5_000)), flood.isHeld]).toEqual([5_000, false]);
  });

  it("goes on counting where the clock is set back", () => {
    const { play } = createTestFlood();
    play("d.d.d.d.d.d.d.d.d.");
    expect(play("d.d", start - 3_600_000)).toBe(1);
  });
});
