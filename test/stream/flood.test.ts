import { describe, expect, it } from "vitest";

import { dead, delivered } from "../../src/core/outcome.ts";
import { arrivalOf, createOwner, createRig, turns } from "./rig.ts";

const limit = { consecutive: 2, percent: 100, minEvents: 1_000 };
const bad = { meaning: dead("undecodable", "No") };

const createFlooded = async () => {
  const rig = createRig({ deadLetterLimit: limit });
  const { source, take } = createOwner(rig);
  for (let offset = 0; offset < 4; offset++) take(source, arrivalOf(`${"abcd"[offset]}0`, offset, bad), offset);
  while (rig.writes.length > 0) {
    rig.writes[0]?.answer("written");
    await turns();
  }
  return { rig, source, take };
};

describe("Stream, flooded", () => {
  it("holds at the limit: nothing starts, neither dead letters nor calls, and nothing is lost", async () => {
    const { rig, source, take } = await createFlooded();
    expect([rig.ended.length, rig.floodHolds, source.tracker.mark]).toEqual([2, [true], 2]);
    take(source, arrivalOf("u0", 4), 4);
    expect([rig.calls, rig.writes, rig.stream.working]).toEqual([[], [], 0]);
  });

  it("goes on where it stopped when an operator raises the limit", async () => {
    const { rig, source, take } = await createFlooded();
    take(source, arrivalOf("u0", 4), 4);
    rig.flood.change({ ...limit, consecutive: 3 }, rig.clock.now());
    rig.stream.pump();
    expect(rig.calls.map(({ body }) => body)).toEqual(["u0"]);
    while (rig.writes.length > 0) {
      rig.writes[0]?.answer("written");
      await turns();
    }
    rig.calls[0]?.answer(delivered);
    await turns();
    expect([rig.ended.length, source.tracker.mark, rig.floodHolds]).toEqual([5, 5, [true, false]]);
  });

  it("does not ask Gainsight again about an event that it has refused", async () => {
    const rig = createRig({ deadLetterLimit: { ...limit, consecutive: 1 } });
    const { source, take } = createOwner(rig);
    take(source, arrivalOf("a0", 0), 0);
    take(source, arrivalOf("b0", 1), 1);
    for (const call of rig.calls.slice()) call.answer(dead("rejected", "Refused", 400));
    await turns();
    expect(rig.writes).toHaveLength(1);
    rig.writes[0]?.answer("written");
    await turns();
    rig.flood.change(false, rig.clock.now());
    rig.stream.pump();
    expect([rig.calls, rig.writes.map(({ failure }) => failure.reason)]).toEqual([[], ["rejected"]]);
  });
});
