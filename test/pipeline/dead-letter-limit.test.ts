import { describe, expect, it } from "vitest";

import { type Failure, eventKeyOf } from "../../src/core/outcome/headers.ts";
import { dead, delivered } from "../../src/core/outcome/outcome.ts";
import type { Arrival } from "../../src/core/parsed-record.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import { backlogOf } from "../../src/pipeline/hot-keys.ts";
import type { Move } from "../../src/pipeline/ports.ts";
import { type Rig, arrivalOf, createOwner, createRig, turns } from "./rig.ts";

const limit = { scope: "all" as const, consecutive: 2, percent: 100, minEvents: 1_000 };
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

const byCause = { ...limit, scope: "cause" as const };
const invalid = { meaning: { ...dead("invalid_event", "No type"), rule: "type_missing" } };

const acknowledgeAll = async ({ writes }: Rig): Promise<void> => {
  while (writes.length > 0) {
    writes[0]?.answer("written");
    await turns();
  }
};

/** An event as its record says when it comes back out of the tier that it has been written to. */
const comeBack = (
  write: (Pick<Move, "arrival"> & { failure: Pick<Failure, "reason" | "status"> }) | undefined,
): Arrival => {
  if (!write) throw new Error("Nothing was written");
  const { arrival, failure } = write;
  return { ...arrival, past: { ...arrival.past, reason: failure.reason, status: failure.status } };
};

/** Where each event went: a tier by its number, or how it ended. */
const endsOf = ({ moved, ended }: Rig): string[] => [
  ...moved.map(({ name, reason, tier }) => `${name} ${reason} ${tier}`),
  ...ended.map(({ name, outcome }) => `${name} ${outcome.kind}`),
];

