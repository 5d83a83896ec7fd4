import { describe, expect, it } from "vitest";

import { type FailureDetails, eventKeyOf } from "../../src/core/outcome/headers.ts";
import { dead, delivered } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import { deadLetterLimitWaitFor } from "../../src/pipeline/hot-keys.ts";
import type { RetryRecord } from "../../src/pipeline/ports.ts";
import { type Rig, parsedOf, createOwner, createRig, turns } from "./rig.ts";

const limit = { scope: "all" as const, consecutive: 2, percent: 100, minEvents: 1_000 };
const bad = { decision: dead("undecodable", "No") };

const createRigAtLimit = async () => {
  const rig = createRig({ limit });
  const { source, take } = createOwner(rig);
  for (let offset = 0; offset < 4; offset++) take(source, parsedOf(`${"abcd"[offset]}0`, offset, bad), offset);
  while (rig.writes.length > 0) {
    rig.writes[0]?.answer("written");
    await turns();
  }
  return { rig, source, take };
};

describe("Pipeline, at the dead-letter limit", () => {
  it("holds at the limit: nothing starts, neither dead letters nor calls, and nothing is lost", async () => {
    const { rig, source, take } = await createRigAtLimit();
    expect([rig.ended.length, rig.limitHolds, source.tracker.committableOffset]).toEqual([2, [true], 2]);
    take(source, parsedOf("u0", 4), 4);
    expect([rig.calls, rig.writes, rig.scheduler.headsInWork]).toEqual([[], [], 0]);
  });

  it("continues where it stopped when an operator raises the limit", async () => {
    const { rig, source, take } = await createRigAtLimit();
    take(source, parsedOf("u0", 4), 4);
    rig.deadLetterLimit.setLimit({ ...limit, consecutive: 3 }, rig.clock.wallNow());
    rig.scheduler.startReady();
    expect(rig.calls.map(({ body }) => body)).toEqual(["u0"]);
    while (rig.writes.length > 0) {
      rig.writes[0]?.answer("written");
      await turns();
    }
    rig.calls[0]?.answer(delivered);
    await turns();
    expect([rig.ended.length, source.tracker.committableOffset, rig.limitHolds]).toEqual([5, 5, [true, false]]);
  });

  it("does not ask Gainsight again about an event that it has refused", async () => {
    const rig = createRig({ limit: { ...limit, consecutive: 1 } });
    const { source, take } = createOwner(rig);
    take(source, parsedOf("a0", 0), 0);
    take(source, parsedOf("b0", 1), 1);
    for (const call of rig.calls.slice()) call.answer(dead("rejected", "Refused", 400));
    await turns();
    expect(rig.writes).toHaveLength(1);
    rig.writes[0]?.answer("written");
    await turns();
    rig.deadLetterLimit.setLimit(false, rig.clock.wallNow());
    rig.scheduler.startReady();
    expect([rig.calls, rig.writes.map(({ failure }) => failure.reason)]).toEqual([[], ["rejected"]]);
  });
});

const byCause = { ...limit, scope: "cause" as const };
const invalid = { decision: { ...dead("invalid_event", "No type"), rule: "type_missing" } };

const acknowledgeAll = async ({ writes }: Rig): Promise<void> => {
  while (writes.length > 0) {
    writes[0]?.answer("written");
    await turns();
  }
};

/** An event as its record says when it is read from the retry topic that it was written to. */
const comeBack = (
  write: (Pick<RetryRecord, "parsed"> & { failure: Pick<FailureDetails, "reason" | "status"> }) | undefined,
): ParsedRecord => {
  if (!write) throw new Error("Nothing was written");
  const { parsed, failure } = write;
  return { ...parsed, retryState: { ...parsed.retryState, reason: failure.reason, status: failure.status } };
};

/** Where each event went: a retry topic by its index, or how it ended. */
const endsOf = ({ moved, ended }: Rig): string[] => [
  ...moved.map(({ name, reason, tier }) => `${name} ${reason} ${tier}`),
  ...ended.map(({ name, outcome }) => `${name} ${outcome.kind}`),
];

