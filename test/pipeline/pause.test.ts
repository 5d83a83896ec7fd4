import { describe, expect, it } from "vitest";

import { dead, delivered } from "../../src/core/outcome/outcome.ts";
import { arrivalOf, createOwner, createRig, turns } from "./rig.ts";

const failed = { kind: "retry", reason: "server_error", error: "Failed", status: 500 } as const;

describe("Stream, paused", () => {
  it("wants no records and starts nothing: neither calls nor dead letters nor second attempts", async () => {
    const rig = createRig();
    const { source, take } = createOwner(rig);
    take(source, arrivalOf("u0", 0), 0);
    rig.clock.isPaused = true;
    take(source, arrivalOf("v0", 1), 1);
    take(source, arrivalOf("d0", 2, { meaning: dead("undecodable", "No") }), 2);
    rig.calls[0]?.answer(failed);
    await turns();
    rig.timers.shift()?.callback();
    expect([rig.calls, rig.writes, rig.ended, rig.moved, rig.stream.working]).toEqual([[], [], [], [], 0]);
    expect([rig.stream.capacity.isFull, rig.stream.capacity.hasRoom]).toEqual([true, false]);
  });

  it("goes on where it stopped, and has used no attempt meanwhile", async () => {
    const rig = createRig();
    const { source, take } = createOwner(rig);
    rig.clock.isPaused = true;
    take(source, arrivalOf("u0", 0), 0);
    rig.clock.isPaused = false;
    rig.stream.pump();
    expect([rig.stream.capacity.isFull, rig.stream.capacity.hasRoom]).toEqual([false, true]);
    expect(rig.calls.map(({ body, isFirst }) => [body, isFirst])).toEqual([["u0", true]]);
    rig.calls[0]?.answer(delivered);
    await turns();
    expect(source.tracker.mark).toBe(1);
  });

  it("lets a call in flight end", async () => {
    const rig = createRig();
    const { source, take } = createOwner(rig);
    take(source, arrivalOf("u0", 0), 0);
    rig.clock.isPaused = true;
    rig.calls[0]?.answer(delivered);
    await turns();
    expect([rig.ended.length, source.tracker.mark]).toEqual([1, 1]);
  });

  it("blames nobody: no user makes way, and no probe is helped along", async () => {
    const rig = createRig();
    const { assignment, source, take } = createOwner(rig);
    rig.clock.isPaused = true;
    for (let offset = 0; offset < 1_000; offset++) take(source, arrivalOf(`u${offset}`, offset), offset);
    rig.stream.relieve([source]);
    expect(rig.budget.hasRoom).toBe(false);
    expect(assignment.lanes.heavierThan(500, () => 1).map(({ mustYield }) => mustYield)).toEqual([false]);
    rig.gate.state = "probe";
    rig.gate.isHeld = true;
    for (let look = 0; look < 30; look++) rig.stream.relieve([]);
    expect(rig.stream.working).toBe(0);
  });
});
