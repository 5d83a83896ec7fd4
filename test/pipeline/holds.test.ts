import { describe, expect, test } from "vitest";

import { type Hold, aborted, dead, delivered } from "../../src/core/outcome/outcome.ts";
import { parsedOf, createOwner, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, failed, fire, inFlight, outcomes, setUp } from "./set-up.ts";

const hold = (reason: Hold["reason"]): Hold => ({ kind: "hold", reason, error: "Held", status: 404 });

describe("the pipeline during a hold", () => {
  test.each(["target_down", "throttled", "unauthorized"] as const)(
    "uses no attempt for a call that meets the hold %s, and makes the call again when the gate opens",
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
      rig.scheduler.startReady();
      expect(inFlight(rig)).toEqual(["v1", "u1", "w1"]);
      expect(rig.calls.every(({ isFirst }) => isFirst)).toBe(true);
    },
  );

  test("starts only one call during a probe, and everything else in order afterwards", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ user: "d", decision: dead("undecodable", "No") });
    rig.odd({ user: "e", decision: dead("invalid_event", "No") });
    rig.tier(0, parsedOf("p1", 90), 0);
    rig.source("p2", "u1", "v1");
    rig.backlog.upsert("q", "e", { tier: 1, offset: 0 });
    rig.source("q1");
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    await turns();
    expect(inFlight(rig)).toEqual(["p1"]);
    expect(rig.writes).toEqual([]);
    rig.gate.state = "open";
    await answer(rig, "p1", delivered);
    expect(inFlight(rig).toSorted()).toEqual(["p2", "u1", "v1"]);
    expect(rig.writes.map(({ failure }) => failure.reason)).toEqual(["undecodable", "invalid_event", "parked"]);
  });

  test("leaves every event in its queue if no event can probe", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ user: "d", decision: dead("undecodable", "No") });
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    await turns();
    expect([rig.writes, rig.scheduler.headsInWork, rig.assignment.queues.readyCount]).toEqual([[], 0, 1]);
  });

  test.each([
    ["the memory budget", 1_000, 1_000],
    ["the limit of ready queues", 8, 8],
  ])("processes one event after the other if %s is exhausted and no event can probe", async (_, maxReady, many) => {
    const rig = setUp({ maxReady });
    rig.gate.state = "closed";
    for (let n = 0; n < many; n++) rig.odd({ user: `d${n}`, decision: dead("undecodable", "No") });
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    await turns();
    expect([rig.writes.length, rig.scheduler.capacity.mayResume]).toEqual([1, false]);
    for (let n = 0; n < many / 2; n++) await acknowledge(rig);
    // Intake resumes at half of the limit, and may read a call then.
    expect([rig.writes.length, rig.ended.length, rig.scheduler.capacity.mayResume]).toEqual([0, many / 2, true]);
    rig.source("u1");
    expect(inFlight(rig)).toEqual(["u1"]);
  });

  test.each([
    [200, 136],
    [8, 4],
  ])("with a limit of %i ready queues continues once %i are left", async (maxReady, few) => {
    const rig = setUp({ maxReady });
    rig.gate.state = "closed";
    for (let n = 0; n < maxReady; n++) rig.odd({ user: `u${n}` });
    const { queues } = rig.assignment;
    const wanted: number[] = [];
    while (queues.readyCount > 0) {
      if (rig.scheduler.capacity.mayContinueBatch) wanted.push(queues.readyCount);
      queues.takeNext();
    }
    expect(wanted).toEqual(Array.from({ length: few }, (_, n) => few - n));
  });

  test("ignores an aborted call: it uses no attempt and writes nothing, and the next owner makes the call again", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1");
    const idle = rig.scheduler.drain();
    for (const name of ["u1", "v1"]) await answer(rig, name, aborted);
    await idle;
    await fire(rig);
    expect([inFlight(rig), rig.writes, rig.ended, rig.timers]).toEqual([[], [], [], []]);
    expect(rig.owned.tracker.committableOffset).toBe(0);
  });

  /** The call of `odd` gets 404, `other` probes and succeeds, and then `odd` is called again. */
  const findWrong = async (rig: ReturnType<typeof setUp>, odd: string, other: string): Promise<void> => {
    rig.gate.state = "closed";
    rig.source(other);
    await answer(rig, odd, hold("misconfigured"));
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    expect(inFlight(rig)).toEqual([other]);
    rig.gate.state = "open";
    await answer(rig, other, delivered);
    expect([rig.writes, inFlight(rig)]).toEqual([[], [odd]]);
  };

  test("continues with another event if one gets 404, and rejects that one after others have succeeded in between often enough", async () => {
    const rig = setUp();
    rig.source("u1");
    const others = ["v1", "w1", "x1", "y1", "z1", "a1", "b1"];
    for (const other of others) await findWrong(rig, "u1", other);
    await answer(rig, "u1", hold("misconfigured"));
    const error = "Gainsight refuses only this event and accepts others: Held";
    expect(rig.writes).toMatchObject([{ failure: { reason: "rejected", status: 404, error } }]);
    await acknowledge(rig);
    expect(outcomes(rig)).toEqual([...others.map((other) => `${other} delivered`), "u1 dead"]);
  });

  test("also rejects the only refused event of a quiet topic, which has to make the probes itself", async () => {
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

  test("rejects no event whose calls started before others succeeded: the address may have failed since", async () => {
    const rig = setUp();
    rig.source("u1");
    for (const other of ["v1", "w1", "x1", "y1"]) {
      rig.gate.state = "closed";
      rig.source(other);
      await answer(rig, "u1", hold("misconfigured"));
      rig.gate.state = "open";
      rig.scheduler.startReady();
      expect(inFlight(rig)).toEqual([other, "u1"]);
      await answer(rig, other, delivered);
    }
    await answer(rig, "u1", delivered);
    expect([rig.writes, rig.ended.length]).toEqual([[], 5]);
  });

  test("rejects no event while all events get 404", async () => {
    const rig = setUp();
    rig.gate.state = "probe";
    rig.source("u1", "v1");
    for (const name of ["u1", "v1", "u1", "v1", "u1"]) {
      await answer(rig, name, hold("misconfigured"));
      rig.gate.state = "probe";
      rig.scheduler.startReady();
    }
    expect([rig.writes, rig.ended]).toEqual([[], []]);
  });
});

