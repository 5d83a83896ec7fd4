import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createActiveFaults } from "../../src/standin/active-faults.ts";
import { createRandom } from "../../src/standin/random.ts";

const event = {
  type: "track",
  event: "Order Completed",
  userId: "u1",
  messageId: "m1",
  properties: { accountId: "a1" },
};

const createTestFaults = () => createActiveFaults(createRandom(7));

describe("createActiveFaults()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("delays nothing while no fault is active", () => {
    expect(createTestFaults().useFor(event)).toEqual({ delayMs: 0 });
  });

  it("affects as many calls as the count says, and lists how many it has used", () => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect", count: 2 });
    expect([1, 2, 3].map(() => faults.useFor(event).answeredBy !== undefined)).toEqual([true, true, false]);
    expect(faults.list()).toEqual([{ id: "f1", fault: { kind: "redirect", count: 2 }, used: 2 }]);
  });

  it("ends a fault when its time is over", () => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect", durationMs: 1_000 });
    vi.advanceTimersByTime(999);
    expect(faults.useFor(event).answeredBy?.id).toBe("f1");
    vi.advanceTimersByTime(1);
    expect(faults.useFor(event).answeredBy).toBeUndefined();
    expect(faults.list()).toEqual([]);
  });

  it("affects about the share of calls that the ratio says, the same calls for the same seed", () => {
    const draw = (): readonly boolean[] => {
      const faults = createTestFaults();
      faults.add({ kind: "redirect", ratio: 0.3 });
      return Array.from({ length: 10_000 }, () => faults.useFor(event).answeredBy !== undefined);
    };
    const share = draw().filter(Boolean).length / 10_000;
    expect(share).toBeCloseTo(0.3, 1);
    expect(draw()).toEqual(draw());
  });

  it("affects no call at ratio 0 and every call at ratio 1", () => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect", ratio: 0 });
    faults.add({ kind: "body-false", ratio: 1 });
    for (let call = 0; call < 1_000; call += 1) expect(faults.useFor(event).answeredBy?.id).toBe("f2");
  });

  it("adds up latencies within their jitter, and lets the first other fault answer", () => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect" });
    faults.add({ kind: "latency", ms: 100 });
    faults.add({ kind: "latency", ms: 10, jitterMs: 5 });
    faults.add({ kind: "body-false" });
    const { delayMs, answeredBy } = faults.useFor(event);
    expect(delayMs).toBeGreaterThanOrEqual(110);
    expect(delayMs).toBeLessThan(115);
    expect(answeredBy?.id).toBe("f1");
    expect(faults.list().map(({ used }) => used)).toEqual([1, 1, 1, 0]);
  });

  it.each([
    [{ userId: "u1" }, true],
    [{ userId: "u2" }, false],
    [{ event: "Order Completed", type: "track" }, true],
    [{ event: "Order Completed", type: "group" }, false],
    [{ messageId: "m1" }, true],
    [{ accountId: "a1" }, true],
    [{ accountId: "a2" }, false],
    [{ accountId: "a1", userId: "u2" }, false],
  ])("matches %j: %s", (match, matches) => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect", match });
    expect(faults.useFor(event).answeredBy !== undefined).toBe(matches);
  });

  it.each([{ groupId: "a1" }, { traits: { accountId: "a1" } }, { context: { groupId: "a1" } }])(
    "finds the account in %j",
    (fields) => {
      const faults = createTestFaults();
      faults.add({ kind: "redirect", match: { accountId: "a1" } });
      expect(faults.useFor(fields).answeredBy?.id).toBe("f1");
    },
  );

  it("matches no call whose body cannot be read", () => {
    const faults = createTestFaults();
    faults.add({ kind: "redirect", match: { userId: "u1" } });
    expect(faults.useFor(undefined).answeredBy).toBeUndefined();
  });

  it("calls back when a fault has ended, unless the callback was cancelled", () => {
    const faults = createTestFaults();
    const { id } = faults.add({ kind: "outage", mode: "hang", durationMs: 50 });
    const called: string[] = [];
    faults.onFaultEnd(id, () => called.push("waiting"));
    faults.onFaultEnd(id, () => called.push("cancelled"))();
    vi.advanceTimersByTime(50);
    expect(called).toEqual(["waiting"]);
    faults.onFaultEnd(id, () => called.push("late"));
    expect(called).toEqual(["waiting", "late"]);
  });

  it("clears one fault by its id, or all", () => {
    const faults = createTestFaults();
    for (let added = 0; added < 3; added += 1) faults.add({ kind: "redirect" });
    expect([faults.clear("f2"), faults.clear("f2"), faults.clear(), faults.clear()]).toEqual([1, 0, 2, 0]);
  });
});
