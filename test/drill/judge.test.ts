import { describe, expect, it } from "vitest";

import { type Evidence, type DuplicateExcuse, evaluate } from "../../bench/drill/judge.ts";
import { type Acceptance, createLedger, type ExpectedOutcome } from "../../bench/drill/ledger.ts";

const by = (launch: number, at: number, isHeard = true): Acceptance => ({ launch, at, isResponseRead: isHeard });

/** Produces u1-1, u1-2 and so on with these fates. */
const produced = (...fates: ExpectedOutcome[]) => {
  const ledger = createLedger();
  for (const [index, fate] of fates.entries()) {
    ledger.produce({ id: `u1-${index + 1}`, user: "u1", seq: index + 1, fate }, 0);
  }
  return ledger;
};

const judged = (given: Partial<Evidence> & Pick<Evidence, "ledger">) =>
  evaluate({ deadLetters: [], excuses: [], repeated: new Set(), wasUnlucky: () => false, ...given });

const crash: DuplicateExcuse = { cause: "crash", launch: 1, from: 1_000, to: 3_000 };
const brokerLost: DuplicateExcuse = { cause: "broker lost", from: 1_000, to: 3_000 };

describe("judge()", () => {
  it("takes an event for lost that is neither delivered, skipped nor dead", () => {
    const ledger = produced("deliver", "deliver", "skip", "dead", "dead");
    ledger.accept("u1-1", by(1, 1));
    const findings = judged({ ledger, deadLetters: [{ id: "u1-4", reason: "undecodable", at: 1 }] });
    expect(findings).toMatchObject({ produced: 5, delivered: 1, skipped: 1, dead: 1, lost: ["u1-2", "u1-5"] });
  });

  it("names what was delivered though it is skipped by rule, has to die or does not exist", () => {
    const ledger = produced("skip", "dead");
    for (const id of ["u1-1", "u1-2", "u9-9"]) ledger.accept(id, by(1, 1));
    expect(judged({ ledger }).unexpectedDeliveries).toEqual(["u1-1", "u1-2", "u9-9"]);
  });

  it.each([
    { what: "an exhausted event of an unlucky user", reason: "retries_exhausted", unlucky: true, wrongly: 0 },
    { what: "an exhausted event of a lucky user", reason: "retries_exhausted", unlucky: false, wrongly: 1 },
    { what: "a rejected event of an unlucky user", reason: "rejected", unlucky: true, wrongly: 1 },
  ])("$what: $wrongly wrongly dead", ({ reason, unlucky, wrongly }) => {
    const deadLetters = [{ id: "u1-1", reason, at: 1 }];
    const findings = judged({ ledger: produced("deliver"), deadLetters, wasUnlucky: () => unlucky });
    expect(findings.wronglyDead).toHaveLength(wrongly);
    expect(findings.lost).toEqual([]);
  });

  it.each([
    { what: "a crash of its sender", before: by(1, 2_000), excuses: [crash], cause: "crash" },
    { what: "a crash before the answer came", before: by(1, 2_000, false), excuses: [crash], cause: "crash" },
    { what: "a crash of another", before: by(2, 2_000), excuses: [crash], cause: undefined },
    { what: "a crash long after it", before: by(1, 900), excuses: [crash], cause: undefined },
    { what: "a lost answer", before: by(1, 2_000, false), excuses: [], cause: "answer lost" },
    { what: "a lost broker", before: by(2, 2_000), excuses: [crash, brokerLost], cause: "broker lost" },
    { what: "nothing", before: by(1, 2_000), excuses: [], cause: undefined },
  ])("explains a repetition by $what with: $cause", ({ before, excuses, cause }) => {
    const ledger = produced("deliver");
    ledger.accept("u1-1", before);
    ledger.accept("u1-1", by(3, 9_000));
    const { duplicates, unexplained } = judged({ ledger, excuses });
    const explained = Object.entries(duplicates).filter(([, { got }]) => got > 0);
    expect(explained.map(([name]) => name)).toEqual(cause === undefined ? [] : [cause]);
    expect(unexplained).toHaveLength(cause === undefined ? 1 : 0);
  });

  it("explains a repetition by a late call that is taken after the next one, and by two records in the source", () => {
    const ledger = produced("deliver", "deliver");
    for (const id of ["u1-1", "u1-2"]) ledger.accept(id, by(1, 1_000));
    ledger.accept("u1-1", by(1, 2_000, false));
    ledger.accept("u1-2", by(1, 2_000));
    const { duplicates, unexplained } = judged({ ledger, repeated: new Set(["u1-2"]) });
    expect(duplicates).toMatchObject({
      "answer lost": { allowed: 1, got: 1 },
      "produced twice": { allowed: 2, got: 1 },
    });
    expect(unexplained).toEqual([]);
  });

  it("allows as many repetitions as were taken in the time that excuses them", () => {
    const ledger = produced("deliver", "deliver", "deliver");
    for (const [id, at] of [
      ["u1-1", 500],
      ["u1-2", 1_500],
      ["u1-3", 2_500],
    ] as const)
      ledger.accept(id, by(1, at));
    expect(judged({ ledger, excuses: [crash] }).duplicates.crash).toEqual({ allowed: 2, got: 0 });
  });

  it.each([
    { excuses: [], times: 1 },
    { excuses: [crash], times: 0 },
  ])("counts a dead letter that lies there twice $times times", ({ excuses, times }) => {
    const letter = { id: "u1-1", reason: "undecodable", at: 2_000 };
    const findings = judged({ ledger: produced("dead"), deadLetters: [letter, letter], excuses });
    expect(findings.deadTwice).toHaveLength(times);
    expect(findings.dead).toBe(1);
  });
});

describe("createLedger()", () => {
  it("takes an event for out of order that comes first after a later one of its user, once", () => {
    const ledger = produced("deliver", "deliver", "deliver");
    for (const id of ["u1-1", "u1-3", "u1-2", "u1-2", "u1-1"]) ledger.accept(id, by(1, 1));
    expect(ledger.inversions).toEqual([{ id: "u1-2", after: 3, accepted: by(1, 1) }]);
    expect(ledger.duplicates.map(({ id }) => id)).toEqual(["u1-2", "u1-1"]);
  });

  it("lets other users overtake", () => {
    const ledger = produced("deliver", "deliver");
    ledger.produce({ id: "u2-1", user: "u2", seq: 1, fate: "deliver" }, 0);
    for (const id of ["u1-1", "u1-2", "u2-1"]) ledger.accept(id, by(1, 1));
    expect(ledger.inversions).toEqual([]);
  });
});