describe("Stream, with too many dead letters of one cause", () => {
  /** Two dead letters of the cause have been written: the next ones wait. */
  const createHeld = async () => {
    const rig = createRig({ deadLetterLimit: byCause });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.take(owner.source, arrivalOf(`${"ab"[offset]}0`, offset, invalid), offset);
    await acknowledgeAll(rig);
    return { rig, ...owner };
  };

  it("moves those events to the retry topic without using an attempt, and delivers all others", async () => {
    const { rig, source, take } = await createHeld();
    take(source, arrivalOf("c0", 2, invalid), 2);
    take(source, arrivalOf("u0", 3), 3);
    take(source, arrivalOf("d0", 4, bad), 4);
    rig.calls[0]?.answer(delivered);
    const [parked, other] = rig.writes;
    expect(parked?.failure).toMatchObject({ reason: "parked", attempts: 0, firstFailedAt: undefined, tier: 0 });
    expect(parked?.failure.error).toBe("Waits for another deadLetterLimit, too many end as invalid_event: No type");
    expect([other?.tier, other?.failure.reason]).toEqual([undefined, "undecodable"]);
    await acknowledgeAll(rig);
    expect(endsOf(rig)).toEqual(["2 parked 0", "0 dead", "1 dead", "u0 delivered", "4 dead"]);
    expect([source.tracker.mark, rig.budget.records, rig.floodHolds]).toEqual([5, 0, [true]]);
  });

  it("keeps the order of a user whose event waits: later ones follow, and go when it has gone", async () => {
    const { rig, source, tiers, take } = await createHeld();
    const [first] = tiers;
    if (!first) throw new Error("No tier");
    take(source, arrivalOf("c0", 2, invalid), 2);
    await acknowledgeAll(rig);
    take(source, arrivalOf("c1", 3), 3);
    await acknowledgeAll(rig);
    expect([endsOf(rig).slice(0, 2), rig.calls]).toEqual([["2 parked 0", "c1 parked 0"], []]);
    rig.flood.change(false, rig.clock.now());
    take(first, arrivalOf("c0", 2, invalid), 0);
    take(first, arrivalOf("c1", 3), 1);
    expect(rig.calls).toEqual([]);
    await acknowledgeAll(rig);
    expect(rig.calls.map(({ body }) => body)).toEqual(["c1"]);
    rig.calls[0]?.answer(delivered);
    await turns();
    expect(endsOf(rig).slice(-2)).toEqual(["2 dead", "c1 delivered"]);
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 2],
  ])("moves one that comes back out of tier %i while it still waits to tier %i", async (from, to) => {
    const { rig, tiers, take } = await createHeld();
    const inlet = tiers[from];
    if (!inlet) throw new Error("No tier");
    take(inlet, arrivalOf("c0", 2, invalid), 0);
    expect(rig.writes.map(({ tier }) => tier)).toEqual([to]);
  });

  /** One refused event has been dead-lettered; the next one waits in the first tier, as its record says when it comes back. */
  const createRefused = async () => {
    const rig = createRig({ deadLetterLimit: { ...byCause, consecutive: 1 } });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.take(owner.source, arrivalOf(`${"ab"[offset]}0`, offset), offset);
    for (const call of rig.calls.slice()) call.answer(dead("rejected", "Refused", 403));
    await turns();
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason])).toEqual([
      [undefined, "rejected"],
      [0, "parked"],
    ]);
    const back = comeBack(rig.writes[1]);
    await acknowledgeAll(rig);
    expect(rig.flood.culprits).toMatchObject([{ reason: "rejected", rule: "http_403" }]);
    return { rig, ...owner, back };
  };

  it("does not send Gainsight again what it refused, however often that comes back, for refusals can hold everybody", async () => {
    const { rig, tiers, take, back } = await createRefused();
    let arrival = back;
    for (const tier of [0, 1, 2, 2]) {
      const inlet = tiers[tier];
      if (inlet) take(inlet, arrival, inlet.tracker.position);
      expect([rig.calls, rig.writes.map((write) => write.tier)]).toEqual([[], [Math.min(tier + 1, 2)]]);
      arrival = comeBack(rig.writes[0]);
      await acknowledgeAll(rig);
    }
    expect(rig.stream.working).toBe(0);
  });

  it.each([
    ["is delivered if Gainsight has changed its mind", delivered, "delivered"],
    ["is a dead letter if not", dead("rejected", "Refused", 403), "dead"],
  ])("asks Gainsight again once the limit is changed: what was refused %s", async (_, verdict, kind) => {
    const { rig, tiers, take, back } = await createRefused();
    rig.flood.change(false, rig.clock.now());
    if (tiers[0]) take(tiers[0], back, 0);
    expect(rig.calls.map(({ body }) => body)).toEqual(["b0"]);
    rig.calls[0]?.answer(verdict);
    await acknowledgeAll(rig);
    await turns();
    await acknowledgeAll(rig);
    expect(endsOf(rig).at(-1)).toBe(`b0 ${kind}`);
  });

  it("remembers a refusal while its event follows an earlier one from tier to tier", async () => {
    const { rig, tiers, chains, take, back } = await createRefused();
    chains.finished("b", eventKeyOf(back.past.origin));
    chains.moved("b", "earlier", { tier: 1, offset: 0 });
    const copy = { ...back, past: { ...back.past, origin: { ...back.past.origin, id: "copy" } } };
    if (tiers[0]) take(tiers[0], copy, 0);
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.status])).toEqual([[1, 403]]);
    await acknowledgeAll(rig);
    chains.finished("b", "earlier");
    if (tiers[1]) take(tiers[1], comeBack({ arrival: copy, failure: { reason: "parked", status: 403 } }), 0);
    expect([rig.calls, rig.writes.length]).toEqual([[], 1]);
  });

  it("probes with none that only waits for another limit, and writes nothing meanwhile", async () => {
    const { rig, source, tiers, take, back } = await createRefused();
    rig.gate.state = "closed";
    if (tiers[0]) take(tiers[0], back, 0);
    take(source, arrivalOf("u0", 2), 2);
    rig.gate.state = "probe";
    rig.stream.pump();
    expect([rig.calls.map(({ body }) => body), rig.writes]).toEqual([["u0"], []]);
  });

  it("names the last failure of those whose attempts are spent, and gives them a further round", async () => {
    const rig = createRig({ deadLetterLimit: { ...byCause, consecutive: 1 } });
    const { tiers, take } = createOwner(rig);
    const [, , last] = tiers;
    if (!last) throw new Error("No tier");
    const spent = (name: string, offset: number) => {
      const { past, ...arrival } = arrivalOf(name, offset);
      return { ...arrival, past: { ...past, attempts: 5, firstFailedAt: -100_000 } };
    };
    rig.written[2] = 2;
    for (const offset of [0, 1]) take(last, spent(`${"ab"[offset]}0`, offset), offset);
    for (let round = 0; round < 2; round++) {
      for (const call of rig.calls.slice())
        call.answer({ kind: "retry", reason: "server_error", error: "Failed", status: 500 });
      await turns();
      for (const { callback } of rig.timers.splice(0)) callback();
    }
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason, failure.attempts])).toEqual([
      [undefined, "retries_exhausted", 6],
      [2, "parked", 5],
    ]);
    expect(rig.flood.culprits).toMatchObject([{ topic: "events", reason: "retries_exhausted", rule: "server_error" }]);
    const back = comeBack(rig.writes[1]);
    expect(back.past.status, "which would say that Gainsight refused it").toBeUndefined();
    await acknowledgeAll(rig);
    take(last, back, 2);
    expect(rig.calls).toHaveLength(1);
  });

  it("counts an event that is delivered out of a retry topic for the topic that it came from", async () => {
    const rig = createRig({ deadLetterLimit: byCause });
    const { source, tiers, take } = createOwner(rig);
    take(source, arrivalOf("a0", 0, invalid), 0);
    if (tiers[0]) take(tiers[0], arrivalOf("u0", 1), 0);
    rig.calls[0]?.answer(delivered);
    await turns();
    for (const offset of [2, 3]) take(source, arrivalOf("b0", offset, { ...invalid, user: `b${offset}` }), offset);
    await acknowledgeAll(rig);
    expect([rig.ended.length, rig.moved]).toEqual([4, []]);
  });

  it("writes a dead letter where the event fits into no retry topic", async () => {
    const { rig, source, take } = await createHeld();
    take(source, arrivalOf("c0", 2, invalid), 2);
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason])).toEqual([[undefined, "too_large"]]);
    expect(rig.writes[0]?.failure.error).toContain("too many end as invalid_event: No type");
  });

  it("lets thousands of other users past in the same partition, however many events wait", async () => {
    const { rig, source, take, chains } = await createHeld();
    for (let n = 0; n < 3_000; n++) {
      take(source, arrivalOf("x", 2 * n + 2, { ...invalid, user: `bad${n}` }), 2 * n + 2);
      take(source, arrivalOf("u0", 2 * n + 3, { user: `good${n}` }), 2 * n + 3);
      rig.calls[0]?.answer(delivered);
      rig.writes[0]?.answer("written");
      await turns();
    }
    expect(rig.ended.filter(({ outcome }) => outcome.kind === "delivered")).toHaveLength(3_000);
    expect([source.tracker.mark, rig.budget.records, chains.records]).toEqual([6_002, 0, 3_000]);
  });

  it("lets the sources of the topic wait once half of what may wait is in the retry topics, until the limit is lifted", () => {
    const chains = new Chains([]);
    const rig = createRig({ deadLetterLimit: byCause });
    const { source, tiers } = createOwner(rig, { chains });
    const heldIn = new Set<string>();
    const backlog = (inlet = source) => backlogOf(inlet, (topic) => heldIn.has(topic));
    for (let n = 0; n < 25_000; n++) chains.moved(`bad${n}`, `${n}`, { tier: 0, offset: n });
    expect(backlog()).toBeUndefined();
    heldIn.add("events");
    const hasRoomAgain = backlog();
    expect([hasRoomAgain?.(), tiers.map((tier) => backlog(tier))]).toEqual([false, [undefined, undefined, undefined]]);
    for (let n = 0; n < 3_000; n++) chains.finished(`bad${n}`, `${n}`);
    expect([hasRoomAgain?.(), backlog()]).toEqual([true, undefined]);
    for (let n = 0; n < 3_000; n++) chains.moved(`bad${n}`, `again ${n}`, { tier: 0, offset: n });
    expect(backlog()?.()).toBe(false);
    heldIn.clear();
    expect([hasRoomAgain?.(), backlog()]).toEqual([true, undefined]);
  });
});
