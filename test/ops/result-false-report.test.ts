import { describe, expect, it } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import { createResultFalseReport } from "../../src/ops/result-false-report.ts";
import { createTestClock } from "../delivery/test-clock.ts";

const hourMs = 3_600_000;

const open = () => {
  const clock = createTestClock();
  const lines: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const report = createResultFalseReport({
    log: createLog({
      level: "info",
      destination: { write: (line) => void lines.push(JSON.parse(line) as object as (typeof lines)[number]) },
    }),
    metrics: { recordResultFalse: (code) => void counted.push(code) },
    schedule: clock.schedule,
  });
  return { clock, lines, counted, report };
};

describe("the report of result: false", () => {
  it("logs the first response at once, and those of the next hour in one line", () => {
    const { clock, lines, counted, report } = open();
    report({ status: 200, code: "GSOBJ_1002", requestId: "r1" });
    report({ status: 200 });
    report({ status: 202, code: "GU_1101", requestId: "r3" });
    expect(lines).toMatchObject([{ level: "warn", count: 1, code: "GSOBJ_1002", status: 200, requestId: "r1" }]);
    clock.advance(hourMs);
    expect(lines.slice(1)).toMatchObject([{ level: "warn", count: 2, code: "GU_1101", status: 202, requestId: "r3" }]);
    expect(counted).toEqual(["GSOBJ", "other", "GU"]);
  });

  it("logs nothing after an hour without any, and the next response at once again", () => {
    const { clock, lines, report } = open();
    report({ status: 200 });
    clock.advance(hourMs);
    clock.advance(hourMs);
    expect(lines).toHaveLength(1);
    report({ status: 200 });
    report({ status: 200 });
    clock.advance(hourMs);
    expect(lines.map(({ count }) => count)).toEqual([1, 1, 1]);
  });
});
