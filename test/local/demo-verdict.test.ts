import { describe, expect, test } from "vitest";

import { type DemoData, type DemoRecord, createDemoData } from "../../local/demo-cast.ts";
import { type Evidence, evaluate, type ReadRecord } from "../../local/demo-verdict.ts";

const OPTIONS = { events: 2_000, users: 200, poison: 12, seed: 7, startAt: Date.parse("2026-03-01T12:00:00Z") };

describe("createDemoData()", () => {
  const { records, unlucky } = createDemoData(OPTIONS);
  const reasons = new Set(records.map(({ fate }) => ("reason" in fate ? fate.reason : fate.kind)));

  test("has every fate, and is the same every time", () => {
    expect(reasons).toEqual(
      new Set([
        "deliver",
        "unsupported_event_type",
        "filtered_by_allow_list",
        "undecodable",
        "unknown_schema",
        "invalid_event",
      ]),
    );
    expect(createDemoData(OPTIONS).records).toEqual(records);
  });

  test("keeps all events, in order, with the poison spread between them", () => {
    const events = records.filter(({ fate }) => fate.kind !== "dead");
    expect(events).toHaveLength(2_000);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2_012);
    const poisonPlaces = [...records.keys()].filter((place) => records[place]?.fate.kind === "dead");
    expect(poisonPlaces).toHaveLength(12);
    expect(poisonPlaces[1]! - poisonPlaces[0]!).toBeGreaterThan(100);
  });

  test("gives the bad luck to a user with events enough to wait behind each other", () => {
    expect(records.filter(({ key, fate }) => key === unlucky && fate.kind === "deliver").length).toBeGreaterThan(5);
  });
});

const deliver = (id: string, key: string): DemoRecord => ({ id, key, content: {}, fate: { kind: "deliver" } });
const CAST: DemoData = {
  users: 2,
  unlucky: "ada",
  records: [
    deliver("a1", "ada"),
    deliver("b1", "bob"),
    deliver("a2", "ada"),
    { id: "s1", key: "bob", content: {}, fate: { kind: "skip", reason: "filtered_by_allow_list" } },
    { id: "p1", key: "p1", content: Buffer.from("broken"), fate: { kind: "dead", reason: "undecodable" } },
    deliver("a3", "ada"),
  ],
};
const letter = (key: string, value: string, reason: string): ReadRecord => ({
  topic: "dlq",
  key,
  value: Buffer.from(value),
  headers: { "gainstream-reason": reason },
});
const GOOD: Evidence = {
  cast: CAST,
  produced: 6,
  committed: 6,
  accepted: ["b1", "a1", "a2", "a3"],
  repeats: 0,
  repeatedIds: [],
  inversions: 0,
  deadLetters: [letter("p1", "broken", "undecodable")],
  retried: [
    {
      ...letter("ada", "", "server_error"),
      headers: { "gainstream-reason": "server_error", "gainstream-id": "t-0-1" },
    },
    { ...letter("ada", "", "parked"), headers: { "gainstream-reason": "parked", "gainstream-id": "t-0-1" } },
  ],
};

describe("evaluate()", () => {
  test("breaks no promise where everything is where it belongs", () => {
    expect(evaluate(GOOD).broken).toEqual([]);
  });

  test("counts records that waited once, and their stops by reason", () => {
    const counts = evaluate(GOOD).rows.map(({ name, count }) => [name, count]);
    expect(counts).toEqual([
      ["produced", 6],
      ["delivered", 4],
      ["skipped", 1],
      ["filtered_by_allow_list", 1],
      ["dead-lettered", 1],
      ["undecodable", 1],
      ["retried", 1],
      ["parked", 1],
      ["server_error", 1],
      ["lost", 0],
      ["duplicated", 0],
      ["out of order", 0],
    ]);
  });

  test.each<[string, Partial<Evidence>, string]>([
    ["an event that never arrived", { accepted: ["b1", "a1", "a3"] }, "Lost: 1 (a2)"],
    ["a poison record that is nowhere", { deadLetters: [] }, "Lost: 1 (p1)"],
    ["a repeat", { repeats: 2, repeatedIds: ["a1"] }, "Delivered more than once: 2 (a1)"],
    ["a later event first", { accepted: ["b1", "a2", "a1", "a3"] }, "Out of order: 1 (a1)"],
    ["an inversion that only the stand-in saw", { inversions: 1 }, "Out of order: 1"],
    ["an event past the allow-list", { accepted: [...GOOD.accepted, "s1"] }, "Delivered though to be skipped: 1 (s1)"],
    [
      "a dead letter of a good event",
      { deadLetters: [...GOOD.deadLetters, letter("ada", "", "rejected")] },
      "Dead-lettered without need, or twice: 1 (ada)",
    ],
    [
      "a dead letter twice",
      { deadLetters: [...GOOD.deadLetters, ...GOOD.deadLetters] },
      "Dead-lettered without need, or twice: 1",
    ],
    [
      "a dead letter with another reason",
      { deadLetters: [letter("p1", "broken", "invalid_event")] },
      "Dead-lettered with another reason or other bytes: 1 (p1)",
    ],
    [
      "a dead letter with other bytes",
      { deadLetters: [letter("p1", "mended", "undecodable")] },
      "Dead-lettered with another reason or other bytes: 1 (p1)",
    ],
    ["a record that is not committed", { committed: 5 }, "Not committed: 1"],
    [
      "a record that is not in the topic",
      { produced: 5, committed: 5 },
      "Sent, but not in the source topic exactly once: 1",
    ],
  ])("says so of %s", (_what, found, sentence) => {
    expect(evaluate({ ...GOOD, ...found }).broken).toEqual([sentence]);
  });

  test("names five ids at most", () => {
    const records = Array.from({ length: 9 }, (_unused, index) => deliver(`e${index}`, "ada"));
    const { broken } = evaluate({
      ...GOOD,
      cast: { ...CAST, records },
      produced: 9,
      committed: 9,
      accepted: [],
      deadLetters: [],
    });
    expect(broken).toEqual(["Lost: 9 (e0, e1, e2, e3, e4, …)"]);
  });
});
