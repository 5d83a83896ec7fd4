import { describe, expect, it } from "vitest";

import { type Evidence, type DuplicateExcuse, evaluate } from "../../bench/drill/findings.ts";
import { type Acceptance, createLedger, type ExpectedOutcome } from "../../bench/drill/ledger.ts";

const acceptedFrom = (launch: number, at: number, isResponseRead = true): Acceptance => ({
  launch,
  at,
  isResponseRead,
});

/** A ledger with the events u1-1, u1-2 and so on, with these expected outcomes. */
const ledgerOf = (...outcomes: ExpectedOutcome[]) => {
  const ledger = createLedger();
  for (const [index, expected] of outcomes.entries()) {
    ledger.produce({ id: `u1-${index + 1}`, user: "u1", seq: index + 1, expected }, 0);
  }
  return ledger;
};

const findingsOf = (evidence: Partial<Evidence> & Pick<Evidence, "ledger">) =>
  evaluate({ deadLetters: [], excuses: [], repeated: new Set(), wasUnlucky: () => false, ...evidence });

const crash: DuplicateExcuse = { cause: "crash", launch: 1, from: 1_000, to: 3_000 };
const brokerLost: DuplicateExcuse = { cause: "broker lost", from: 1_000, to: 3_000 };

describe("evaluate()", () => {
  it("counts an event as lost if it is neither delivered, skipped nor dead-lettered", () => {
    const ledger = ledgerOf("deliver", "deliver", "skip", "dead", "dead");
    ledger.accept("u1-1", acceptedFrom(1, 1));
    const findings = findingsOf({ ledger, deadLetters: [{ id: "u1-4", reason: "undecodable", at: 1 }] });
    expect(findings).toMatchObject({ produced: 5, delivered: 1, skipped: 1, dead: 1, lost: ["u1-2", "u1-5"] });
  });

  it("names events that were delivered but must be skipped, must be dead-lettered or were never produced", () => {
    const ledger = ledgerOf("skip", "dead");
    for (const id of ["u1-1", "u1-2", "u9-9"]) ledger.accept(id, acceptedFrom(1, 1));
    expect(findingsOf({ ledger }).unexpectedDeliveries).toEqual(["u1-1", "u1-2", "u9-9"]);
  });

  it.each([
    { what: "an exhausted event of an unlucky user", reason: "retries_exhausted", unlucky: true, wrongly: 0 },
    { what: "an exhausted event of a lucky user", reason: "retries_exhausted", unlucky: false, wrongly: 1 },
    { what: "a rejected event of an unlucky user", reason: "rejected", unlucky: true, wrongly: 1 },
  ])("$what gives $wrongly wrong dead letters", ({ reason, unlucky, wrongly }) => {
    const deadLetters = [{ id: "u1-1", reason, at: 1 }];
    const findings = findingsOf({ ledger: ledgerOf("deliver"), deadLetters, wasUnlucky: () => unlucky });
    expect(findings.wronglyDead).toHaveLength(wrongly);
    expect(findings.lost).toEqual([]);
  });

  it.each([
    { what: "a crash of its sender", before: acceptedFrom(1, 2_000), excuses: [crash], cause: "crash" },
    { what: "a crash before the response", before: acceptedFrom(1, 2_000, false), excuses: [crash], cause: "crash" },
    { what: "a crash of another instance", before: acceptedFrom(2, 2_000), excuses: [crash], cause: undefined },
    { what: "a crash long after the delivery", before: acceptedFrom(1, 900), excuses: [crash], cause: undefined },
    { what: "a lost response", before: acceptedFrom(1, 2_000, false), excuses: [], cause: "answer lost" },
    { what: "a lost broker", before: acceptedFrom(2, 2_000), excuses: [crash, brokerLost], cause: "broker lost" },
    { what: "nothing", before: acceptedFrom(1, 2_000), excuses: [], cause: undefined },
  ])("explains a duplicate after $what with the cause $cause", ({ before, excuses, cause }) => {
    const ledger = ledgerOf("deliver");
    ledger.accept("u1-1", before);
    ledger.accept("u1-1", acceptedFrom(3, 9_000));
    const { duplicates, unexplained } = findingsOf({ ledger, excuses });
    const explained = Object.entries(duplicates).filter(([, { got }]) => got > 0);
    expect(explained.map(([name]) => name)).toEqual(cause === undefined ? [] : [cause]);
    expect(unexplained).toHaveLength(cause === undefined ? 1 : 0);
  });

  it("explains duplicates from a call accepted after its time-out, and from two records in the source", () => {
    const ledger = ledgerOf("deliver", "deliver");
    for (const id of ["u1-1", "u1-2"]) ledger.accept(id, acceptedFrom(1, 1_000));
    ledger.accept("u1-1", acceptedFrom(1, 2_000, false));
    ledger.accept("u1-2", acceptedFrom(1, 2_000));
    const { duplicates, unexplained } = findingsOf({ ledger, repeated: new Set(["u1-2"]) });
    expect(duplicates).toMatchObject({
      "answer lost": { allowed: 1, got: 1 },
      "produced twice": { allowed: 2, got: 1 },
    });
    expect(unexplained).toEqual([]);
  });

  it("allows as many duplicates as events were accepted in the excused time", () => {
    const ledger = ledgerOf("deliver", "deliver", "deliver");
    for (const [id, at] of [
      ["u1-1", 500],
      ["u1-2", 1_500],
      ["u1-3", 2_500],
    ] as const)
      ledger.accept(id, acceptedFrom(1, at));
    expect(findingsOf({ ledger, excuses: [crash] }).duplicates.crash).toEqual({ allowed: 2, got: 0 });
  });

  it.each([
    { excuses: [], times: 1 },
    { excuses: [crash], times: 0 },
  ])("counts a repeated dead letter $times times", ({ excuses, times }) => {
    const deadLetter = { id: "u1-1", reason: "undecodable", at: 2_000 };
    const findings = findingsOf({ ledger: ledgerOf("dead"), deadLetters: [deadLetter, deadLetter], excuses });
    expect(findings.deadTwice).toHaveLength(times);
    expect(findings.dead).toBe(1);
  });
});

describe("createLedger()", () => {
  it("counts an event once as out of order if it is first accepted after a later event of its user", () => {
    const ledger = ledgerOf("deliver", "deliver", "deliver");
    for (const id of ["u1-1", "u1-3", "u1-2", "u1-2", "u1-1"]) ledger.accept(id, acceptedFrom(1, 1));
    expect(ledger.inversions).toEqual([{ id: "u1-2", after: 3, accepted: acceptedFrom(1, 1) }]);
    expect(ledger.duplicates.map(({ id }) => id)).toEqual(["u1-2", "u1-1"]);
  });

  it("lets users overtake each other", () => {
    const ledger = ledgerOf("deliver", "deliver");
    ledger.produce({ id: "u2-1", user: "u2", seq: 1, expected: "deliver" }, 0);
    for (const id of ["u1-1", "u1-2", "u2-1"]) ledger.accept(id, acceptedFrom(1, 1));
    expect(ledger.inversions).toEqual([]);
  });
});
