import { describe, expect, test } from "vitest";

import { type Hold, aborted, dead, delivered } from "../../src/core/outcome/outcome.ts";
import { arrivalOf, createOwner, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, failed, fire, inFlight, outcomes, setUp } from "./set-up.ts";

const hold = (reason: Hold["reason"]): Hold => ({ kind: "hold", reason, error: "Held", status: 404 });

describe("Stream, held", () => {
  test.each(["target_down", "throttled", "unauthorized"] as const)(
    "puts a call back on hold %s, uses no attempt, and makes it again when the gate opens",
    async (reason) => {
      const rig = setUp();
      rig.source("u1", "u2", "v1");
      rig.gate.state = "closed";
      await answer(rig, "v1", hold(reason));
      await answer(rig, "u1", hold(reason));
      rig.source("w1");
      expect(inFlight(rig)).toEqual([]);
      expect([rig.writes, rig.ended, rig.timers]).toEqual([[], [], []]);
      rig.gate.state = "open";
      rig.stream.pump();
      expect(inFlight(rig)).toEqual(["v1", "u1", "w1"]);
      expect(rig.calls.every(({ isFirst }) => isFirst)).toBe(true);
    },
  );

  test("moves nothing but one call during a probe, and everything else in its order afterwards", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ user: "d", meaning: dead("undecodable", "No") });
    rig.odd({ user: "e", meaning: dead("invalid_event", "No") });
    rig.tier(0, arrivalOf("p1", 90), 0);
    rig.source("p2", "u1", "v1");
    rig.chains.moved("q", "e", { tier: 1, offset: 0 });
    rig.source("q1");
    rig.gate.state = "probe";
    rig.stream.pump();
    await turns();
    expect(inFlight(rig)).toEqual(["p1"]);
    expect(rig.writes).toEqual([]);
    rig.gate.state = "open";
    await answer(rig, "p1", delivered);
    expect(inFlight(rig).toSorted()).toEqual(["p2", "u1", "v1"]);
    expect(rig.writes.map(({ failure }) => failure.reason)).toEqual(["undecodable", "invalid_event", "parked"]);
  });

  test("leaves everything where it is when a probe finds no call", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ user: "d", meaning: dead("undecodable", "No") });
    rig.gate.state = "probe";
    rig.stream.pump();
    await turns();
    expect([rig.writes, rig.stream.working, rig.assignment.lanes.ready]).toEqual([[], 0, 1]);
  });

  test.each([
    ["the budget leaves", 1_000, 1_000],
    ["the ready lanes leave", 8, 8],
  ])("lets one go after the other while %s no room and a probe finds no call", async (_, maxReady, many) => {
    const rig = setUp({ maxReady });
    rig.gate.state = "closed";
    for (let n = 0; n < many; n++) rig.odd({ user: `d${n}`, meaning: dead("undecodable", "No") });
    rig.gate.state = "probe";
    rig.stream.pump();
    await turns();
    expect([rig.writes.length, rig.stream.capacity.hasRoom]).toEqual([1, false]);
    for (let n = 0; n < many / 2; n++) await acknowledge(rig);
    // Half of the limit: only then does intake go on, and may bring a call.
    expect([rig.writes.length, rig.ended.length, rig.stream.capacity.hasRoom]).toEqual([0, many / 2, true]);
    rig.source("u1");
    expect(inFlight(rig)).toEqual(["u1"]);
  });

  test.each([
    [200, 136],
    [8, 4],
  ])("with room for %i ready lanes wants more once %i are left", async (maxReady, few) => {
    const rig = setUp({ maxReady });
    rig.gate.state = "closed";
    for (let n = 0; n < maxReady; n++) rig.odd({ user: `u${n}` });
    const { lanes } = rig.assignment;
    const wanted: number[] = [];
    while (lanes.ready > 0) {
      if (rig.stream.capacity.wantsMore) wanted.push(lanes.ready);
      lanes.next();
    }
    expect(wanted).toEqual(Array.from({ length: few }, (_, n) => few - n));
  });

  test("lets a call that was aborted be: no attempt, no write, and whoever owns it next makes it again", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1");
    const idle = rig.stream.stop();
    for (const name of ["u1", "v1"]) await answer(rig, name, aborted);
    await idle;
    await fire(rig);
    expect([inFlight(rig), rig.writes, rig.ended, rig.timers]).toEqual([[], [], [], []]);
    expect(rig.inlet.tracker.mark).toBe(0);
  });

  /** The call of `odd` finds the address wrong, `other` probes and goes through, and then `odd` is called again. */
  const findWrong = async (rig: ReturnType<typeof setUp>, odd: string, other: string): Promise<void> => {
    rig.gate.state = "closed";
    rig.source(other);
    await answer(rig, odd, hold("misconfigured"));
    rig.gate.state = "probe";
    rig.stream.pump();
    expect(inFlight(rig)).toEqual([other]);
    rig.gate.state = "open";
    await answer(rig, other, delivered);
    expect([rig.writes, inFlight(rig)]).toEqual([[], [odd]]);
  };

  test("goes on with another event where one finds the address wrong, and rejects it when others succeeded in between, often enough", async () => {
    const rig = setUp();
    rig.source("u1");
    const others = ["v1", "w1", "x1", "y1", "z1", "a1", "b1"];
    for (const other of others) await findWrong(rig, "u1", other);
    await answer(rig, "u1", hold("misconfigured"));
    const error = "Only this event is refused, others go through: Held";
    expect(rig.writes).toMatchObject([{ failure: { reason: "rejected", status: 404, error } }]);
    await acknowledge(rig);
    expect(outcomes(rig)).toEqual([...others.map((other) => `${other} delivered`), "u1 dead"]);
  });

  test("rejects the odd event of a quiet topic as well, where it has to probe by itself in between", async () => {
    const rig = setUp();
    rig.source("u1");
    await findWrong(rig, "u1", "v1");
    for (let probe = 0; probe < 3; probe++) {
      rig.gate.state = "probe";
      await answer(rig, "u1", hold("misconfigured"));
    }
    for (const other of ["w1", "x1", "y1", "z1", "a1", "b1"]) await findWrong(rig, "u1", other);
    await answer(rig, "u1", hold("misconfigured"));
    expect(rig.writes).toMatchObject([{ failure: { reason: "rejected" } }]);
  });

  test("rejects nobody whose calls began before others succeeded: the address may have broken since", async () => {
    const rig = setUp();
    rig.source("u1");
    for (const other of ["v1", "w1", "x1", "y1"]) {
      rig.gate.state = "closed";
      rig.source(other);
      await answer(rig, "u1", hold("misconfigured"));
      rig.gate.state = "open";
      rig.stream.pump();
      expect(inFlight(rig)).toEqual([other, "u1"]);
      await answer(rig, other, delivered);
    }
    await answer(rig, "u1", delivered);
    expect([rig.writes, rig.ended.length]).toEqual([[], 5]);
  });

  test("rejects nobody while every event finds the address wrong", async () => {
    const rig = setUp();
    rig.gate.state = "probe";
    rig.source("u1", "v1");
    for (const name of ["u1", "v1", "u1", "v1", "u1"]) {
      await answer(rig, name, hold("misconfigured"));
      rig.gate.state = "probe";
      rig.stream.pump();
    }
    expect([rig.writes, rig.ended]).toEqual([[], []]);
  });
});

