import { describe, expect, test } from "vitest";

import { type Retry, dead, delivered, skipped } from "../../src/core/outcome/outcome.ts";
import { arrivalOf, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, failed, fire, inFlight, outcomes, setUp } from "./set-up.ts";

describe("Stream", () => {
  test("works for every user at a time, and for each one event after the other", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1", "v2");
    expect(inFlight(rig)).toEqual(["u1", "v1"]);
    await answer(rig, "v1", delivered);
    expect(inFlight(rig)).toEqual(["u1", "v2"]);
    expect(outcomes(rig)).toEqual(["v1 delivered"]);
    expect(rig.assignment.lanes.ready).toBe(0);
  });

  test("lets an offset be committed only when its outcome is safe", async () => {
    const rig = setUp();
    rig.source("u1", "v1");
    await answer(rig, "v1", delivered);
    expect(rig.inlet.tracker.pending()).toEqual({ offset: 0, metadata: "g1:1.1" });
    await answer(rig, "u1", dead("rejected", "No", 400));
    expect(rig.inlet.tracker.mark).toBe(0);
    expect(rig.writes).toMatchObject([{ tier: undefined, failure: { reason: "rejected", status: 400, attempts: 1 } }]);
    await acknowledge(rig);
    expect(rig.inlet.tracker.mark).toBe(2);
    expect(rig.budget.records).toBe(0);
    expect(outcomes(rig)).toEqual(["v1 delivered", "u1 dead"]);
  });

  test("calls again after a pause that grows with jitter, and keeps the user's next event waiting meanwhile", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1");
    await answer(rig, "u1", failed);
    expect(inFlight(rig)).toEqual(["v1"]);
    expect(rig.timers).toMatchObject([{ delayMs: 100 }]);
    await fire(rig);
    expect(rig.calls.map(({ body, isFirst }) => [body, isFirst])).toEqual([
      ["v1", true],
      ["u1", false],
    ]);
    await answer(rig, "u1", delivered);
    expect(inFlight(rig)).toEqual(["v1", "u2"]);
    expect(rig.writes).toEqual([]);
  });

  test.each([
    [{ reason: "locked", status: 409, retryAfterMs: 3_000 }, "waits for as long as the target asked", 3_000],
    [{ reason: "server_error", status: 500, retryAfterMs: 5_000 }, "waits for as long as the target asked", 5_000],
    [{ reason: "server_error", status: 503, retryAfterMs: 60_000 }, "leaves it to the gate to wait", 100],
  ] as const)("calls again after %j, but %s", async (failure, _, delayMs) => {
    const rig = setUp();
    rig.source("u1");
    await answer(rig, "u1", { ...failed, ...failure });
    expect(rig.timers).toMatchObject([{ delayMs }]);
    expect(rig.writes).toEqual([]);
  });

  test("makes no quick attempt where the target asks for more time than those have: a tier waits better", async () => {
    const rig = setUp();
    rig.source("u1");
    await answer(rig, "u1", { ...failed, reason: "locked", status: 423, retryAfterMs: 60_000 });
    expect(rig.timers).toEqual([]);
    expect(rig.writes).toMatchObject([{ tier: 1, failure: { reason: "locked", status: 423, attempts: 1 } }]);
  });

  test("moves a failed event to the first tier as one attempt, and its user's newcomers behind it", async () => {
    const rig = setUp();
    rig.source("u1", "u2");
    await exhaust(rig, "u1");
    expect(rig.writes).toMatchObject([
      { tier: 0, failure: { reason: "server_error", status: 503, attempts: 1, firstFailedAt: 1_000 } },
    ]);
    expect(inFlight(rig)).toEqual([]);
    await acknowledge(rig);
    expect(rig.writes).toMatchObject([
      { tier: 0, failure: { reason: "parked", attempts: 0, firstFailedAt: undefined } },
    ]);
    await acknowledge(rig);
    rig.source("u3", "v1");
    expect(inFlight(rig)).toEqual(["v1"]);
    await acknowledge(rig);
    expect(rig.moved).toEqual([
      { name: "u1", reason: "server_error", tier: 0 },
      { name: "u2", reason: "parked", tier: 0 },
      { name: "u3", reason: "parked", tier: 0 },
    ]);
    expect(rig.ended).toEqual([]);
    expect(rig.chains.users).toBe(1);
  });

  test("delivers from the tier in order and then releases the user", async () => {
    const rig = setUp();
    rig.source("u1", "u2");
    await exhaust(rig, "u1");
    await acknowledge(rig);
    await acknowledge(rig);
    for (const [offset, name] of ["u1", "u2"].entries()) rig.tier(0, arrivalOf(name, offset), offset);
    expect(inFlight(rig)).toEqual(["u1"]);
    await answer(rig, "u1", delivered);
    await answer(rig, "u2", delivered);
    rig.source("u3");
    expect(inFlight(rig)).toEqual(["u3"]);
    expect(rig.chains.users).toBe(0);
  });

  test("finishes a copy that counts no more without a call and without an outcome", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    await acknowledge(rig);
    rig.tier(0, arrivalOf("u1", 0), 0);
    await answer(rig, "u1", delivered);
    rig.tier(1, arrivalOf("u1", 0), 0);
    await turns();
    expect(rig.tiers[1]?.tracker.mark).toBe(1);
    expect(inFlight(rig)).toEqual([]);
    expect(outcomes(rig)).toEqual(["u1 delivered"]);
  });

  test("does not deliver from the source what a tier has finished, as after a crash", async () => {
    const rig = setUp();
    rig.tier(0, arrivalOf("u1", 0), 0);
    await answer(rig, "u1", delivered);
    rig.source("u1", "u2");
    await turns();
    expect(inFlight(rig)).toEqual(["u2"]);
    expect(rig.inlet.tracker.mark).toBe(1);
    expect(outcomes(rig)).toEqual(["u1 delivered"]);
  });

  test("buries an event whose attempts and age are spent, with its first failure and all attempts", async () => {
    const rig = setUp();
    const { past } = arrivalOf("u1", 0);
    rig.clock.time = 20_000;
    rig.tier(2, arrivalOf("u1", 0, { past: { ...past, attempts: 1, firstFailedAt: 5_000 } }), 0);
    await exhaust(rig, "u1");
    expect(rig.writes).toMatchObject([
      { tier: undefined, failure: { reason: "retries_exhausted", attempts: 2, firstFailedAt: 5_000 } },
    ]);
    await acknowledge(rig);
    expect(outcomes(rig)).toEqual(["u1 dead"]);
  });

  test("gives an unknown schema one tier, then buries it under its own name", async () => {
    const meaning: Retry = { kind: "retry", reason: "unknown_schema", error: "The registry knows no schema 7" };
    const rig = setUp();
    rig.odd({ meaning });
    expect(rig.writes).toMatchObject([{ tier: 0, failure: { reason: "unknown_schema" } }]);
    await acknowledge(rig);
    rig.tier(0, arrivalOf("x", 0, { meaning }), 0);
    await turns();
    expect(rig.writes).toMatchObject([{ tier: undefined, failure: { reason: "unknown_schema" } }]);
  });

  test("buries what does not fit into a tier as too large, and says why it was to go there", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes).toMatchObject([
      { failure: { reason: "too_large", error: expect.stringMatching(/^server_error: /) } },
    ]);
  });

  test("buries what is dead on arrival without a call and without an attempt", async () => {
    const rig = setUp();
    rig.odd({ meaning: dead("undecodable", "No") });
    expect(rig.writes).toMatchObject([
      { tier: undefined, failure: { reason: "undecodable", attempts: 0, firstFailedAt: 1_000 } },
    ]);
    expect(inFlight(rig)).toEqual([]);
  });

  test("skips at once what has nothing to do, even while everything is held", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ meaning: skipped("tombstone") });
    expect(outcomes(rig)).toEqual(["0 skipped"]);
    expect(rig.inlet.tracker.mark).toBe(1);
    expect(rig.budget.records).toBe(0);
  });

  test("skips in a tier as well, when it is its turn there", async () => {
    const rig = setUp();
    rig.tier(0, arrivalOf("x", 0, { meaning: skipped("unsupported_event_type") }), 0);
    await turns();
    expect(outcomes(rig)).toEqual(["0 skipped"]);
    expect(rig.tiers[0]?.tracker.mark).toBe(1);
  });

  test("does not go round for ever where a foreign header puts the first failure into the future", async () => {
    const rig = setUp();
    const { past } = arrivalOf("u1", 0);
    rig.tier(2, arrivalOf("u1", 0, { past: { ...past, attempts: 5, firstFailedAt: 9e12 } }), 0);
    await exhaust(rig, "u1");
    expect(rig.writes).toMatchObject([{ tier: 2, failure: { attempts: 6, firstFailedAt: 1_000 } }]);
  });

  test("tells of a dead letter when it failed first, and never of a time in the future", async () => {
    const rig = setUp();
    const failedAt = (name: string, offset: number, firstFailedAt: number) =>
      arrivalOf(name, offset, { past: { ...arrivalOf(name, offset).past, firstFailedAt } });
    rig.tier(0, failedAt("u1", 0, 400), 0);
    rig.tier(0, failedAt("v1", 1, 9e12), 1);
    await answer(rig, "u1", dead("rejected", "No", 400));
    await answer(rig, "v1", dead("rejected", "No", 400));
    expect(rig.writes.map(({ failure }) => failure.firstFailedAt)).toEqual([400, 1_000]);
  });

  test("starts nothing while the group has lost sight of this member, and goes on when it is heard again", async () => {
    const rig = setUp();
    rig.clock.mayStart = false;
    rig.source("u1", "v1");
    rig.stream.pump();
    expect(rig.calls).toEqual([]);
    rig.clock.mayStart = true;
    rig.stream.pump();
    expect(rig.calls.map(({ body }) => body)).toEqual(["u1", "v1"]);
  });

  test("holds nothing after a join, also what came between two assignments", () => {
    const rig = setUp();
    rig.stream.drop();
    rig.source("u1", "u2");
    expect(rig.budget.records).toBe(2);
    rig.stream.drop();
    expect(rig.budget.records).toBe(0);
  });
});
