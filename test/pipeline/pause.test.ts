import { describe, expect, it } from "vitest";

import { dead, delivered } from "../../src/core/outcome/outcome.ts";
import { parsedOf, createOwner, createRig, turns } from "./rig.ts";

const failed = { kind: "retry", reason: "server_error", error: "Failed", status: 500 } as const;

describe("the pipeline, paused", () => {
  it("reads no records and starts nothing: neither calls nor dead letters nor second attempts", async () => {
    const rig = createRig();
    const { source, enqueue } = createOwner(rig);
    enqueue(source, parsedOf("u0", 0), 0);
    rig.clock.isPaused = true;
    enqueue(source, parsedOf("v0", 1), 1);
    enqueue(source, parsedOf("d0", 2, { decision: dead("undecodable", "No") }), 2);
    rig.calls[0]?.answer(failed);
    await turns();
    rig.timers.shift()?.callback();
    expect([rig.calls, rig.writes, rig.ended, rig.moved, rig.scheduler.headsInWork]).toEqual([[], [], [], [], 0]);
    expect([rig.scheduler.capacity.isFull, rig.scheduler.capacity.mayResume]).toEqual([true, false]);
  });

  it("continues where it stopped, and has used no attempt meanwhile", async () => {
    const rig = createRig();
    const { source, enqueue } = createOwner(rig);
    rig.clock.isPaused = true;
    enqueue(source, parsedOf("u0", 0), 0);
    rig.clock.isPaused = false;
    rig.scheduler.startReady();
    expect([rig.scheduler.capacity.isFull, rig.scheduler.capacity.mayResume]).toEqual([false, true]);
    expect(rig.calls.map(({ body, isFirst }) => [body, isFirst])).toEqual([["u0", true]]);
    rig.calls[0]?.answer(delivered);
    await turns();
    expect(source.tracker.committableOffset).toBe(1);
  });

  it("does not interrupt a call in flight", async () => {
    const rig = createRig();
    const { source, enqueue } = createOwner(rig);
    enqueue(source, parsedOf("u0", 0), 0);
    rig.clock.isPaused = true;
    rig.calls[0]?.answer(delivered);
    await turns();
    expect([rig.ended.length, source.tracker.committableOffset]).toEqual([1, 1]);
  });

  it("spills no user and starts no extra probe", async () => {
    const rig = createRig();
    const { assignment, source, enqueue } = createOwner(rig);
    rig.clock.isPaused = true;
    for (let offset = 0; offset < 1_000; offset++) enqueue(source, parsedOf(`u${offset}`, offset), offset);
    rig.scheduler.spillHotKeys([source]);
    expect(rig.budget.isHalfFree).toBe(false);
    expect(assignment.queues.queuesHeavierThan(500, () => 1).map(({ mustSpill }) => mustSpill)).toEqual([false]);
    rig.gate.state = "probe";
    rig.gate.isHeld = true;
    for (let look = 0; look < 30; look++) rig.scheduler.spillHotKeys([]);
    expect(rig.scheduler.headsInWork).toBe(0);
  });
});
