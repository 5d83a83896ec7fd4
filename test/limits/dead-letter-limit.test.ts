import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type DeadLetterLimit, Flood, type FloodChange, type FloodLimit } from "../../src/limits/dead-letter-limit.ts";

const start = 1_700_000_000_000;
const limit: DeadLetterLimit = { scope: "all", consecutive: 5, percent: 50, minEvents: 20 };
const byCause: DeadLetterLimit = { ...limit, scope: "cause" };

/** `.` ended well, another letter is the rule that it breaks; a capital is of topic `b`, any other of topic `a`. */
const causeOf = (letter: string) => ({
  topic: letter === letter.toLowerCase() ? "a" : "b",
  reason: "invalid_event",
  rule: letter.toLowerCase(),
});

const createTestFlood = (given: FloodLimit = limit) => {
  const changes: FloodChange[] = [];
  const flood = new Flood({ limit: given, onHold: (change) => void changes.push(change) });
  /** Gives the letters that were admitted to the dead-letter topic. */
  const admitted = (events: string, now = start): string =>
    Array.from(events)
      .filter((event) => {
        const isGood = event === "." || event === ":";
        if (isGood) flood.passed(event === "." ? "a" : "b", now);
        return !isGood && flood.admit(causeOf(event), `broke ${event}`, now) === "admitted";
      })
      .join("");
  const play = (events: string, now = start): number => admitted(events, now).length;
  const held = (): string[] => flood.culprits.map(({ topic, rule }) => `${rule} of ${topic}`);
  return { flood, changes, play, admitted, held };
};

