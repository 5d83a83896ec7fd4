import { describe, expect, it } from "vitest";

import { createCallLog, maxRecordedCalls } from "../../src/standin/call-log.ts";

const start = Date.parse("2026-01-31T12:00:00.000Z");

describe("createCallLog()", () => {
  it("counts by status and type, all unknown types together", () => {
    const calls = createCallLog(() => start);
    calls.record(200, { type: "track" });
    calls.record(503, { type: "track" });
    calls.record("reset", { type: "made up" });
    calls.record(400, undefined);
    calls.recordDelivered();
    expect(calls.counts()).toEqual({
      total: 4,
      delivered: 1,
      byStatus: { 200: 1, 400: 1, 503: 1, reset: 1 },
      byType: { track: 2, other: 1, none: 1 },
      perSecond: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    });
  });

  it("counts the last ten whole seconds, oldest first, without the current one", () => {
    let now = start;
    const calls = createCallLog(() => now);
    for (let second = 0; second <= 12; second += 1) {
      now = start + second * 1_000 + 500;
      for (let call = 0; call <= second; call += 1) calls.record(200, undefined);
    }
    expect(calls.counts().perSecond).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("keeps the newest calls in order, without traits", () => {
    const calls = createCallLog(() => start);
    const many = maxRecordedCalls + 5;
    for (let call = 1; call <= many; call += 1) {
      calls.record(200, { type: "identify", messageId: `m${call}`, userId: "u", traits: { email: "a@example.com" } });
    }
    expect(calls.newest(2).map(({ messageId }) => messageId)).toEqual([`m${many - 1}`, `m${many}`]);
    expect(calls.newest(1_000)).toHaveLength(maxRecordedCalls);
    expect(calls.newest(1_000)[0]?.messageId).toBe("m6");
    expect(JSON.parse(JSON.stringify(calls.newest(1)))).toEqual([
      { time: "2026-01-31T12:00:00.000Z", status: 200, type: "identify", messageId: `m${many}`, userId: "u" },
    ]);
  });

  it("clears everything on reset", () => {
    const calls = createCallLog(() => start);
    calls.record(200, undefined);
    calls.reset();
    expect(calls.newest(10)).toEqual([]);
    expect(calls.counts().total).toBe(0);
  });
});