describe("Pipeline, with too many dead letters of one cause", () => {
  /** Two dead letters of the cause have been written: the next ones wait. */
  const createHeld = async () => {
    const rig = createRig({ limit: byCause });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.take(owner.source, parsedOf(`${"ab"[offset]}0`, offset, invalid), offset);
    await acknowledgeAll(rig);
    return { rig, ...owner };
  };

  it("moves those events to the retry topic without using an attempt, and delivers all others", async () => {
    const { rig, source, take } = await createHeld();
    take(source, parsedOf("c0", 2, invalid), 2);
    take(source, parsedOf("u0", 3), 3);
    take(source, parsedOf("d0", 4, bad), 4);
    rig.calls[0]?.answer(delivered);
    const [parked, other] = rig.writes;
    expect(parked?.failure).toMatchObject({ reason: "parked", attempts: 0, firstFailedAt: undefined, tier: 0 });
    expect(parked?.failure.error).toBe("Parked by deadLetterLimit, too many events end as invalid_event: No type");
    expect([other?.tier, other?.failure.reason]).toEqual([undefined, "undecodable"]);
    await acknowledgeAll(rig);
    expect(endsOf(rig)).toEqual(["2 parked 0", "0 dead", "1 dead", "u0 delivered", "4 dead"]);
    expect([source.tracker.committableOffset, rig.budget.records, rig.limitHolds]).toEqual([5, 0, [true]]);
  });

  it("keeps the order of a user whose event waits: later ones follow, and go when it has gone", async () => {
    const { rig, source, tiers, take } = await createHeld();
    const [first] = tiers;
    if (!first) throw new Error("No tier");
    take(source, parsedOf("c0", 2, invalid), 2);
    await acknowledgeAll(rig);
    take(source, parsedOf("c1", 3), 3);
    await acknowledgeAll(rig);
    expect([endsOf(rig).slice(0, 2), rig.calls]).toEqual([["2 parked 0", "c1 parked 0"], []]);
    rig.deadLetterLimit.setLimit(false, rig.clock.wallNow());
    take(first, parsedOf("c0", 2, invalid), 0);
    take(first, parsedOf("c1", 3), 1);
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
    const owned = tiers[from];
    if (!owned) throw new Error("No tier");
    take(owned, parsedOf("c0", 2, invalid), 0);
    expect(rig.writes.map(({ tier }) => tier)).toEqual([to]);
  });

  /** One refused event has been dead-lettered; the next one waits in the first retry topic, as its record says when it comes back. */
  const createRefused = async () => {
    const rig = createRig({ limit: { ...byCause, consecutive: 1 } });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.take(owner.source, parsedOf(`${"ab"[offset]}0`, offset), offset);
    for (const call of rig.calls.slice()) call.answer(dead("rejected", "Refused", 403));
    await turns();
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason])).toEqual([
      [undefined, "rejected"],
      [0, "parked"],
    ]);
    const back = comeBack(rig.writes[1]);
    await acknowledgeAll(rig);
    expect(rig.deadLetterLimit.culprits).toMatchObject([{ reason: "rejected", rule: "http_403" }]);
    return { rig, ...owner, back };
  };

  it("does not send Gainsight again what it refused, however often that comes back, for refusals can hold everybody", async () => {
    const { rig, tiers, take, back } = await createRefused();
    let parsed = back;
    for (const tier of [0, 1, 2, 2]) {
      const owned = tiers[tier];
      if (owned) take(owned, parsed, owned.tracker.position);
      expect([rig.calls, rig.writes.map((write) => write.tier)]).toEqual([[], [Math.min(tier + 1, 2)]]);
      parsed = comeBack(rig.writes[0]);
      await acknowledgeAll(rig);
    }
    expect(rig.scheduler.headsInWork).toBe(0);
  });

  it.each([
    ["is delivered if Gainsight has changed its mind", delivered, "delivered"],
    ["is a dead letter if not", dead("rejected", "Refused", 403), "dead"],
  ])("asks Gainsight again once the limit is changed: what was refused %s", async (_, verdict, kind) => {
    const { rig, tiers, take, back } = await createRefused();
    rig.deadLetterLimit.setLimit(false, rig.clock.wallNow());
    if (tiers[0]) take(tiers[0], back, 0);
    expect(rig.calls.map(({ body }) => body)).toEqual(["b0"]);
    rig.calls[0]?.answer(verdict);
    await acknowledgeAll(rig);
    await turns();
    await acknowledgeAll(rig);
    expect(endsOf(rig).at(-1)).toBe(`b0 ${kind}`);
  });

  it("remembers a refusal while its event follows an earlier one from retry topic to retry topic", async () => {
    const { rig, tiers, backlog, take, back } = await createRefused();
    backlog.complete("b", eventKeyOf(back.retryState.source));
    backlog.upsert("b", "earlier", { tier: 1, offset: 0 });
    const copy = { ...back, retryState: { ...back.retryState, source: { ...back.retryState.source, id: "copy" } } };
    if (tiers[0]) take(tiers[0], copy, 0);
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.status])).toEqual([[1, 403]]);
    await acknowledgeAll(rig);
    backlog.complete("b", "earlier");
    if (tiers[1]) take(tiers[1], comeBack({ parsed: copy, failure: { reason: "parked", status: 403 } }), 0);
    expect([rig.calls, rig.writes.length]).toEqual([[], 1]);
  });

  it("probes with none that only waits for another limit, and writes nothing meanwhile", async () => {
    const { rig, source, tiers, take, back } = await createRefused();
    rig.gate.state = "closed";
    if (tiers[0]) take(tiers[0], back, 0);
    take(source, parsedOf("u0", 2), 2);
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    expect([rig.calls.map(({ body }) => body), rig.writes]).toEqual([["u0"], []]);
  });

  it("names the last failure of those whose attempts are spent, and gives them a further round", async () => {
    const rig = createRig({ limit: { ...byCause, consecutive: 1 } });
    const { tiers, take } = createOwner(rig);
    const [, , last] = tiers;
    if (!last) throw new Error("No tier");
    const spent = (name: string, offset: number) => {
      const { retryState, ...parsed } = parsedOf(name, offset);
      return { ...parsed, retryState: { ...retryState, attempts: 5, firstFailedAt: -100_000 } };
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
    expect(rig.deadLetterLimit.culprits).toMatchObject([
      { topic: "events", reason: "retries_exhausted", rule: "server_error" },
    ]);
    const back = comeBack(rig.writes[1]);
    expect(back.retryState.status, "which would say that Gainsight refused it").toBeUndefined();
    await acknowledgeAll(rig);
    take(last, back, 2);
    expect(rig.calls).toHaveLength(1);
  });

  it("counts an event that is delivered out of a retry topic for the topic that it came from", async () => {
    const rig = createRig({ limit: byCause });
    const { source, tiers, take } = createOwner(rig);
    take(source, parsedOf("a0", 0, invalid), 0);
    if (tiers[0]) take(tiers[0], parsedOf("u0", 1), 0);
    rig.calls[0]?.answer(delivered);
    await turns();
    for (const offset of [2, 3]) take(source, parsedOf("b0", offset, { ...invalid, user: `b${offset}` }), offset);
    await acknowledgeAll(rig);
    expect([rig.ended.length, rig.moved]).toEqual([4, []]);
  });

  it("writes a dead letter if the event fits into no retry topic", async () => {
    const { rig, source, take } = await createHeld();
    take(source, parsedOf("c0", 2, invalid), 2);
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason])).toEqual([[undefined, "too_large"]]);
    expect(rig.writes[0]?.failure.error).toContain("too many end as invalid_event: No type");
  });

  it("delivers thousands of other users in the same partition, however many events wait", async () => {
    const { rig, source, take, backlog } = await createHeld();
    for (let n = 0; n < 3_000; n++) {
      take(source, parsedOf("x", 2 * n + 2, { ...invalid, user: `bad${n}` }), 2 * n + 2);
      take(source, parsedOf("u0", 2 * n + 3, { user: `good${n}` }), 2 * n + 3);
      rig.calls[0]?.answer(delivered);
      rig.writes[0]?.answer("written");
      await turns();
    }
    expect(rig.ended.filter(({ outcome }) => outcome.kind === "delivered")).toHaveLength(3_000);
    expect([source.tracker.committableOffset, rig.budget.records, backlog.recordCount]).toEqual([6_002, 0, 3_000]);
  });

  it("lets the sources of the topic wait once half of what may wait is in the retry topics, until the limit is lifted", () => {
    const backlog = new RetryBacklog([]);
    const rig = createRig({ limit: byCause });
    const { source, tiers } = createOwner(rig, { backlog });
    const heldIn = new Set<string>();
    const waitOf = (owned = source) => deadLetterLimitWaitFor(owned, (topic) => heldIn.has(topic));
    for (let n = 0; n < 25_000; n++) backlog.upsert(`bad${n}`, `${n}`, { tier: 0, offset: n });
    expect(waitOf()).toBeUndefined();
    heldIn.add("events");
    const hasRoomAgain = waitOf();
    expect([hasRoomAgain?.(), tiers.map((tier) => waitOf(tier))]).toEqual([false, [undefined, undefined, undefined]]);
    for (let n = 0; n < 3_000; n++) backlog.complete(`bad${n}`, `${n}`);
    expect([hasRoomAgain?.(), waitOf()]).toEqual([true, undefined]);
    for (let n = 0; n < 3_000; n++) backlog.upsert(`bad${n}`, `again ${n}`, { tier: 0, offset: n });
    expect(waitOf()?.()).toBe(false);
    heldIn.clear();
    expect([hasRoomAgain?.(), waitOf()]).toEqual([true, undefined]);
  });
});
