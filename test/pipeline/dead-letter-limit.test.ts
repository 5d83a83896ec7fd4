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
  const { source, enqueue } = createOwner(rig);
  for (let offset = 0; offset < 4; offset++) enqueue(source, parsedOf(`${"abcd"[offset]}0`, offset, bad), offset);
  while (rig.writes.length > 0) {
    rig.writes[0]?.answer("written");
    await turns();
  }
  return { rig, source, enqueue };
};

describe("the pipeline at the dead-letter limit", () => {
  it("holds everything: starts neither dead letters nor calls, and loses nothing", async () => {
    const { rig, source, enqueue } = await createRigAtLimit();
    expect([rig.ended.length, rig.limitHolds, source.tracker.committableOffset]).toEqual([2, [true], 2]);
    enqueue(source, parsedOf("u0", 4), 4);
    expect([rig.calls, rig.writes, rig.scheduler.headsInWork]).toEqual([[], [], 0]);
  });

  it("continues where it stopped when an operator raises the limit", async () => {
    const { rig, source, enqueue } = await createRigAtLimit();
    enqueue(source, parsedOf("u0", 4), 4);
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

  it("does not send Gainsight an event again that Gainsight has refused", async () => {
    const rig = createRig({ limit: { ...limit, consecutive: 1 } });
    const { source, enqueue } = createOwner(rig);
    enqueue(source, parsedOf("a0", 0), 0);
    enqueue(source, parsedOf("b0", 1), 1);
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

/** The outcome of each event, or the index of the retry topic where it waits. */
const endsOf = ({ moved, ended }: Rig): string[] => [
  ...moved.map(({ name, reason, tier }) => `${name} ${reason} ${tier}`),
  ...ended.map(({ name, outcome }) => `${name} ${outcome.kind}`),
];

describe("the pipeline, with too many dead letters of one cause", () => {
  /** Two dead letters of the cause have been written: further ones are parked. */
  const createHeld = async () => {
    const rig = createRig({ limit: byCause });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.enqueue(owner.source, parsedOf(`${"ab"[offset]}0`, offset, invalid), offset);
    await acknowledgeAll(rig);
    return { rig, ...owner };
  };

  it("moves those events to the retry topic without using an attempt, and delivers all others", async () => {
    const { rig, source, enqueue } = await createHeld();
    enqueue(source, parsedOf("c0", 2, invalid), 2);
    enqueue(source, parsedOf("u0", 3), 3);
    enqueue(source, parsedOf("d0", 4, bad), 4);
    rig.calls[0]?.answer(delivered);
    const [parked, other] = rig.writes;
    expect(parked?.failure).toMatchObject({ reason: "parked", attempts: 0, firstFailedAt: undefined, tier: 0 });
    expect(parked?.failure.error).toBe("Parked by deadLetterLimit, too many events end as invalid_event: No type");
    expect([other?.tier, other?.failure.reason]).toEqual([undefined, "undecodable"]);
    await acknowledgeAll(rig);
    expect(endsOf(rig)).toEqual(["2 parked 0", "0 dead", "1 dead", "u0 delivered", "4 dead"]);
    expect([source.tracker.committableOffset, rig.budget.records, rig.limitHolds]).toEqual([5, 0, [true]]);
  });

  it("keeps the order of a user whose event is parked: later events follow it, and are delivered after it", async () => {
    const { rig, source, retryTopics, enqueue } = await createHeld();
    const [first] = retryTopics;
    if (!first) throw new Error("No such retry topic");
    enqueue(source, parsedOf("c0", 2, invalid), 2);
    await acknowledgeAll(rig);
    enqueue(source, parsedOf("c1", 3), 3);
    await acknowledgeAll(rig);
    expect([endsOf(rig).slice(0, 2), rig.calls]).toEqual([["2 parked 0", "c1 parked 0"], []]);
    rig.deadLetterLimit.setLimit(false, rig.clock.wallNow());
    enqueue(first, parsedOf("c0", 2, invalid), 0);
    enqueue(first, parsedOf("c1", 3), 1);
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
  ])("moves an event that returns from retry topic %i before the limit changes to retry topic %i", async (from, to) => {
    const { rig, retryTopics, enqueue } = await createHeld();
    const owned = retryTopics[from];
    if (!owned) throw new Error("No such retry topic");
    enqueue(owned, parsedOf("c0", 2, invalid), 0);
    expect(rig.writes.map(({ tier }) => tier)).toEqual([to]);
  });

  /** One refused event has been dead-lettered. Returns the record of the next one, as it is read from the first retry topic. */
  const createRefused = async () => {
    const rig = createRig({ limit: { ...byCause, consecutive: 1 } });
    const owner = createOwner(rig);
    for (const offset of [0, 1]) owner.enqueue(owner.source, parsedOf(`${"ab"[offset]}0`, offset), offset);
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

  it("does not send a refused event to Gainsight again, however often it returns: a refusal can hold all events", async () => {
    const { rig, retryTopics, enqueue, back } = await createRefused();
    let parsed = back;
    for (const tier of [0, 1, 2, 2]) {
      const owned = retryTopics[tier];
      if (owned) enqueue(owned, parsed, owned.tracker.position);
      expect([rig.calls, rig.writes.map((write) => write.tier)]).toEqual([[], [Math.min(tier + 1, 2)]]);
      parsed = comeBack(rig.writes[0]);
      await acknowledgeAll(rig);
    }
    expect(rig.scheduler.headsInWork).toBe(0);
  });

  it.each([
    ["is delivered if Gainsight has changed its mind", delivered, "delivered"],
    ["is a dead letter if not", dead("rejected", "Refused", 403), "dead"],
  ])("calls Gainsight again once the limit is changed: a refused event %s", async (_, verdict, kind) => {
    const { rig, retryTopics, enqueue, back } = await createRefused();
    rig.deadLetterLimit.setLimit(false, rig.clock.wallNow());
    if (retryTopics[0]) enqueue(retryTopics[0], back, 0);
    expect(rig.calls.map(({ body }) => body)).toEqual(["b0"]);
    rig.calls[0]?.answer(verdict);
    await acknowledgeAll(rig);
    await turns();
    await acknowledgeAll(rig);
    expect(endsOf(rig).at(-1)).toBe(`b0 ${kind}`);
  });

  it("keeps the refusal of an event while it follows an earlier event from retry topic to retry topic", async () => {
    const { rig, retryTopics, backlog, enqueue, back } = await createRefused();
    backlog.complete("b", eventKeyOf(back.retryState.source));
    backlog.upsert("b", "earlier", { tier: 1, offset: 0 });
    const copy = { ...back, retryState: { ...back.retryState, source: { ...back.retryState.source, id: "copy" } } };
    if (retryTopics[0]) enqueue(retryTopics[0], copy, 0);
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.status])).toEqual([[1, 403]]);
    await acknowledgeAll(rig);
    backlog.complete("b", "earlier");
    if (retryTopics[1])
      enqueue(retryTopics[1], comeBack({ parsed: copy, failure: { reason: "parked", status: 403 } }), 0);
    expect([rig.calls, rig.writes.length]).toEqual([[], 1]);
  });

  it("does not probe with an event that the limit has parked, and writes nothing meanwhile", async () => {
    const { rig, source, retryTopics, enqueue, back } = await createRefused();
    rig.gate.state = "closed";
    if (retryTopics[0]) enqueue(retryTopics[0], back, 0);
    enqueue(source, parsedOf("u0", 2), 2);
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    expect([rig.calls.map(({ body }) => body), rig.writes]).toEqual([["u0"], []]);
  });

  it("writes the last failure of events whose attempts are exhausted, and gives them one more round", async () => {
    const rig = createRig({ limit: { ...byCause, consecutive: 1 } });
    const { retryTopics, enqueue } = createOwner(rig);
    const [, , last] = retryTopics;
    if (!last) throw new Error("No such retry topic");
    const spent = (name: string, offset: number) => {
      const { retryState, ...parsed } = parsedOf(name, offset);
      return { ...parsed, retryState: { ...retryState, attempts: 5, firstFailedAt: -100_000 } };
    };
    rig.written[2] = 2;
    for (const offset of [0, 1]) enqueue(last, spent(`${"ab"[offset]}0`, offset), offset);
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
    enqueue(last, back, 2);
    expect(rig.calls).toHaveLength(1);
  });

  it("counts an event that is delivered from a retry topic for its source topic", async () => {
    const rig = createRig({ limit: byCause });
    const { source, retryTopics, enqueue } = createOwner(rig);
    enqueue(source, parsedOf("a0", 0, invalid), 0);
    if (retryTopics[0]) enqueue(retryTopics[0], parsedOf("u0", 1), 0);
    rig.calls[0]?.answer(delivered);
    await turns();
    for (const offset of [2, 3]) enqueue(source, parsedOf("b0", offset, { ...invalid, user: `b${offset}` }), offset);
    await acknowledgeAll(rig);
    expect([rig.ended.length, rig.moved]).toEqual([4, []]);
  });

  it("writes a dead letter if the event fits into no retry topic", async () => {
    const { rig, source, enqueue } = await createHeld();
    enqueue(source, parsedOf("c0", 2, invalid), 2);
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes.map(({ tier, failure }) => [tier, failure.reason])).toEqual([[undefined, "too_large"]]);
    expect(rig.writes[0]?.failure.error).toContain("too many events end as invalid_event: No type");
  });

  it("delivers thousands of other users of the same partition, however many events are parked", async () => {
    const { rig, source, enqueue, backlog } = await createHeld();
    for (let n = 0; n < 3_000; n++) {
      enqueue(source, parsedOf("x", 2 * n + 2, { ...invalid, user: `bad${n}` }), 2 * n + 2);
      enqueue(source, parsedOf("u0", 2 * n + 3, { user: `good${n}` }), 2 * n + 3);
      rig.calls[0]?.answer(delivered);
      rig.writes[0]?.answer("written");
      await turns();
    }
    expect(rig.ended.filter(({ outcome }) => outcome.kind === "delivered")).toHaveLength(3_000);
    expect([source.tracker.committableOffset, rig.budget.records, backlog.recordCount]).toEqual([6_002, 0, 3_000]);
  });

  it("pauses the source topic once half of the backlog limit is used, until the limit is changed", () => {
    const backlog = new RetryBacklog([]);
    const rig = createRig({ limit: byCause });
    const { source, retryTopics } = createOwner(rig, { backlog });
    const heldIn = new Set<string>();
    const waitOf = (owned = source) => deadLetterLimitWaitFor(owned, (topic) => heldIn.has(topic));
    for (let n = 0; n < 25_000; n++) backlog.upsert(`bad${n}`, `${n}`, { tier: 0, offset: n });
    expect(waitOf()).toBeUndefined();
    heldIn.add("events");
    const hasRoomAgain = waitOf();
    expect([hasRoomAgain?.(), retryTopics.map((tier) => waitOf(tier))]).toEqual([
      false,
      [undefined, undefined, undefined],
    ]);
    for (let n = 0; n < 3_000; n++) backlog.complete(`bad${n}`, `${n}`);
    expect([hasRoomAgain?.(), waitOf()]).toEqual([true, undefined]);
    for (let n = 0; n < 3_000; n++) backlog.upsert(`bad${n}`, `again ${n}`, { tier: 0, offset: n });
    expect(waitOf()?.()).toBe(false);
    heldIn.clear();
    expect([hasRoomAgain?.(), waitOf()]).toEqual([true, undefined]);
  });
});