describe("Stream, stopped", () => {
  test("waits for calls and writes in flight and starts nothing more", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1");
    let isIdle = false;
    const idle = rig.stream.stop().then(() => (isIdle = true));
    rig.source("w1");
    await answer(rig, "u1", delivered);
    await answer(rig, "v1", dead("rejected", "No"));
    expect([isIdle, inFlight(rig), rig.stream.working]).toEqual([false, [], 1]);
    await acknowledge(rig);
    await idle;
    expect(outcomes(rig)).toEqual(["u1 delivered", "v1 dead"]);
    expect(rig.inlet.tracker.pending()).toEqual({ offset: 1, metadata: "g1:1.1" });
  });

  test("is idle at once where nothing is in flight, and does not wait for a pause between quick attempts", async () => {
    const rig = setUp();
    rig.source("u1");
    await answer(rig, "u1", failed);
    await rig.stream.stop();
    await fire(rig);
    expect(inFlight(rig)).toEqual([]);
  });

  test("tells everyone who asks when it is idle", async () => {
    const rig = setUp();
    rig.source("u1");
    const idle = Promise.all([rig.stream.stop(), rig.stream.stop()]);
    await answer(rig, "u1", delivered);
    await expect(idle).resolves.toHaveLength(2);
  });
});

describe("Stream, dropped", () => {
  test("does nothing before it has an assignment, and may be dropped without one", () => {
    const rig = setUp();
    rig.stream.drop();
    rig.stream.drop();
    rig.stream.pump();
    rig.source("u1");
    expect(inFlight(rig)).toEqual([]);
  });

  test("lets late results count for nothing, whatever they are", async () => {
    const rig = setUp();
    rig.source("a1", "b1", "c1", "d1", "e1");
    await exhaust(rig, "d1");
    await answer(rig, "e1", dead("rejected", "No"));
    rig.source("f1");
    await answer(rig, "f1", failed);
    rig.stream.drop();
    const owner = createOwner(rig);
    owner.take(owner.source, arrivalOf("x1", 0), 0);
    const held = rig.budget.records;
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", failed);
    await answer(rig, "c1", hold("misconfigured"));
    await fire(rig);
    while (rig.writes.length > 0) await acknowledge(rig);
    expect(inFlight(rig)).toEqual(["x1"]);
    expect([rig.ended, rig.moved]).toEqual([[], []]);
    expect([rig.inlet.tracker.mark, owner.source.tracker.mark, rig.budget.records, held]).toEqual([0, 0, 1, 1]);
  });

  test("commits nothing where a write ends unwritten, for the service stops", async () => {
    const rig = setUp();
    rig.source("u1", "v1");
    await exhaust(rig, "u1");
    await answer(rig, "v1", dead("rejected", "No"));
    while (rig.writes.length > 0) rig.writes[0]?.answer("stopped");
    await turns();
    expect([rig.ended, rig.moved, rig.inlet.tracker.mark]).toEqual([[], [], 0]);
  });

  test("writes no dead letter for another owner's event, when its write turns out too large after the drop", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    rig.stream.drop();
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes).toEqual([]);
  });
});
