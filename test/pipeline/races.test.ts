import { describe, expect, it } from "vitest";

import { delivered } from "../../src/core/outcome/outcome.ts";
import { crowdOf } from "../../src/pipeline/hot-keys.ts";
import { arrivalOf, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, fire, inFlight, setUp } from "./set-up.ts";

type World = ReturnType<typeof setUp>;

/** The writes under way, as `u1+u2>0`. */
const writing = ({ writes }: World): string[] =>
  writes.map(({ tier, moves }) => `${moves.map(({ arrival }) => nameOf(arrival)).join("+")}>${tier}`);

const nameOf = ({ meaning }: ReturnType<typeof arrivalOf>): string =>
  meaning.kind === "call" ? String(meaning.body) : "";

const acknowledgeWrite = async (world: World, write: string): Promise<void> => {
  world.writes[writing(world).indexOf(write)]?.answer("written");
  await turns();
};

describe("Stream, where a record is read from a tier before its write is acknowledged", () => {
  it("loses nothing where the copy has gone on to the next tier", async () => {
    const world = setUp();
    world.source("u0", "u1");
    await exhaust(world, "u0");
    await acknowledge(world);
    await acknowledge(world);
    world.source("u2");
    for (const [offset, name] of ["u0", "u1", "u2"].entries()) world.tier(0, arrivalOf(name, offset), offset);
    await exhaust(world, "u0");
    await acknowledgeWrite(world, "u0>1");
    expect(writing(world)).toEqual(["u2>0", "u1+u2>1"]);
    await acknowledgeWrite(world, "u1+u2>1");
    await acknowledgeWrite(world, "u2>0");
    for (const [offset, name] of ["u0", "u1", "u2"].entries()) world.tier(1, arrivalOf(name, offset), offset);
    await answer(world, "u0", delivered);
    await answer(world, "u1", delivered);
    expect(inFlight(world)).toEqual(["u2"]);
  });

  it("does not take the copy for a probe", async () => {
    const world = setUp();
    world.source("u0");
    await exhaust(world, "u0");
    world.gate.state = "probe";
    world.tier(0, arrivalOf("u0", 0), 0);
    expect([inFlight(world), writing(world)]).toEqual([[], ["u0>0"]]);
    world.gate.state = "open";
    await acknowledge(world);
    await fire(world);
    expect(inFlight(world)).toEqual(["u0"]);
  });
});

describe("Stream, with a user in two lanes", () => {
  it.each(["open", "probe"] as const)(
    "makes no call of a record that somebody wrote to a tier while one of its user is in flight (gate %s)",
    async (state) => {
      const world = setUp();
      world.source("u0");
      world.gate.state = state;
      world.tier(0, arrivalOf("u9", 9), 0);
      expect(inFlight(world)).toEqual(["u0"]);
      world.gate.state = "open";
      await answer(world, "u0", delivered);
      await fire(world);
      expect(inFlight(world)).toEqual(["u9"]);
    },
  );

  it("lets a known record of a tier go while newcomers of its user are being written", async () => {
    const world = setUp();
    world.source("u0");
    await exhaust(world, "u0");
    await acknowledge(world);
    world.source("u1");
    expect(writing(world)).toEqual(["u1>0"]);
    world.tier(0, arrivalOf("u0", 0), 0);
    expect(inFlight(world)).toEqual(["u0"]);
  });
});

describe("Stream, making way", () => {
  it("moves only the event that blocks, not the next of its user", async () => {
    const world = setUp();
    world.source("u0", "u1");
    world.stream.relieve([world.inlet]);
    await answer(world, "u0", delivered);
    expect([inFlight(world), writing(world)]).toEqual([["u1"], []]);
  });

  it("calls an event out of a tier that blocks: it does not go back to the first tier", () => {
    const world = setUp();
    world.gate.state = "closed";
    world.tier(1, arrivalOf("u0", 0), 0);
    const [, second] = world.tiers;
    world.stream.relieve(second ? [second] : []);
    world.gate.state = "open";
    world.stream.pump();
    expect([inFlight(world), writing(world)]).toEqual([["u0"], []]);
  });

  it("lets nobody make way while flooded", async () => {
    const world = setUp({ deadLetterLimit: { scope: "all", consecutive: 1, percent: 100, minEvents: 1_000 } });
    world.source("u0", "u1");
    for (const _ of [1, 2]) world.flood.admit({ topic: "events", reason: "undecodable" }, "No", 0);
    world.stream.relieve([world.inlet]);
    world.flood.change(false, 0);
    await answer(world, "u0", delivered);
    expect([inFlight(world), writing(world)]).toEqual([["u1"], []]);
  });

  it("lets a user of few but large records make way", async () => {
    const world = setUp();
    const record = { key: null, value: new Uint8Array(100_000), headers: {}, timestamp: 0 };
    for (let offset = 0; offset < 60; offset++)
      world.take(world.inlet, arrivalOf(`h${offset}`, offset, { record }), offset);
    world.stream.relieve([]);
    await answer(world, "h0", delivered);
    expect(writing(world)).toEqual(["h1>0"]);
  });

  it("ends a user's pause when that user has nobody in the tiers any more, whoever else has", () => {
    const world = setUp();
    for (let offset = 0; offset < 49_999; offset++)
      world.chains.moved(`v${offset}`, `v-${offset}`, { tier: 0, offset });
    world.chains.moved("u", "u-0", { tier: 0, offset: 50_000 });
    const hasRoom = crowdOf(world.assignment, world.inlet, [arrivalOf("u", 0)]);
    expect(hasRoom?.()).toBe(false);
    world.chains.finished("u", "u-0");
    expect([crowdOf(world.assignment, world.inlet, [arrivalOf("u", 0)]), hasRoom?.()]).toEqual([undefined, true]);
  });

  it("helps a probe that nobody can make: the call stands behind what may not move, or is kept out by it", async () => {
    const world = setUp();
    world.chains.moved("u", "first", { tier: 2, offset: 0 });
    for (let offset = 0; offset < 500; offset++) world.chains.moved("u", `events-0-${offset}@0`, { tier: 0, offset });
    world.gate.state = "closed";
    for (let offset = 0; offset < 500; offset++) world.tier(0, arrivalOf(`u${offset}`, offset), offset);
    world.gate.isHeld = true;
    world.gate.state = "probe";
    world.stream.pump();
    for (let looks = 0; looks < 19; looks++) world.stream.relieve([]);
    expect(writing(world)).toEqual([]);
    world.stream.relieve([]);
    expect(world.writes.map(({ tier, moves }) => [tier, moves.length])).toEqual([[2, 100]]);
  });
});
