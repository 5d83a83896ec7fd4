import { describe, expect, it } from "vitest";

import type { Retry } from "../../src/core/outcome/outcome.ts";
import { delivered } from "../../src/core/outcome/outcome.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import { crowdOf } from "../../src/pipeline/hot-keys.ts";
import { arrivalOf, createOwner, createRig, turns } from "./rig.ts";

const failed: Retry = { kind: "retry", reason: "timeout", error: "No answer" };

/** A stream that has taken so many events of the hot user `h` from the source, and one of `u`. */
const createCrowd = (many: number) => {
  const rig = createRig();
  const owner = createOwner(rig);
  for (let offset = 0; offset < many; offset++) owner.take(owner.source, arrivalOf(`h${offset}`, offset), offset);
  owner.take(owner.source, arrivalOf("u0", many), many);
  const bodies = (): string[] => rig.calls.map(({ body }) => body);
  const answer = async (body: string, verdict: Parameters<(typeof rig.calls)[number]["answer"]>[0]): Promise<void> => {
    rig.calls.find((call) => call.body === body)?.answer(verdict);
    await turns();
  };
  const write = async (): Promise<number> => {
    const [first] = rig.writes;
    first?.answer("written");
    await turns();
    return first?.moves.length ?? 0;
  };
  return { rig, owner, bodies, answer, write };
};

describe("a hot user", () => {
  it("makes way when memory is short: all of it waits in the first tier, in order, and others go on", async () => {
    const { rig, bodies, answer, write } = createCrowd(601);
    rig.stream.relieve([]);
    expect(bodies()).toEqual(["h0", "u0"]);
    await answer("h0", delivered);
    expect(rig.calls.map(({ body }) => body)).toEqual(["u0"]);
    const sizes = [
      await write(),
      await write(),
      await write(),
      await write(),
      await write(),
      await write(),
      await write(),
    ];
    expect(sizes).toEqual([1, 100, 100, 100, 100, 100, 99]);
    expect(rig.moved.map(({ name }) => name)).toEqual(Array.from({ length: 600 }, (_, index) => `h${index + 1}`));
    expect(new Set(rig.moved.map(({ reason, tier }) => `${reason} ${tier}`))).toEqual(new Set(["parked 0"]));
    expect(rig.budget.records).toBe(1);
  });

  it("stays where it is while there is room, and while a hold is to blame", async () => {
    const few = createCrowd(400);
    few.rig.stream.relieve([]);
    await few.answer("h0", delivered);
    expect([few.bodies(), few.rig.writes]).toEqual([["u0", "h1"], []]);
    const held = createCrowd(601);
    held.rig.gate.isHeld = true;
    held.rig.stream.relieve([]);
    held.rig.gate.isHeld = false;
    await held.answer("h0", delivered);
    expect([held.bodies(), held.rig.writes]).toEqual([["u0", "h1"], []]);
  });

  it("makes no way while a hold is probed: the probe is a call", async () => {
    const { rig, bodies, answer } = createCrowd(601);
    rig.stream.relieve([]);
    await answer("u0", delivered);
    rig.gate.state = "closed";
    await answer("h0", { kind: "hold", reason: "throttled", error: "Slow down" });
    rig.gate.state = "probe";
    rig.stream.pump();
    expect([bodies(), rig.writes]).toEqual([["h0"], []]);
  });

  it("is followed in runs that a broker takes: not more than 256 KB at a time", async () => {
    const rig = createRig();
    const owner = createOwner(rig, { chains: new Chains([]) });
    owner.chains.moved("h", "first", { tier: 1, offset: 0 });
    rig.gate.state = "closed";
    const value = new Uint8Array(100_000);
    for (let offset = 0; offset < 5; offset++) {
      const arrival = arrivalOf(`h${offset}`, offset);
      owner.take(owner.source, { ...arrival, record: { ...arrival.record, value } }, offset);
    }
    rig.gate.state = "open";
    rig.stream.pump();
    expect(rig.writes.map(({ moves, tier }) => [moves.length, tier])).toEqual([[3, 1]]);
  });

  it("goes one by one where a run is too large for the topic", async () => {
    const { rig, answer, write } = createCrowd(601);
    rig.stream.relieve([]);
    await answer("h0", delivered);
    await write();
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes.map(({ moves }) => moves.length)).toEqual([1]);
    await write();
    expect(rig.moved.map(({ name }) => name)).toEqual(["h1", "h2"]);
  });
});

