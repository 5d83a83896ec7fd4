import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type DeadLetterLimitRules,
  DeadLetterLimit,
  type DeadLetterHoldChange,
  type DeadLetterLimitSetting,
} from "../../src/limits/dead-letter-limit.ts";

const start = 1_700_000_000_000;
const limit: DeadLetterLimitRules = { scope: "all", consecutive: 5, percent: 50, minEvents: 20 };
const byCause: DeadLetterLimitRules = { ...limit, scope: "cause" };

/** `.` ended well, another letter is the rule that it breaks; a capital is of topic `b`, any other of topic `a`. */
const causeOf = (letter: string) => ({
  topic: letter === letter.toLowerCase() ? "a" : "b",
  reason: "invalid_event",
  rule: letter.toLowerCase(),
});

const createTestLimit = (given: DeadLetterLimitSetting = limit) => {
  const changes: DeadLetterHoldChange[] = [];
  const deadLetterLimit = new DeadLetterLimit({ limit: given, onHoldChange: (change) => void changes.push(change) });
  /** Returns the letters that were admitted to the dead-letter topic. */
  const admitted = (events: string, now = start): string =>
    Array.from(events)
      .filter((event) => {
        const isGood = event === "." || event === ":";
        if (isGood) deadLetterLimit.countOtherOutcome(event === "." ? "a" : "b", now);
        return !isGood && deadLetterLimit.countIfAllowed(causeOf(event), `broke ${event}`, now) === "admitted";
      })
      .join("");
  const play = (events: string, now = start): number => admitted(events, now).length;
  const held = (): string[] => deadLetterLimit.culprits.map(({ topic, rule }) => `${rule} of ${topic}`);
  return { deadLetterLimit, changes, play, admitted, held };
};

