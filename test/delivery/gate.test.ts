import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TargetHoldReason } from "../../src/core/outcome/outcome.ts";
import type { Permit } from "../../src/delivery/gate-types.ts";
import { Gate, type GateOptions } from "../../src/delivery/gate.ts";
import { createTestClock } from "./test-clock.ts";

type HoldChange = Parameters<GateOptions["onHold"]>[0];

/** `random` 0: every pause is the shorter half of its ceiling, so 500 ms, 1 s, 2 s … 30 s. */
const createTestGate = ({ concurrency = 8, random = 0 } = {}) => {
  const clock = createTestClock();
  const holds: HoldChange[] = [];
  const changes: number[] = [];
  const gate = new Gate({
    concurrency,
    timeoutMs: 10_000,
    monotonicNow: clock.now,
    schedule: clock.schedule,
    random: () => random,
    onMaySend: () => changes.push(clock.now()),
    onHold: (change) => holds.push(change),
  });
  const holdBy = (reason: TargetHoldReason, retryAfterMs?: number): Permit => {
    const permit = gate.acquire();
    gate.release(permit);
    gate.hold(reason, { permit, error: reason, retryAfterMs });
    return permit;
  };
  const succeed = (): void => {
    const permit = gate.acquire();
    gate.release(permit);
    gate.recordSuccess(permit, 20);
  };
  /** How many calls may start now. Their permits are released. */
  const capacity = (): number => {
    const permits: Permit[] = [];
    while (gate.state === "open") permits.push(gate.acquire());
    for (const permit of permits) gate.release(permit);
    return permits.length;
  };
  return { gate, clock, holds, changes, holdBy, succeed, capacity };
};

