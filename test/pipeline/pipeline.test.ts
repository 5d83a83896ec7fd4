import { describe, expect, test } from "vitest";

import { type Retry, dead, delivered, skipped } from "../../src/core/outcome/outcome.ts";
import { parsedOf, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, failed, fire, inFlight, outcomes, setUp } from "./set-up.ts";

describe("the pipeline", () => {
  test("processes the users side by side, and the events of each user one after the other", async () => {
    const rig = setUp();
    rig.source("u1", "u2", "v1", "v2");
    expect(inFlight(rig)).toEqual(["u1", "v1"]);
    await answer(rig, "v1", delivered);
    expect(inFlight(rig)).toEqual(["u1", "v2"]);
    expect(outcomes(rig)).toEqual(["v1 delivered"]);
    expect(rig.assignment.queues.readyCount).toBe(0);
  });

  test("allows an offset to be committed only when the outcome is stored safely", async () => {
    const rig = setUp();
    rig.source("u1", "v1");
    await answer(rig, "v1", delivered);
    expect(rig.owned.tracker.nextCommit()).toEqual({ offset: 0, metadata: "g1:1.1" });
    await answer(rig, "u1", dead("rejected", "No", 400));
    expect(rig.owned.tracker.committableOffset).toBe(0);
    expect(rig.writes).toMatchObject([{ tier: undefined, failure: { reason: "rejected", status: 400, attempts: 1 } }]);
    await acknowledge(rig);
    expect(rig.owned.tracker.committableOffset).toBe(2);
    expect(rig.budget.records).toBe(0);
    expect(outcomes(rig)).toEqual(["v1 delivered", "u1 dead"]);
  });

  test("retries a call after a growing pause with jitter, and the user's next event waits meanwhile", async () => {
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

  test("makes no quick attempt if the target asks for a longer pause: the event waits in a retry topic", async () => {
    const rig = setUp();
    rig.source("u1");
    await answer(rig, "u1", { ...failed, reason: "locked", status: 423, retryAfterMs: 60_000 });
    expect(rig.timers).toEqual([]);
    expect(rig.writes).toMatchObject([{ tier: 1, failure: { reason: "locked", status: 423, attempts: 1 } }]);
  });

  test("moves a failed event to the first retry topic as one attempt, and later events of its user behind it", async () => {
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
    expect(rig.backlog.userCount).toBe(1);
  });

  test("delivers from the retry topic in order and then releases the user", async () => {
    const rig = setUp();
    rig.source("u1", "u2");
    await exhaust(rig, "u1");
    await acknowledge(rig);
    await acknowledge(rig);
    for (const [offset, name] of ["u1", "u2"].entries()) rig.tier(0, parsedOf(name, offset), offset);
    expect(inFlight(rig)).toEqual(["u1"]);
    await answer(rig, "u1", delivered);
    await answer(rig, "u2", delivered);
    rig.source("u3");
    expect(inFlight(rig)).toEqual(["u3"]);
    expect(rig.backlog.userCount).toBe(0);
  });

  test("drops an outdated copy without a call and without an outcome", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    await acknowledge(rig);
    rig.tier(0, parsedOf("u1", 0), 0);
    await answer(rig, "u1", delivered);
    rig.tier(1, parsedOf("u1", 0), 0);
    await turns();
    expect(rig.retryTopics[1]?.tracker.committableOffset).toBe(1);
    expect(inFlight(rig)).toEqual([]);
    expect(outcomes(rig)).toEqual(["u1 delivered"]);
  });

  test("does not deliver from the source what was completed from a retry topic, as after a crash", async () => {
    const rig = setUp();
    rig.tier(0, parsedOf("u1", 0), 0);
    await answer(rig, "u1", delivered);
    rig.source("u1", "u2");
    await turns();
    expect(inFlight(rig)).toEqual(["u2"]);
    expect(rig.owned.tracker.committableOffset).toBe(1);
    expect(outcomes(rig)).toEqual(["u1 delivered"]);
  });

  test("dead-letters an event whose attempts and age are exhausted, with its first failure and all attempts", async () => {
    const rig = setUp();
    const { retryState } = parsedOf("u1", 0);
    rig.clock.time = 20_000;
    rig.tier(2, parsedOf("u1", 0, { retryState: { ...retryState, attempts: 1, firstFailedAt: 5_000 } }), 0);
    await exhaust(rig, "u1");
    expect(rig.writes).toMatchObject([
      { tier: undefined, failure: { reason: "retries_exhausted", attempts: 2, firstFailedAt: 5_000 } },
    ]);
    await acknowledge(rig);
    expect(outcomes(rig)).toEqual(["u1 dead"]);
  });

  test("retries an unknown schema through one retry topic, then dead-letters it under its own reason", async () => {
    const decision: Retry = { kind: "retry", reason: "unknown_schema", error: "The registry knows no schema 7" };
    const rig = setUp();
    rig.odd({ decision });
    expect(rig.writes).toMatchObject([{ tier: 0, failure: { reason: "unknown_schema" } }]);
    await acknowledge(rig);
    rig.tier(0, parsedOf("x", 0, { decision }), 0);
    await turns();
    expect(rig.writes).toMatchObject([{ tier: undefined, failure: { reason: "unknown_schema" } }]);
  });

  test("dead-letters an event that is too large for the retry topic, and names its failure", async () => {
    const rig = setUp();
    rig.source("u1");
    await exhaust(rig, "u1");
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes).toMatchObject([
      { failure: { reason: "too_large", error: expect.stringMatching(/^server_error: /) } },
    ]);
  });

  test("dead-letters an undeliverable event without a call and without an attempt", async () => {
    const rig = setUp();
    rig.odd({ decision: dead("undecodable", "No") });
    expect(rig.writes).toMatchObject([
      { tier: undefined, failure: { reason: "undecodable", attempts: 0, firstFailedAt: 1_000 } },
    ]);
    expect(inFlight(rig)).toEqual([]);
  });

  test("completes a skipped event at once, even during a hold", async () => {
    const rig = setUp();
    rig.gate.state = "closed";
    rig.odd({ decision: skipped("tombstone") });
    expect(outcomes(rig)).toEqual(["0 skipped"]);
    expect(rig.owned.tracker.committableOffset).toBe(1);
    expect(rig.budget.records).toBe(0);
  });

  test("completes a skipped event of a retry topic when its turn comes", async () => {
    const rig = setUp();
    rig.tier(0, parsedOf("x", 0, { decision: skipped("unsupported_event_type") }), 0);
    await turns();
    expect(outcomes(rig)).toEqual(["0 skipped"]);
    expect(rig.retryTopics[0]?.tracker.committableOffset).toBe(1);
  });

  test("does not retry forever if a foreign header puts the first failure into the future", async () => {
    const rig = setUp();
    const { retryState } = parsedOf("u1", 0);
    rig.tier(2, parsedOf("u1", 0, { retryState: { ...retryState, attempts: 5, firstFailedAt: 9e12 } }), 0);
    await exhaust(rig, "u1");
    expect(rig.writes).toMatchObject([{ tier: 2, failure: { attempts: 6, firstFailedAt: 1_000 } }]);
  });

  test("writes the time of the first failure into a dead letter, never a time in the future", async () => {
    const rig = setUp();
    const failedAt = (name: string, offset: number, firstFailedAt: number) =>
      parsedOf(name, offset, { retryState: { ...parsedOf(name, offset).retryState, firstFailedAt } });
    rig.tier(0, failedAt("u1", 0, 400), 0);
    rig.tier(0, failedAt("v1", 1, 9e12), 1);
    await answer(rig, "u1", dead("rejected", "No", 400));
    await answer(rig, "v1", dead("rejected", "No", 400));
    expect(rig.writes.map(({ failure }) => failure.firstFailedAt)).toEqual([400, 1_000]);
  });

  test("starts nothing while the group session is expired, and continues after the next heartbeat", async () => {
    const rig = setUp();
    rig.clock.mayStart = false;
    rig.source("u1", "v1");
    rig.scheduler.startReady();
    expect(rig.calls).toEqual([]);
    rig.clock.mayStart = true;
    rig.scheduler.startReady();
    expect(rig.calls.map(({ body }) => body)).toEqual(["u1", "v1"]);
  });

  test("reserves no memory after a join, not even for records read between two assignments", () => {
    const rig = setUp();
    rig.scheduler.dropAssignment();
    rig.source("u1", "u2");
    expect(rig.budget.records).toBe(2);
    rig.scheduler.dropAssignment();
    expect(rig.budget.records).toBe(0);
  });
});