describe("an event that blocks its partition", () => {
  it("moves to the retry tier after its present call, without further quick attempts", async () => {
    const { rig, owner, answer, write } = createCrowd(1);
    rig.stream.relieve([owner.source]);
    await answer("h0", failed);
    expect([rig.timers, rig.writes.map(({ failure }) => failure.reason)]).toEqual([[], ["timeout"]]);
    await write();
    expect(owner.source.tracker.mark).toBe(1);
  });

  it("is found behind the head of its lane too", async () => {
    const rig = createRig();
    const owner = createOwner(rig);
    const second = { ...owner.source, topic: "other", tracker: new Tracker({ start: 0 }) };
    owner.take(owner.source, arrivalOf("h0", 0), 0);
    owner.take(second, arrivalOf("h1", 0), 0);
    rig.stream.relieve([second]);
    rig.calls[0]?.answer(delivered);
    await turns();
    expect(rig.writes.map(({ arrival }) => arrival.meaning)).toMatchObject([{ body: Buffer.from("h1") }]);
  });
});

describe("crowdOf", () => {
  it("lets 500 records of a user out of a tier into memory, and more again when half of them have gone", async () => {
    const rig = createRig();
    const owner = createOwner(rig);
    const [tier] = owner.tiers;
    if (!tier) throw new Error("No tier");
    rig.gate.state = "closed";
    for (let offset = 0; offset < 500; offset++) {
      expect(crowdOf(owner.assignment, tier, [arrivalOf("h", 0)])).toBeUndefined();
      owner.take(tier, arrivalOf(`h${offset}`, offset), offset);
    }
    const hasRoom = crowdOf(owner.assignment, tier, [arrivalOf("h", 0)]);
    expect([
      hasRoom?.(),
      crowdOf(owner.assignment, tier, [arrivalOf("u", 0)]),
      crowdOf(owner.assignment, owner.source, [arrivalOf("h", 0)]),
    ]).toEqual([false, undefined, undefined]);
    for (let done = 0; done < 250; done++) {
      const lane = owner.assignment.lanes.next();
      if (lane) owner.assignment.lanes.done(lane);
    }
    expect(hasRoom?.()).toBe(true);
  });

  it("lets 10,000 records of a user wait in the tiers, and none of others who wait for nobody wait for them", () => {
    const chains = new Chains([]);
    const owner = createOwner(createRig(), { chains });
    for (let offset = 0; offset < 10_000; offset++) {
      expect(crowdOf(owner.assignment, owner.source, [arrivalOf("h", 0)])).toBeUndefined();
      chains.moved("h", `id-${offset}`, { tier: 0, offset });
    }
    const hasRoom = crowdOf(owner.assignment, owner.source, [arrivalOf("h", 0)]);
    expect([hasRoom?.(), crowdOf(owner.assignment, owner.source, [arrivalOf("u", 0)])]).toEqual([false, undefined]);
    for (let offset = 0; offset < 1_001; offset++) chains.finished("h", `id-${offset}`);
    expect(hasRoom?.()).toBe(true);
  });

  it("lets 60,000 records wait in the tiers over all partition numbers, and more only of users of whom none waits", () => {
    const parked = { records: 0 };
    const fill = (number: number): Chains => {
      const chains = new Chains([], parked);
      for (let n = 0; n < 20_000; n++)
        chains.moved(n < 6_001 ? "h" : `v${n}`, `${number}-${n}`, { tier: 0, offset: n });
      return chains;
    };
    const [here, there] = [fill(0), fill(1)];
    fill(2);
    const owner = createOwner(createRig(), { chains: here });
    const hasRoom = crowdOf(owner.assignment, owner.source, [arrivalOf("h", 0)]);
    expect([parked.records, hasRoom?.()]).toEqual([60_000, false]);
    expect(crowdOf(owner.assignment, owner.source, [arrivalOf("u", 0)])).toBeUndefined();
    for (let n = 0; n < 6_001; n++) {
      expect(hasRoom?.()).toBe(false);
      there.finished("h", `1-${n}`);
    }
    expect(hasRoom?.()).toBe(true);
  });

  it("counts what a rebuilt backlog brings, also beyond the limit: nobody who waits there is forgotten", () => {
    const parked = { records: 0 };
    const found = Array.from({ length: 60_000 }, (_, n) => ({
      user: n % 2 ? "h" : `v${n}`,
      id: `id-${n}`,
      place: { tier: 0, offset: n },
      topic: "events",
      offset: n,
      timestamp: n,
      writtenAt: n,
    }));
    const numbers = [new Chains(found, parked), new Chains(found, parked)];
    expect([parked.records, numbers[0]?.recordsOfAll]).toEqual([120_000, 120_000]);
    const owner = createOwner(createRig(), { chains: numbers[0] ?? new Chains([]) });
    expect(crowdOf(owner.assignment, owner.source, [arrivalOf("h", 0)])?.()).toBe(false);
    for (const chains of numbers) for (const { user, id } of found) chains.finished(user, id);
    expect(parked.records).toBe(0);
  });
});