describe("DeadLetterLimit", () => {
  it.each([
    ["fewer in a row than the limit", "dddd.dddd.dddd", 12, false],
    ["as many in a row as the limit: the next is held", "dddddd", 5, true],
    ["a row of several causes and topics", "dexDEX", 5, true],
    ["a share below the limit", "..d..d..d..d..d..d..d..d..d..d", 10, false],
    ["the share while there are few events", ".d.d.d.d.d.d.d.d.d", 9, false],
    ["the share of enough events", "d.d.d.d.d.d.d.d.d.d.d.d", 10, true],
  ])("rules on %s", (_, events, admitted, isHeld) => {
    const { deadLetterLimit, play } = createTestLimit();
    expect([play(events), deadLetterLimit.isHeld]).toEqual([admitted, isHeld]);
  });

  it("reports once that it holds, in words that say how to continue", () => {
    const { deadLetterLimit, changes, play } = createTestLimit();
    play("ddddddddd");
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ isHeld: true, heldMs: 0 });
    expect(changes[0]?.error).toMatch(
      /^5 events in a row .*raise deadLetterLimit in the settings file or set it to false$/,
    );
    expect(deadLetterLimit.warnings).toEqual([changes[0]?.error]);
  });

  it("names the cause that makes most of them, with its share of the dead letters and of its topic's events", () => {
    const { deadLetterLimit, changes, play } = createTestLimit();
    play(`${".".repeat(4)}DdddEd`);
    expect(changes[0]?.error).toContain(
      "went to the dead-letter topic: 60 % are invalid_event (d) in topic a (42.9 % of that topic's events). Check",
    );
    expect(deadLetterLimit.culprits).toEqual([
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

  it("says so if no single cause makes more than half of them, and names three", () => {
    const { deadLetterLimit, changes, play } = createTestLimit({ ...limit, consecutive: 10 });
    play("ddddEEEfffgg");
    expect(changes[0]?.error).toContain(
      "topic; no single cause makes more than half of them: 40 % are invalid_event (d) in topic a (57.1 % of that topic's events); " +
        "30 % are invalid_event (e) in topic b (100 % of that topic's events); 30 % are invalid_event (f) in topic a (",
    );
    expect(deadLetterLimit.culprits).toHaveLength(3);
  });

  it("names a cause without a rule by its reason alone", () => {
    const { deadLetterLimit, changes } = createTestLimit({ ...limit, consecutive: 1 });
    for (const _ of [1, 2]) deadLetterLimit.countIfAllowed({ topic: "a", reason: "undecodable" }, "No", start);
    expect(changes[0]?.error).toContain("100 % are undecodable in topic a (100 % of that topic's events)");
  });

  it("names a share that rounds to nothing as less than 0.1 %", () => {
    const { changes, play } = createTestLimit({ ...limit, consecutive: 1, minEvents: 1_000_000 });
    play(`${".".repeat(5_000)}dd`);
    expect(changes[0]?.error).toContain(
      "100 % are invalid_event (d) in topic a (less than 0.1 % of that topic's events)",
    );
  });

  it("forgets the share after a minute, and the row never", () => {
    const { deadLetterLimit, play } = createTestLimit();
    play(".d.d.d.d.d.d.d.d.d.");
    expect(play("d", start + 65_000)).toBe(1);
    expect(play("ddddd", start + 10 * 60_000)).toBe(4);
    expect(deadLetterLimit.isHeld).toBe(true);
  });

  it.each([limit, byCause])("continues, counting from zero, when an operator changes the limit: $scope", (given) => {
    const { deadLetterLimit, changes, play, held } = createTestLimit(given);
    play("dddddd");
    deadLetterLimit.setLimit({ ...given }, start + 1_000);
    expect(held()).toEqual(["d of a"]);
    deadLetterLimit.setLimit({ ...given, consecutive: 6 }, start + 2_000);
    expect([deadLetterLimit.isHeld, held(), deadLetterLimit.warnings]).toEqual([false, [], []]);
    expect(changes[1]).toMatchObject({ isHeld: false, error: "", heldMs: 2_000 });
    expect(play("ddddddd")).toBe(6);
  });

  it("never holds if it is switched off", () => {
    const { deadLetterLimit, play } = createTestLimit();
    play("dddddd");
    deadLetterLimit.setLimit(false, start);
    expect([play(`.${"d".repeat(5_000)}`), deadLetterLimit.isHeld]).toEqual([5_000, false]);
  });

  it("keeps counting if the clock is set back", () => {
    const { play } = createTestLimit();
    play("d.d.d.d.d.d.d.d.d.");
    expect(play("d.d", start - 3_600_000)).toBe(1);
  });
});

describe("DeadLetterLimit, by cause", () => {
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
    const { deadLetterLimit, admitted, held } = createTestLimit(byCause);
    expect([admitted(events), held(), deadLetterLimit.isHeld]).toEqual([expected, causes, false]);
  });

  it("lets the events of that cause wait, and says which they are and how to release them", () => {
    const { deadLetterLimit, changes, play } = createTestLimit(byCause);
    play("dddddd");
    expect(deadLetterLimit.countIfAllowed(causeOf("d"), "No", start)).toBe("parked");
    expect(deadLetterLimit.rulingOf(causeOf("d"))).toBe("parked");
    expect([deadLetterLimit.countIfAllowed(causeOf("e"), "No", start), deadLetterLimit.rulingOf(causeOf("D"))]).toEqual(
      ["admitted", "admitted"],
    );
    expect([deadLetterLimit.isTopicHeld("a"), deadLetterLimit.isTopicHeld("b")]).toEqual([true, false]);
    expect(changes).toMatchObject([{ isHeld: true, culprits: [{ topic: "a", rule: "d", percentOfDeadLetters: 100 }] }]);
    expect(changes[0]?.error).toBe(
      "5 events in a row went to the dead-letter topic: 100 % are invalid_event (d) in topic a (100 % of that topic's events). " +
        "Events of topic a that would end as invalid_event (d) wait in the retry topics; all other events continue. To release them, " +
        "raise deadLetterLimit in the settings file or set it to false",
    );
  });

  it("reports at the end how long the first cause was held", () => {
    const { deadLetterLimit, changes, play } = createTestLimit(byCause);
    play("dddddd");
    play("eeeeee", start + 10_000);
    deadLetterLimit.setLimit(false, start + 12_000);
    expect(changes.map(({ isHeld, heldMs }) => [isHeld, heldMs])).toEqual([
      [true, 0],
      [true, 0],
      [false, 12_000],
    ]);
  });

  it("continues by cause if everything was held, and the other way round", () => {
    const { deadLetterLimit, play, admitted } = createTestLimit();
    play("dddddd");
    deadLetterLimit.setLimit(byCause, start);
    expect([admitted("ddddddE"), deadLetterLimit.isHeld]).toEqual(["dddddE", false]);
    deadLetterLimit.setLimit(limit, start);
    expect([admitted("ddddddE"), deadLetterLimit.isHeld]).toEqual(["ddddd", true]);
  });

  it("lets no event wait that is too large for a retry topic", () => {
    const { deadLetterLimit, held } = createTestLimit(byCause);
    const rulings = Array.from({ length: 8 }, () =>
      deadLetterLimit.countIfAllowed({ topic: "a", reason: "too_large" }, "No", start),
    );
    expect([new Set(rulings), held()]).toEqual([new Set(["admitted"]), []]);
    deadLetterLimit.countIfAllowed(causeOf("d"), "No", start);
    expect([deadLetterLimit.countIfAllowed(causeOf("d"), "No", start), held()], "nobody waits in its place").toEqual([
      "admitted",
      [],
    ]);
  });

  it("counts in bounded memory whatever the names: further topics and rules count together", () => {
    const { deadLetterLimit } = createTestLimit(byCause);
    for (let n = 0; n < 2_000; n++) deadLetterLimit.countOtherOutcome(`topic${n}`, start);
    const die = (n: number) =>
      deadLetterLimit.countIfAllowed({ topic: `more${n}`, reason: "rejected", rule: "http_400" }, "No", start);
    for (let n = 0; n < 20; n++) {
      die(n);
      deadLetterLimit.countOtherOutcome(`more${n}`, start);
    }
    expect(deadLetterLimit.culprits).toEqual([]);
    for (let n = 0; n < 6; n++) die(n);
    expect(deadLetterLimit.culprits).toMatchObject([{ topic: "other", rule: "http_400" }]);
    for (let n = 0; n < 600; n++) {
      deadLetterLimit.countIfAllowed({ topic: "topic1", reason: "rejected", rule: `rule${n}` }, "No", start);
      deadLetterLimit.countOtherOutcome("topic1", start);
    }
    for (let n = 0; n < 6; n++)
      deadLetterLimit.countIfAllowed({ topic: "topic1", reason: "rejected", rule: `new${n}` }, "No", start);
    expect(deadLetterLimit.culprits.at(-1)).toMatchObject({ topic: "topic1", reason: "rejected" });
    expect(deadLetterLimit.culprits.at(-1)?.rule).toBeUndefined();
  });

  it("counts nothing when it is asked: topics that only appear in questions leave room for those that are counted", () => {
    const { deadLetterLimit, play } = createTestLimit(byCause);
    play("DDDDDD");
    for (let n = 0; n < 200; n++) {
      expect(deadLetterLimit.rulingOf({ topic: `asked${n}`, reason: "rejected" })).toBe("admitted");
      expect(deadLetterLimit.isTopicHeld(`asked${n}`)).toBe(false);
    }
    play("dddddd");
    expect(deadLetterLimit.culprits.map(({ topic }) => topic)).toEqual(["b", "a"]);
  });

  it("never admits more in a row of a topic than the limit for each of its causes, and holds no cause that made none", () => {
    const script = fc.array(fc.constantFrom(...Array.from("..::ddddefDDDE")), { maxLength: 200, size: "max" });
    fc.assert(
      fc.property(script, (events) => {
        const { deadLetterLimit, admitted, held } = createTestLimit({ ...byCause, minEvents: 1_000_000 });
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
        expect(deadLetterLimit.isHeld).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