describe("the pipeline, stopped", () => {
  test("waits for calls and writes in flight and starts nothing more", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1");
    let isIdle = false;
    const idle = rig.scheduler.drain().then(() => (isIdle = true));
    rig.source("w1");
    await answer(rig, "u1", delivered);
    await answer(rig, "v1", dead("rejected", "No"));
    expect([isIdle, inFlight(rig), rig.scheduler.headsInWork]).toEqual([false, [], 1]);
    await acknowledge(rig);
    await idle;
    expect(outcomes(rig)).toEqual(["u1 delivered", "v1 dead"]);
    expect(rig.owned.tracker.nextCommit()).toEqual({ offset: 1, metadata: "g1:1.1" });
  });

  test("is drained at once if nothing is in flight, and does not wait for a pause between quick attempts", async () => {
    const rig = setUp();
    rig.source("u1");
    await answer(rig, "u1", failed);
    await rig.scheduler.drain();
    await fire(rig);
    expect(inFlight(rig)).toEqual([]);
  });

  test("resolves every drain() when nothing is in flight", async () => {
    const rig = setUp();
    rig.source("u1");
    const idle = Promise.all([rig.scheduler.drain(), rig.scheduler.drain()]);
    await answer(rig, "u1", delivered);
    await expect(idle).resolves.toHaveLength(2);
  });
});

describe("the pipeline after its assignment was dropped", () => {
  test("does nothing before it has an assignment, and accepts a drop without one", () => {
    const rig = setUp();
    rig.scheduler.dropAssignment();
    rig.scheduler.dropAssignment();
    rig.scheduler.startReady();
    rig.source("u1");
    expect(inFlight(rig)).toEqual([]);
  });

  test("ignores all late results", async () => {
    const rig = setUp();
    rig.source("a1", "b1", "c1", "d1", "e1");
    await exhaust(rig, "d1");
    await answer(rig, "e1", dead("rejected", "No"));
    rig.source("f1");
    await answer(rig, "f1", failed);
    rig.scheduler.dropAssignment();
    const owner = createOwner(rig);
    owner.enqueue(owner.source, parsedOf("x1", 0), 0);
    const held = rig.budget.records;
    await answer(rig, "a1", delivered);
    await answer(rig, "b1", failed);
    await answer(rig, "c1", hold("misconfigured"));
    await fire(rig);
    while (rig.writes.length > 0) await acknowledge(rig);
    expect(inFlight(rig)).toEqual(["x1"]);
    expect([rig.ended, rig.moved]).toEqual([[], []]);
    expect([
      rig.owned.tracker.committableOffset,
      owner.source.tracker.committableOffset,
      rig.budget.records,
      held,
    ]).toEqual([0, 0, 1, 1]);
  });

  test("commits nothing if the service stops before a write is acknowledged", async () => {
    const rig = setUp();
    rig.source("u1", "v1");
    await exhaust(rig, "u1");
    await answer(rig, "v1", dead("rejected", "No"));
    while (rig.writes.length > 0) rig.writes[0]?.answer("stopped");
    await turns();
    expect([rig.ended, rig.moved, rig.owned.tracker.committableOffset]).toEqual([[], [], 0]);
  });

  test("writes no dead letter if a write of an earlier assignment turns out too large", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    rig.scheduler.dropAssignment();
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes).toEqual([]);
  });
});