describe("gate", () => {
  it("allows as many calls in flight as the concurrency says, and the next when one has ended", () => {
    const { gate } = createTestGate({ concurrency: 2 });
    const first = gate.acquire();
    expect(gate.state).toBe("open");
    gate.acquire();
    expect(gate.state).toBe("closed");
    expect(gate.inFlight).toBe(2);
    gate.release(first);
    expect(gate.state).toBe("open");
  });

  it("closes with a hold, reports it once, and allows exactly one probe after the pause", () => {
    const { gate, clock, holds, changes, holdBy } = createTestGate();
    holdBy("throttled");
    expect(gate.state).toBe("closed");
    expect(holds).toEqual([{ reason: "throttled", isHeld: true, error: "throttled", heldMs: 0 }]);
    clock.advance(499);
    expect(gate.state).toBe("closed");
    expect(changes).toEqual([]);
    clock.advance(1);
    expect(changes).toHaveLength(1);
    expect(gate.state).toBe("probe");
    expect(gate.acquire().isProbe).toBe(true);
    expect(gate.state).toBe("closed");
  });

  it("calls back when a probe is due even if the timer fires early by the wall clock", () => {
    const { gate, clock, changes, holdBy } = createTestGate();
    holdBy("throttled", 5_000);
    clock.fireEarly(1);
    clock.advance(1);
    expect(changes).toEqual([clock.now()]);
    expect(gate.state).toBe("probe");
  });

  it("calls back once at the end of a pause, however many calls have prolonged it", () => {
    const { gate, clock, changes } = createTestGate();
    const permits = [gate.acquire(), gate.acquire(), gate.acquire()];
    for (const permit of permits) {
      gate.release(permit);
      gate.hold("throttled", { permit, error: "", retryAfterMs: 2_000 });
    }
    clock.advance(1_999);
    expect(changes).toEqual([]);
    clock.advance(1);
    expect(changes.length).toBeGreaterThan(0);
    expect(new Set(changes)).toEqual(new Set([clock.now()]));
  });

  it("doubles the pause with every failed probe, up to a minute", () => {
    const { gate, clock, holds, holdBy } = createTestGate();
    holdBy("unauthorized");
    const pauses: number[] = [];
    for (let probe = 0; probe < 9; probe++) {
      const before = clock.now();
      while (gate.state === "closed") clock.advance(100);
      pauses.push(clock.now() - before);
      holdBy("unauthorized");
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(holds).toHaveLength(1);
  });

  it("begins again with a short pause once the hold has ended", () => {
    const { gate, clock, holdBy, succeed } = createTestGate();
    holdBy("throttled");
    clock.advance(500);
    holdBy("throttled");
    clock.advance(1_000);
    succeed();
    expect(gate.state).toBe("open");
    holdBy("throttled");
    clock.advance(500);
    expect(gate.state).toBe("probe");
  });

  it("ends the hold with a successful probe, and reports how long it was", () => {
    const { gate, clock, holds, changes, holdBy, succeed } = createTestGate();
    holdBy("misconfigured");
    clock.advance(700);
    changes.length = 0;
    succeed();
    expect(gate.holds).toEqual([]);
    expect(gate.state).toBe("open");
    expect(holds.at(-1)).toEqual({ reason: "misconfigured", isHeld: false, error: "", heldMs: 700 });
    expect(changes).toHaveLength(1);
  });

  it("waits for as long as the target asks", () => {
    const { gate, clock, holdBy } = createTestGate();
    holdBy("throttled", 30_000);
    clock.advance(29_999);
    expect(gate.state).toBe("closed");
    clock.advance(1);
    expect(gate.state).toBe("probe");
  });

  it.each([
    ["a longer wait counts", 60_000, 60_000],
    ["a shorter one does not", 5_000, 30_000],
    ["none at all does not", undefined, 30_000],
  ])("takes into account further calls that were in flight when the hold began: %s", (_, asked, waited) => {
    const { gate, clock, holds } = createTestGate();
    const [first, second] = [gate.acquire(), gate.acquire()];
    gate.hold("throttled", { permit: first, error: "", retryAfterMs: 30_000 });
    gate.hold("throttled", { permit: second, error: "", retryAfterMs: asked });
    gate.release(first);
    gate.release(second);
    clock.advance(waited - 1);
    expect(gate.state).toBe("closed");
    clock.advance(1);
    expect(gate.state).toBe("probe");
    expect(holds).toHaveLength(1);
  });

  it("calls the result of a call stale if the gate closed meanwhile, but never that of a probe", () => {
    const { gate, clock, holdBy } = createTestGate();
    const before = gate.acquire();
    holdBy("throttled");
    expect(gate.isStale(before)).toBe(true);
    gate.recordSuccess(before, 20);
    expect(gate.holds).toEqual(["throttled"]);
    clock.advance(500);
    const probe = gate.acquire();
    expect(gate.isStale(probe)).toBe(false);
    gate.release(probe);
    gate.recordSuccess(probe, 20);
    expect(gate.isStale(before)).toBe(true);
    expect(gate.isStale(gate.acquire())).toBe(false);
  });

  it("keeps several holds at once and waits for the longest", () => {
    const { gate, clock, holds } = createTestGate();
    const [first, second] = [gate.acquire(), gate.acquire()];
    gate.release(first);
    gate.release(second);
    gate.hold("throttled", { permit: first, error: "", retryAfterMs: 2_000 });
    gate.hold("unauthorized", { permit: second, error: "" });
    expect(gate.holds).toEqual(["throttled", "unauthorized"]);
    clock.advance(1_999);
    expect(gate.state).toBe("closed");
    clock.advance(1);
    expect(gate.state).toBe("probe");
    const probe = gate.acquire();
    gate.release(probe);
    gate.recordSuccess(probe, 20);
    expect(gate.state).toBe("open");
    expect(holds.map(({ reason, isHeld }) => [reason, isHeld])).toEqual([
      ["throttled", true],
      ["unauthorized", true],
      ["throttled", false],
      ["unauthorized", false],
    ]);
  });

  it("leaves `target_down` to the breaker: neither a pause nor a successful probe ends it, only `endHold`", () => {
    const { gate, clock, changes, succeed } = createTestGate();
    gate.holdWhileBreakerIsOpen("down");
    clock.advance(3_600_000);
    expect(gate.state).toBe("closed");
    gate.probeNow("target_down");
    expect(changes).toEqual([clock.now()]);
    expect(gate.state).toBe("probe");
    succeed();
    expect(gate.holds).toEqual(["target_down"]);
    gate.endHold("target_down");
    expect(gate.state).toBe("open");
  });

  it("allows a probe at once if something has changed, but not while another hold is not due", () => {
    const { gate, clock, changes, holdBy } = createTestGate();
    holdBy("unauthorized", 60_000);
    gate.probeNow("unauthorized");
    expect(gate.state).toBe("probe");
    const probe = gate.acquire();
    gate.release(probe);
    gate.hold("throttled", { permit: probe, error: "", retryAfterMs: 10_000 });
    changes.length = 0;
    gate.probeNow("unauthorized");
    expect(gate.state).toBe("closed");
    clock.advance(10_000);
    expect(gate.state).toBe("probe");
    gate.probeNow("misconfigured");
    expect(gate.holds).toEqual(["unauthorized", "throttled"]);
  });

  it("allows the next probe at once if the key changed while one with the old key was in flight", () => {
    const { gate, holdBy } = createTestGate();
    holdBy("unauthorized", 1_000);
    gate.probeNow("unauthorized");
    const probe = gate.acquire();
    gate.probeNow("unauthorized");
    gate.release(probe);
    gate.hold("unauthorized", { permit: probe, error: "The old key" });
    expect(gate.state).toBe("probe");
  });

  it("does not raise the limit by a successful probe while the target is down", () => {
    const { gate, succeed, capacity } = createTestGate({ concurrency: 64 });
    gate.holdWhileBreakerIsOpen("down");
    gate.probeNow("target_down");
    succeed();
    gate.endHold("target_down");
    expect(capacity()).toBeLessThanOrEqual(2);
  });

  it("doubles the calls in flight with every round after the target was down", () => {
    const { gate, succeed, capacity } = createTestGate({ concurrency: 64 });
    gate.holdWhileBreakerIsOpen("down");
    gate.endHold("target_down");
    const limits: number[] = [];
    for (let round = 0; round < 8; round++) {
      const now = capacity();
      limits.push(now);
      for (let call = 0; call < now; call++) succeed();
    }
    expect(limits).toEqual([1, 2, 4, 8, 16, 32, 64, 64]);
  });

  it("begins with one call after throttling, and grows linearly from half of the former limit on", () => {
    const { clock, holdBy, succeed, capacity } = createTestGate({ concurrency: 16 });
    holdBy("throttled");
    clock.advance(500);
    const limits: number[] = [];
    for (let round = 0; round < 6; round++) {
      succeed();
      const now = capacity();
      limits.push(now);
      for (let call = 1; call < now; call++) succeed();
    }
    expect(limits).toEqual([2, 4, 8, 8, 8, 8]);
  });

  it("is not limited again by stale results, although they hold it", () => {
    const { gate, clock, holdBy, succeed, capacity } = createTestGate({ concurrency: 16 });
    const late = gate.acquire();
    gate.release(late);
    holdBy("throttled");
    clock.advance(500);
    for (let call = 0; call < 7; call++) succeed();
    expect(capacity()).toBe(8);
    gate.hold("throttled", { permit: late, error: "" });
    expect(gate.state).toBe("closed");
    clock.advance(500);
    succeed();
    expect(capacity()).toBeGreaterThanOrEqual(8);
  });

  it("learns nothing from stale results", () => {
    const { gate, clock, holdBy, succeed } = createTestGate({ concurrency: 16 });
    const late = Array.from({ length: 16 }, () => gate.acquire());
    for (const permit of late) gate.release(permit);
    holdBy("unauthorized");
    clock.advance(500);
    succeed();
    for (const permit of late) gate.recordSuccess(permit, 9_000);
    expect(gate.concurrencyLimit).toBe(2);
  });

  it("waits for as long as the target asks, also if the key changed meanwhile", () => {
    const { gate, clock, holdBy } = createTestGate();
    holdBy("throttled", 1_000);
    clock.advance(1_000);
    const probe = gate.acquire();
    gate.probeNow("unauthorized");
    gate.release(probe);
    gate.hold("throttled", { permit: probe, error: "", retryAfterMs: 30_000 });
    clock.advance(29_999);
    expect(gate.state).toBe("closed");
    clock.advance(1);
    expect(gate.state).toBe("probe");
  });

  it("never allows more calls than the concurrency says, nor more than one in a hold, whatever happens", () => {
    const step = fc.record({
      kind: fc.constantFrom("take", "take", "succeed", "hold", "down", "half-open", "up", "advance"),
      which: fc.nat(40_000),
      reason: fc.constantFrom<TargetHoldReason>("throttled", "unauthorized", "misconfigured"),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 200, size: "max" }), (most, steps) => {
        const { gate, clock } = createTestGate({ concurrency: most, random: 0.5 });
        let inFlight: Permit[] = [];
        /** A call ends; every hold is caused by one. */
        const endCall = (which: number, then: (permit: Permit) => void): void => {
          const permit = inFlight[which % Math.max(1, inFlight.length)];
          if (!permit) return;
          inFlight = inFlight.filter((other) => other !== permit);
          gate.release(permit);
          then(permit);
        };
        const acts: Record<string, (step: { which: number; reason: TargetHoldReason }) => void> = {
          take: () => void (gate.state === "closed" || inFlight.push(gate.acquire())),
          succeed: ({ which }) => endCall(which, (permit) => gate.recordSuccess(permit, which)),
          hold: ({ which, reason }) => endCall(which, (permit) => gate.hold(reason, { permit, error: "" })),
          down: ({ which }) => endCall(which, () => gate.holdWhileBreakerIsOpen("down")),
          "half-open": () => gate.probeNow("target_down"),
          up: () => gate.endHold("target_down"),
          advance: ({ which }) => clock.advance(which),
        };
        for (const { kind, ...rest } of steps) {
          acts[kind]?.(rest);
          expect(gate.inFlight).toBe(inFlight.length);
          expect(inFlight.length).toBeLessThanOrEqual(most);
          expect(inFlight.filter(({ isProbe }) => isProbe).length).toBeLessThanOrEqual(1);
          expect(gate.holds.length > 0 && gate.state === "open").toBe(false);
        }
      }),
    );
  });
});
