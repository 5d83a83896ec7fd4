import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createActiveFaults } from "../../src/standin/fault-board.ts";
import { createRandom } from "../../src/standin/random.ts";

const event = {
  type: "track",
  event: "Order Completed",
  userId: "u1",
  messageId: "m1",
  properties: { accountId: "a1" },
};

const createBoard = () => createActiveFaults(createRandom(7));

describe("createActiveFaults()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("plans nothing while no fault is active", () => {
    expect(createBoard().plan(event)).toEqual({ delayMs: 0 });
  });

  it("applies to as many calls as the count says, and lists the number used", () => {
    const board = createBoard();
    board.add({ kind: "redirect", count: 2 });
    expect([1, 2, 3].map(() => board.plan(event).answeredBy !== undefined)).toEqual([true, true, false]);
    expect(board.list()).toEqual([{ id: "f1", fault: { kind: "redirect", count: 2 }, used: 2 }]);
  });

  it("ends a fault after its duration", () => {
    const board = createBoard();
    board.add({ kind: "redirect", durationMs: 1_000 });
    vi.advanceTimersByTime(999);
    expect(board.plan(event).answeredBy?.id).toBe("f1");
    vi.advanceTimersByTime(1);
    expect(board.plan(event).answeredBy).toBeUndefined();
    expect(board.list()).toEqual([]);
  });

  it("applies to about the share that the ratio says, and to the same calls for the same seed", () => {
    const draw = (): readonly boolean[] => {
      const board = createBoard();
      board.add({ kind: "redirect", ratio: 0.3 });
      return Array.from({ length: 10_000 }, () => board.plan(event).answeredBy !== undefined);
    };
    const share = draw().filter(Boolean).length / 10_000;
    expect(share).toBeCloseTo(0.3, 1);
    expect(draw()).toEqual(draw());
  });

  it("never applies at ratio 0 and always at ratio 1", () => {
    const board = createBoard();
    board.add({ kind: "redirect", ratio: 0 });
    board.add({ kind: "body-false", ratio: 1 });
    for (let call = 0; call < 1_000; call += 1) expect(board.plan(event).answeredBy?.id).toBe("f2");
  });

  it("adds up latencies, within their jitter, and lets the first other fault answer", () => {
    const board = createBoard();
    board.add({ kind: "redirect" });
    board.add({ kind: "latency", ms: 100 });
    board.add({ kind: "latency", ms: 10, jitterMs: 5 });
    board.add({ kind: "body-false" });
    const { delayMs, answeredBy } = board.plan(event);
    expect(delayMs).toBeGreaterThanOrEqual(110);
    expect(delayMs).toBeLessThan(115);
    expect(answeredBy?.id).toBe("f1");
    expect(board.list().map(({ used }) => used)).toEqual([1, 1, 1, 0]);
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
  ])("matches %j: %s", (match, isMatch) => {
    const board = createBoard();
    board.add({ kind: "redirect", match });
    expect(board.plan(event).answeredBy !== undefined).toBe(isMatch);
  });

  it.each([{ groupId: "a1" }, { traits: { accountId: "a1" } }, { context: { groupId: "a1" } }])(
    "finds the account in %j",
    (fields) => {
      const board = createBoard();
      board.add({ kind: "redirect", match: { accountId: "a1" } });
      expect(board.plan(fields).answeredBy?.id).toBe("f1");
    },
  );

  it("matches nothing in a call whose body cannot be read", () => {
    const board = createBoard();
    board.add({ kind: "redirect", match: { userId: "u1" } });
    expect(board.plan(undefined).answeredBy).toBeUndefined();
  });

  it("notifies listeners that a fault has ended, unless they unsubscribed", () => {
    const board = createBoard();
    const { id } = board.add({ kind: "outage", mode: "hang", durationMs: 50 });
    const notified: string[] = [];
    board.onFaultEnd(id, () => notified.push("waited"));
    board.onFaultEnd(id, () => notified.push("unsubscribed"))();
    vi.advanceTimersByTime(50);
    expect(notified).toEqual(["waited"]);
    board.onFaultEnd(id, () => notified.push("late"));
    expect(notified).toEqual(["waited", "late"]);
  });

  it("clears one fault by its id, or all", () => {
    const board = createBoard();
    for (let added = 0; added < 3; added += 1) board.add({ kind: "redirect" });
    expect([board.clear("f2"), board.clear("f2"), board.clear(), board.clear()]).toEqual([1, 0, 2, 0]);
  });
});
