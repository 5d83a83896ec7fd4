import { describe, expect, it } from "vitest";

import { delivered } from "../../src/core/outcome/outcome.ts";
import { hotKeyWaitFor } from "../../src/pipeline/hot-keys.ts";
import { parsedOf, turns } from "./rig.ts";
import { acknowledge, answer, exhaust, fire, inFlight, setUp } from "./set-up.ts";

type World = ReturnType<typeof setUp>;

/** The writes in flight, as `u1+u2>0`: records and retry topic. */
const writing = ({ writes }: World): string[] =>
  writes.map(({ tier, records }) => `${records.map(({ parsed }) => nameOf(parsed)).join("+")}>${tier}`);

const nameOf = ({ decision }: ReturnType<typeof parsedOf>): string =>
  decision.kind === "call" ? String(decision.body) : "";

const acknowledgeWrite = async (world: World, write: string): Promise<void> => {
  world.writes[writing(world).indexOf(write)]?.answer("written");
  await turns();
};

describe("the pipeline, if a record is read from a retry topic before its write is acknowledged", () => {
  it("loses nothing if the copy was moved on to the next retry topic", async () => {
    const world = setUp();
    world.source("u0", "u1");
    await exhaust(world, "u0");
    await acknowledge(world);
    await acknowledge(world);
    world.source("u2");
    for (const [offset, name] of ["u0", "u1", "u2"].entries()) world.tier(0, parsedOf(name, offset), offset);
    await exhaust(world, "u0");
    await acknowledgeWrite(world, "u0>1");
    expect(writing(world)).toEqual(["u2>0", "u1+u2>1"]);
    await acknowledgeWrite(world, "u1+u2>1");
    await acknowledgeWrite(world, "u2>0");
    for (const [offset, name] of ["u0", "u1", "u2"].entries()) world.tier(1, parsedOf(name, offset), offset);
    await answer(world, "u0", delivered);
    await answer(world, "u1", delivered);
    expect(inFlight(world)).toEqual(["u2"]);
  });

  it("does not use the copy as a probe", async () => {
    const world = setUp();
    world.source("u0");
    await exhaust(world, "u0");
    world.gate.state = "probe";
    world.tier(0, parsedOf("u0", 0), 0);
    expect([inFlight(world), writing(world)]).toEqual([[], ["u0>0"]]);
    world.gate.state = "open";
    await acknowledge(world);
    await fire(world);
    expect(inFlight(world)).toEqual(["u0"]);
  });
});

describe("the pipeline, with a user in two queues", () => {
  it.each(["open", "probe"] as const)(
    "starts no call for a foreign record of a retry topic while a call of its user is in flight (gate %s)",
    async (state) => {
      const world = setUp();
      world.source("u0");
      world.gate.state = state;
      world.tier(0, parsedOf("u9", 9), 0);
      expect(inFlight(world)).toEqual(["u0"]);
      world.gate.state = "open";
      await answer(world, "u0", delivered);
      await fire(world);
      expect(inFlight(world)).toEqual(["u9"]);
    },
  );

  it("processes a known record of a retry topic while later events of its user are being written", async () => {
    const world = setUp();
    world.source("u0");
    await exhaust(world, "u0");
    await acknowledge(world);
    world.source("u1");
    expect(writing(world)).toEqual(["u1>0"]);
    world.tier(0, parsedOf("u0", 0), 0);
    expect(inFlight(world)).toEqual(["u0"]);
  });
});

describe("the pipeline, spilling hot keys", () => {
  it("moves only the event that blocks, not the user's next event", async () => {
    const world = setUp();
    world.source("u0", "u1");
    world.scheduler.spillHotKeys([world.owned]);
    await answer(world, "u0", delivered);
    expect([inFlight(world), writing(world)]).toEqual([["u1"], []]);
  });

  it("delivers a blocking event from a retry topic: it does not return to the first retry topic", () => {
    const world = setUp();
    world.gate.state = "closed";
    world.tier(1, parsedOf("u0", 0), 0);
    const [, second] = world.retryTopics;
    world.scheduler.spillHotKeys(second ? [second] : []);
    world.gate.state = "open";
    world.scheduler.startReady();
    expect([inFlight(world), writing(world)]).toEqual([["u0"], []]);
  });

  it("spills nothing at the dead-letter limit", async () => {
    const world = setUp({ limit: { scope: "all", consecutive: 1, percent: 100, minEvents: 1_000 } });
    world.source("u0", "u1");
    for (const _ of [1, 2]) world.deadLetterLimit.countIfAllowed({ topic: "events", reason: "undecodable" }, "No", 0);
    world.scheduler.spillHotKeys([world.owned]);
    world.deadLetterLimit.setLimit(false, 0);
    await answer(world, "u0", delivered);
    expect([inFlight(world), writing(world)]).toEqual([["u1"], []]);
  });

  it("spills a user with few but large records", async () => {
    const world = setUp();
    const record = { key: null, value: new Uint8Array(100_000), headers: {}, timestamp: 0 };
    for (let offset = 0; offset < 60; offset++)
      world.enqueue(world.owned, parsedOf(`h${offset}`, offset, { record }), offset);
    world.scheduler.spillHotKeys([]);
    await answer(world, "h0", delivered);
    expect(writing(world)).toEqual(["h1>0"]);
  });

  it("ends a user's pause when the retry topics hold no event of that user, whatever they hold of others", () => {
    const world = setUp();
    for (let offset = 0; offset < 49_999; offset++)
      world.backlog.upsert(`v${offset}`, `v-${offset}`, { tier: 0, offset });
    world.backlog.upsert("u", "u-0", { tier: 0, offset: 50_000 });
    const hasCapacity = hotKeyWaitFor(world.assignment, world.owned, [parsedOf("u", 0)]);
    expect(hasCapacity?.()).toBe(false);
    world.backlog.complete("u", "u-0");
    expect([hotKeyWaitFor(world.assignment, world.owned, [parsedOf("u", 0)]), hasCapacity?.()]).toEqual([
      undefined,
      true,
    ]);
  });

  it("processes an event that is no call if all probe candidates are queued behind it", async () => {
    const world = setUp();
    world.backlog.upsert("u", "first", { tier: 2, offset: 0 });
    for (let offset = 0; offset < 500; offset++) world.backlog.upsert("u", `events-0-${offset}@0`, { tier: 0, offset });
    world.gate.state = "closed";
    for (let offset = 0; offset < 500; offset++) world.tier(0, parsedOf(`u${offset}`, offset), offset);
    world.gate.isHeld = true;
    world.gate.state = "probe";
    world.scheduler.startReady();
    for (let looks = 0; looks < 19; looks++) world.scheduler.spillHotKeys([]);
    expect(writing(world)).toEqual([]);
    world.scheduler.spillHotKeys([]);
    expect(world.writes.map(({ tier, records }) => [tier, records.length])).toEqual([[2, 100]]);
  });
});
