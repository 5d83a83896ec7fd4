import { describe, expect, it } from "vitest";

import type { Findings } from "../../bench/drill/findings.ts";
import { createLedger } from "../../bench/drill/ledger.ts";
import { formatReport, reportOf } from "../../bench/drill/report.ts";

const ledger = createLedger();
const nothing = { allowed: 0, got: 0 };
const findings: Findings = {
  produced: 3,
  delivered: 1,
  skipped: 1,
  dead: 1,
  lost: [],
  unexpectedDeliveries: [],
  wronglyDead: [],
  deadTwice: [],
  deliveredAndDead: [],
  duplicates: {
    crash: { allowed: 4, got: 2 },
    "right taken away": { allowed: 0, got: 0 },
    "broker lost": nothing,
    "answer lost": nothing,
    "produced twice": nothing,
  },
  unexplained: [],
};
const hold = { calls: 3, allowedCalls: 9, writtenRecords: 0 };
const outage = { kind: "outage-503", startedAt: 0, endedAt: 8_000, hold } as const;
const good = {
  seed: 7,
  findings,
  ledger,
  faultRuns: [outage],
  recoveries: [{ faultRun: outage, halfRateMs: 400, caughtUpMs: 1_000 }],
  unexpectedExits: [],
  peakMegabytes: 150,
  drainedMs: 2_000,
  uncommitted: [],
  unproduced: [],
};

describe("reportOf()", () => {
  it("says that every promise was kept", () => {
    const report = reportOf(good);
    expect(report.isKept).toBe(true);
    expect(formatReport(report)).toContain("3 events: 1 delivered (and 2 duplicates), 1 skipped, 1 dead-lettered");
    expect(formatReport(report)).toContain("Every promise was kept. Seed 7");
  });

  it.each([
    { what: "a lost event", changes: { findings: { ...findings, lost: ["u1-1"] } } },
    {
      what: "more duplicates than the crash allows",
      changes: { findings: { ...findings, duplicates: { ...findings.duplicates, crash: { allowed: 4, got: 5 } } } },
    },
    {
      what: "a record written during a hold",
      changes: { faultRuns: [{ ...outage, hold: { ...hold, writtenRecords: 1 } }] },
    },
    { what: "too many calls during a hold", changes: { faultRuns: [{ ...outage, hold: { ...hold, calls: 10 } }] } },
    {
      what: "a recovery that never came",
      changes: { recoveries: [{ faultRun: outage, halfRateMs: undefined, caughtUpMs: 0 }] },
    },
    {
      what: "a registry outage without a hold",
      changes: { faultRuns: [{ ...outage, registry: { isSeen: false, isOver: true } }] },
    },
    { what: "an uncommitted record", changes: { uncommitted: [{ partition: "drill-events/3", records: 2 }] } },
    { what: "a process that ended by itself", changes: { unexpectedExits: ["i1 ended with exit code 1"] } },
    { what: "too much memory", changes: { peakMegabytes: 201 } },
    { what: "a record that the producer lost", changes: { unproduced: ["u1-1"] } },
  ])("calls $what a broken promise", ({ changes }) => {
    const report = reportOf({ ...good, ...changes });
    expect(report.rows.filter(({ isKept }) => !isKept)).toHaveLength(1);
    expect(formatReport(report)).toMatch(/1 of \d+ promises were broken/);
  });
});