describe("Flood", () => {
  it.each([
    ["fewer in a row than the limit", "dddd.dddd.dddd", 12, false],
    ["as many in a row as the limit: the next is held", "dddddd", 5, true],
    ["a row of several causes and topics", "dexDEX", 5, true],
    ["a share below the limit", "..d..d..d..d..d..d..d..d..d..d", 10, false],
    ["the share while there are few events", ".d.d.d.d.d.d.d.d.d", 9, false],
    ["the share of enough events", "d.d.d.d.d.d.d.d.d.d.d.d", 10, true],
  ])("judges %s", (_, events, admitted, isHeld) => {
    const { flood, play } = createTestFlood();
    expect([play(events), flood.isHeld]).toEqual([admitted, isHeld]);
  });

  it("tells once when it closes, in words that say how to go on", () => {
    const { flood, changes, play } = createTestFlood();
    play("ddddddddd");
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ isHeld: true, heldMs: 0 });
    expect(changes[0]?.error).toMatch(
      /^5 events in a row .*raise deadLetterLimit in the settings file or set it to false$/,
    );
    expect(flood.warnings).toEqual([changes[0]?.error]);
  });

  it("names the cause that makes most of them, with its share of the dead letters and of its topic's events", () => {
    const { flood, changes, play } = createTestFlood();
    play(`${".".repeat(4)}DdddEd`);
    expect(changes[0]?.error).toContain(
      "went to the dead-letter topic: 60 % are invalid_event (d) in a, 42.9 % of that topic's events. Look",
    );
    expect(flood.culprits).toEqual([
      {
        topic: "a",
        reason: "invalid_event",
        rule: "d",
        deadLetters: 3,
        percentOfDeadLetters: 60,
        percentOfTopic: 42.9,
        error: "broke d",
      },
    ]);
  });

  it("says so honestly if no single cause makes most of them, and names three", () => {
    const { flood, changes, play } = createTestFlood({ ...limit, consecutive: 10 });
    play("ddddEEEfffgg");
    expect(changes[0]?.error).toContain(
      "topic; no single cause makes most of them: 40 % are invalid_event (d) in a, 57.1 % of that topic's events; " +
        "30 % are invalid_event (e) in b, 100 % of that topic's events; 30 % are invalid_event (f) in a, ",
    );
    expect(flood.culprits).toHaveLength(3);
  });

  it("names a cause without a rule by its reason alone", () => {
    const { flood, changes } = createTestFlood({ ...limit, consecutive: 1 });
    for (const _ of [1, 2]) flood.admit({ topic: "a", reason: "undecodable" }, "No", start);
    expect(changes[0]?.error).toContain("100 % are undecodable in a, 100 % of that topic's events");
  });

  it("forgets the share after a minute, and the row never", () => {
    const { flood, play } = createTestFlood();
    play(".d.d.d.d.d.d.d.d.d.");
    expect(play("d", start + 65_000)).toBe(1);
    expect(play("ddddd", start + 10 * 60_000)).toBe(4);
    expect(flood.isHeld).toBe(true);
  });

  it.each([limit, byCause])("goes on, counting from nothing, when an operator changes the limit: $scope", (given) => {
    const { flood, changes, play, held } = createTestFlood(given);
    play("dddddd");
    flood.change({ ...given }, start + 1_000);
    expect(held()).toEqual(["d of a"]);
    flood.change({ ...given, consecutive: 6 }, start + 2_000);
    expect([flood.isHeld, held(), flood.warnings]).toEqual([false, [], []]);
    expect(changes[1]).toMatchObject({ isHeld: false, error: "", heldMs: 2_000 });
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

describe("Flood, by cause", () => {
  it.each([
    ["one cause in a row", "dddddddd", "ddddd", ["d of a"]],
    ["only that cause; another one has a row of its own", "ddddddeeeeeeee", "dddddeeeee", ["d of a", "e of a"]],
    ["no row with a good event of the topic in it", "dddd.dddd.dddd", "dddddddddddd", []],
    ["a row that good events of another topic do not end", "dd:d:d:d:d:d", "ddddd", ["d of a"]],
    ["the same cause of two topics apart", "dDdDdDdDdDdDdD", "dDdDdDdDdD", ["d of a", "d of b"]],
    ["the most frequent of a row, not the one that is one too many", "ddedded", "ddedde", ["d of a"]],
    [
      "each in turn if several make the row",
      "defdefdefdefdefdefdefdefee",
      "defdefefefeeeee",
      ["d of a", "f of a", "e of a"],
    ],
    ["the share of enough events of the topic", "d.d.d.d.d.d.d.d.d.d.d.d", "dddddddddd", ["d of a"]],
    ["the largest share if they are too many together", "de.de.de.de.de.de.de.de.", "dededededededee", ["d of a"]],
    ["no share of another topic's events", `${"::::".repeat(5)}d.d.d.d.d.d`, "dddddd", []],
  ])("holds %s", (_, events, expected, causes) => {
    const { flood, admitted, held } = createTestFlood(byCause);
    expect([admitted(events), held(), flood.isHeld]).toEqual([expected, causes, false]);
  });

  it("lets the events of that cause wait, and says whose and how to go on", () => {
    const { flood, changes, play } = createTestFlood(byCause);
    play("dddddd");
    expect(flood.admit(causeOf("d"), "No", start)).toBe("parked");
    expect(flood.check(causeOf("d"))).toBe("parked");
    expect([flood.admit(causeOf("e"), "No", start), flood.check(causeOf("D"))]).toEqual(["admitted", "admitted"]);
    expect([flood.isHeldIn("a"), flood.isHeldIn("b")]).toEqual([true, false]);
    expect(changes).toMatchObject([{ isHeld: true, culprits: [{ topic: "a", rule: "d", percentOfDeadLetters: 100 }] }]);
    expect(changes[0]?.error).toBe(
      "5 events in a row went to the dead-letter topic: 100 % are invalid_event (d) in a, 100 % of that topic's events. " +
        "Events of a that would end as invalid_event (d) wait in the retry topics, all others go on; to let them go, " +
        "raise deadLetterLimit in the settings file or set it to false",
    );
  });

  it("tells at the end how long the first cause was held", () => {
    const { flood, changes, play } = createTestFlood(byCause);
    play("dddddd");
    play("eeeeee", start + 10_000);
    flood.change(false, start + 12_000);
    expect(changes.map(({ isHeld, heldMs }) => [isHeld, heldMs])).toEqual([
      [true, 0],
      [true, 0],
      [false, 12_000],
    ]);
  });

  it("goes on by cause where everything was held, and the other way round", () => {
    const { flood, play, admitted } = createTestFlood();
    play("dddddd");
    flood.change(byCause, start);
    expect([admitted("ddddddE"), flood.isHeld]).toEqual(["dddddE", false]);
    flood.change(limit, start);
    expect([admitted("ddddddE"), flood.isHeld]).toEqual(["ddddd", true]);
  });

  it("lets nothing wait that fits into no retry topic", () => {
    const { flood, held } = createTestFlood(byCause);
    const rulings = Array.from({ length: 8 }, () => flood.admit({ topic: "a", reason: "too_large" }, "No", start));
    expect([new Set(rulings), held()]).toEqual([new Set(["admitted"]), []]);
    flood.admit(causeOf("d"), "No", start);
    expect([flood.admit(causeOf("d"), "No", start), held()], "nobody waits in its place").toEqual(["admitted", []]);
  });

  it("counts in bounded memory whatever names it is given: further topics and rules count together", () => {
    const { flood } = createTestFlood(byCause);
    for (let n = 0; n < 2_000; n++) flood.passed(`topic${n}`, start);
    const die = (n: number) => flood.admit({ topic: `more${n}`, reason: "rejected", rule: "http_400" }, "No", start);
    for (let n = 0; n < 20; n++) {
      die(n);
      flood.passed(`more${n}`, start);
    }
    expect(flood.culprits).toEqual([]);
    for (let n = 0; n < 6; n++) die(n);
    expect(flood.culprits).toMatchObject([{ topic: "other", rule: "http_400" }]);
    for (let n = 0; n < 600; n++) {
      flood.admit({ topic: "topic1", reason: "rejected", rule: `rule${n}` }, "No", start);
      flood.passed("topic1", start);
    }
    for (let n = 0; n < 6; n++) flood.admit({ topic: "topic1", reason: "rejected", rule: `new${n}` }, "No", start);
    expect(flood.culprits.at(-1)).toMatchObject({ topic: "topic1", reason: "rejected" });
    expect(flood.culprits.at(-1)?.rule).toBeUndefined();
  });

  it("never admits more in a row of a topic than the limit for each of its causes, and holds no cause that made none", () => {
    const script = fc.array(fc.constantFrom(...Array.from("..::ddddefDDDE")), { maxLength: 200, size: "max" });
    fc.assert(
      fc.property(script, (events) => {
        const { flood, admitted, held } = createTestFlood({ ...byCause, minEvents: 1_000_000 });
        const rows: Record<string, number> = { a: 0, b: 0 };
        const died = new Set<string>();
        for (const event of events) {
          const { topic, rule } = causeOf(event);
          if (event === "." || event === ":") rows[event === "." ? "a" : "b"] = 0;
          if (admitted(event) === "") continue;
          died.add(`${rule} of ${topic}`);
          rows[topic] = (rows[topic] ?? 0) + 1;
        }
        const causes = { a: 3, b: 2 };
        expect(rows["a"]).toBeLessThanOrEqual(5 * causes.a);
        expect(rows["b"]).toBeLessThanOrEqual(5 * causes.b);
        expect(held().filter((cause) => !died.has(cause))).toEqual([]);
        expect(flood.isHeld).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
