import { describe, expect, it } from "vitest";

import { SessionGuard } from "../../../src/kafka/group/session-guard.ts";
import { createTestClock } from "../../delivery/test-clock.ts";

const createTestGuard = () => {
  const clock = createTestClock();
  const set = { wall: 0, steady: 0 };
  const changes: (boolean | "recovered")[] = [];
  const guard = new SessionGuard({
    sessionTimeoutMs: 15_000,
    callTimeoutMs: 10_000,
    wallNow: () => clock.now() + set.wall,
    monotonicNow: () => clock.now() + set.steady,
    onChange: (isAlive) => void changes.push(isAlive),
    onRecovered: () => void changes.push("recovered"),
  });
  return { clock, set, changes, guard };
};

describe("session guard", () => {
  it("is expired while a call begun now could outlast the session", () => {
    const { clock, guard } = createTestGuard();
    clock.advance(4_999);
    expect(guard.isExpired).toBe(false);
    clock.advance(1);
    expect(guard.isExpired).toBe(true);
  });

  it("recovers with the next heartbeat, and reports each change once", () => {
    const { clock, guard, changes } = createTestGuard();
    clock.advance(60_000);
    expect([guard.isExpired, guard.isExpired]).toEqual([true, true]);
    guard.check();
    guard.check();
    guard.onHeartbeat();
    guard.onHeartbeat();
    guard.check();
    expect(guard.isExpired).toBe(false);
    expect(changes).toEqual([false, true, "recovered"]);
  });

  it("reports nothing by being read, and lets calls start again even if no check has noticed the expiry", () => {
    const { clock, guard, changes } = createTestGuard();
    clock.advance(60_000);
    expect([guard.isExpired, changes]).toEqual([true, []]);
    guard.onHeartbeat();
    guard.check();
    expect(changes).toEqual(["recovered"]);
  });

  it("does not expire while heartbeats are answered in time", () => {
    const { clock, guard, changes } = createTestGuard();
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      guard.check();
      guard.onHeartbeat();
      expect(guard.isExpired).toBe(false);
    }
    expect(changes).toEqual([]);
  });

  it.each([-3_500, -10_000, -3_600_000])("expires no later if the clock is set by %i ms", (byMs) => {
    const { clock, set, guard } = createTestGuard();
    clock.advance(4_000);
    set.wall += byMs;
    expect(guard.isExpired).toBe(false);
    clock.advance(1_000);
    expect(guard.isExpired).toBe(true);
    guard.onHeartbeat();
    expect(guard.isExpired).toBe(false);
  });

  it("is expired after the machine slept, even though the monotonic clock stood still", () => {
    const { clock, set, guard } = createTestGuard();
    clock.advance(60_000);
    set.steady -= 60_000;
    expect(guard.isExpired).toBe(true);
  });
});
