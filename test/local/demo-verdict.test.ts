import { describe, expect, test } from "vitest";

import { type DemoData, type DemoRecord, createDemoData } from "../../local/demo-data.ts";
import { type Evidence, evaluate, type ReadRecord } from "../../local/demo-verdict.ts";

const OPTIONS = { events: 2_000, users: 200, poison: 12, seed: 7, startAt: Date.parse("2026-03-01T12:00:00Z") };

describe("createDemoData()", () => {
  const { records, failingUser } = createDemoData(OPTIONS);
  const reasons = new Set(records.map(({ expected }) => ("reason" in expected ? expected.reason : expected.kind)));

  test("has every outcome, and is the same every time", () => {
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

  test("keeps all events in order, with poison records spread between them", () => {
    const events = records.filter(({ expected }) => expected.kind !== "dead");
    expect(events).toHaveLength(2_000);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2_012);
    const poisonPositions = [...records.keys()].filter((position) => records[position]?.expected.kind === "dead");
    expect(poisonPositions).toHaveLength(12);
    expect(poisonPositions[1]! - poisonPositions[0]!).toBeGreaterThan(100);
  });

  test("picks a failing user with enough events to wait behind each other", () => {
    expect(
      records.filter(({ key, expected }) => key === failingUser && expected.kind === "deliver").length,
    ).toBeGreaterThan(5);
  });
});

const deliver = (id: string, key: string): DemoRecord => ({ id, key, content: {}, expected: { kind: "deliver" } });
const DATA: DemoData = {
  users: 2,
  failingUser: "ada",
  records: [
    deliver("a1", "ada"),
    deliver("b1", "bob"),
    deliver("a2", "ada"),
    { id: "s1", key: "bob", content: {}, expected: { kind: "skip", reason: "filtered_by_allow_list" } },
    { id: "p1", key: "p1", content: Buffer.from("broken"), expected: { kind: "dead", reason: "undecodable" } },
    deliver("a3", "ada"),
  ],
};
const deadLetter = (key: string, value: string, reason: string): ReadRecord => ({
  topic: "dlq",
  key,
  value: Buffer.from(value),
  headers: { "gainstream-reason": reason },
});
const GOOD: Evidence = {
  data: DATA,
  produced: 6,
  committed: 6,
  accepted: ["b1", "a1", "a2", "a3"],
  repeats: 0,
  repeatedIds: [],
  inversions: 0,
  deadLetters: [deadLetter("p1", "broken", "undecodable")],
  retried: [
    {
      ...deadLetter("ada", "", "server_error"),
      headers: { "gainstream-reason": "server_error", "gainstream-id": "t-0-1" },
    },
    { ...deadLetter("ada", "", "parked"), headers: { "gainstream-reason": "parked", "gainstream-id": "t-0-1" } },
  ],
};

describe("evaluate()", () => {
  test("breaks no promise if every record has its expected outcome", () => {
    expect(evaluate(GOOD).broken).toEqual([]);
  });

  test("counts each retried event once, and retry records by reason", () => {
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
    ["a missing dead letter", { deadLetters: [] }, "Lost: 1 (p1)"],
    ["a duplicate", { repeats: 2, repeatedIds: ["a1"] }, "Delivered more than once: 2 (a1)"],
    ["a later event first", { accepted: ["b1", "a2", "a1", "a3"] }, "Out of order: 1 (a1)"],
    ["an inversion that only the stand-in saw", { inversions: 1 }, "Out of order: 1"],
    [
      "an event that the allow-list skips",
      { accepted: [...GOOD.accepted, "s1"] },
      "Delivered, but a rule skips it: 1 (s1)",
    ],
    [
      "a dead letter of an event that must be delivered",
      { deadLetters: [...GOOD.deadLetters, deadLetter("ada", "", "rejected")] },
      "Dead-lettered without a reason, or twice: 1 (ada)",
    ],
    [
      "a dead letter twice",
      { deadLetters: [...GOOD.deadLetters, ...GOOD.deadLetters] },
      "Dead-lettered without a reason, or twice: 1",
    ],
    [
      "a dead letter with the wrong reason",
      { deadLetters: [deadLetter("p1", "broken", "invalid_event")] },
      "Dead-lettered with the wrong reason or changed bytes: 1 (p1)",
    ],
    [
      "a dead letter with changed bytes",
      { deadLetters: [deadLetter("p1", "mended", "undecodable")] },
      "Dead-lettered with the wrong reason or changed bytes: 1 (p1)",
    ],
    ["a record that is not committed", { committed: 5 }, "Not committed: 1"],
    [
      "a record that is not in the topic",
      { produced: 5, committed: 5 },
      "Produced, but not exactly once in the source topic: 1",
    ],
  ])("reports %s", (_what, found, sentence) => {
    expect(evaluate({ ...GOOD, ...found }).broken).toEqual([sentence]);
  });

  test("names at most five ids", () => {
    const records = Array.from({ length: 9 }, (_unused, index) => deliver(`e${index}`, "ada"));
    const { broken } = evaluate({
      ...GOOD,
      data: { ...DATA, records },
      produced: 9,
      committed: 9,
      accepted: [],
      deadLetters: [],
    });
    expect(broken).toEqual(["Lost: 9 (e0, e1, e2, e3, e4, …)"]);
  });
});
