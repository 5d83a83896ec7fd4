import { describe, expect, it } from "vitest";

import type { Retry } from "../../src/core/outcome/outcome.ts";
import { delivered } from "../../src/core/outcome/outcome.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import { hotKeyWaitFor } from "../../src/pipeline/hot-keys.ts";
import { parsedOf, createOwner, createRig, turns } from "./rig.ts";

const failed: Retry = { kind: "retry", reason: "timeout", error: "No answer" };

/** A pipeline with this many events of the hot user `h` from the source topic, and one of `u`. */
const createHotUser = (many: number) => {
  const rig = createRig();
  const owner = createOwner(rig);
  for (let offset = 0; offset < many; offset++) owner.enqueue(owner.source, parsedOf(`h${offset}`, offset), offset);
  owner.enqueue(owner.source, parsedOf("u0", many), many);
  const bodies = (): string[] => rig.calls.map(({ body }) => body);
  const answer = async (body: string, verdict: Parameters<(typeof rig.calls)[number]["answer"]>[0]): Promise<void> => {
    rig.calls.find((call) => call.body === body)?.answer(verdict);
    await turns();
  };
  const write = async (): Promise<number> => {
    const [first] = rig.writes;
    first?.answer("written");
    await turns();
    return first?.records.length ?? 0;
  };
  return { rig, owner, bodies, answer, write };
};

describe("a hot user", () => {
  it("is moved to the first retry topic when memory is short, in order, and others continue", async () => {
    const { rig, bodies, answer, write } = createHotUser(601);
    rig.scheduler.spillHotKeys([]);
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

  it("stays in memory while there is capacity, and while a hold is the cause", async () => {
    const few = createHotUser(400);
    few.rig.scheduler.spillHotKeys([]);
    await few.answer("h0", delivered);
    expect([few.bodies(), few.rig.writes]).toEqual([["u0", "h1"], []]);
    const held = createHotUser(601);
    held.rig.gate.isHeld = true;
    held.rig.scheduler.spillHotKeys([]);
    held.rig.gate.isHeld = false;
    await held.answer("h0", delivered);
    expect([held.bodies(), held.rig.writes]).toEqual([["u0", "h1"], []]);
  });

  it("does not spill while a hold is probed: the probe is a call", async () => {
    const { rig, bodies, answer } = createHotUser(601);
    rig.scheduler.spillHotKeys([]);
    await answer("u0", delivered);
    rig.gate.state = "closed";
    await answer("h0", { kind: "hold", reason: "throttled", error: "Slow down" });
    rig.gate.state = "probe";
    rig.scheduler.startReady();
    expect([bodies(), rig.writes]).toEqual([["h0"], []]);
  });

  it("is moved in writes of at most 256 KB, which a broker accepts", async () => {
    const rig = createRig();
    const owner = createOwner(rig, { backlog: new RetryBacklog([]) });
    owner.backlog.upsert("h", "first", { tier: 1, offset: 0 });
    rig.gate.state = "closed";
    const value = new Uint8Array(100_000);
    for (let offset = 0; offset < 5; offset++) {
      const parsed = parsedOf(`h${offset}`, offset);
      owner.enqueue(owner.source, { ...parsed, record: { ...parsed.record, value } }, offset);
    }
    rig.gate.state = "open";
    rig.scheduler.startReady();
    expect(rig.writes.map(({ records, tier }) => [records.length, tier])).toEqual([[3, 1]]);
  });

  it("is moved record by record if a write is too large for the topic", async () => {
    const { rig, answer, write } = createHotUser(601);
    rig.scheduler.spillHotKeys([]);
    await answer("h0", delivered);
    await write();
    rig.writes[0]?.answer("too_large");
    await turns();
    expect(rig.writes.map(({ records }) => records.length)).toEqual([1]);
    await write();
    expect(rig.moved.map(({ name }) => name)).toEqual(["h1", "h2"]);
  });
});

describe("an event that blocks its partition", () => {
  it("moves to the retry topic after its current call, without further quick attempts", async () => {
    const { rig, owner, answer, write } = createHotUser(1);
    rig.scheduler.spillHotKeys([owner.source]);
    await answer("h0", failed);
    expect([rig.timers, rig.writes.map(({ failure }) => failure.reason)]).toEqual([[], ["timeout"]]);
    await write();
    expect(owner.source.tracker.committableOffset).toBe(1);
  });

  it("is found behind the head of its queue too", async () => {
    const rig = createRig();
    const owner = createOwner(rig);
    const second = { ...owner.source, topic: "other", tracker: new OffsetTracker({ startOffset: 0 }) };
    owner.enqueue(owner.source, parsedOf("h0", 0), 0);
    owner.enqueue(second, parsedOf("h1", 0), 0);
    rig.scheduler.spillHotKeys([second]);
    rig.calls[0]?.answer(delivered);
    await turns();
    expect(rig.writes.map(({ parsed }) => parsed.decision)).toMatchObject([{ body: Buffer.from("h1") }]);
  });
});

describe("hotKeyWaitFor()", () => {
  it("reads 500 records of a user from a retry topic into memory, and more when half of them are completed", async () => {
    const rig = createRig();
    const owner = createOwner(rig);
    const [tier] = owner.retryTopics;
    if (!tier) throw new Error("No such retry topic");
    rig.gate.state = "closed";
    for (let offset = 0; offset < 500; offset++) {
      expect(hotKeyWaitFor(owner.assignment, tier, [parsedOf("h", 0)])).toBeUndefined();
      owner.enqueue(tier, parsedOf(`h${offset}`, offset), offset);
    }
    const hasCapacity = hotKeyWaitFor(owner.assignment, tier, [parsedOf("h", 0)]);
    expect([
      hasCapacity?.(),
      hotKeyWaitFor(owner.assignment, tier, [parsedOf("u", 0)]),
      hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("h", 0)]),
    ]).toEqual([false, undefined, undefined]);
    for (let done = 0; done < 250; done++) {
      const queue = owner.assignment.queues.takeNext();
      if (queue) owner.assignment.queues.completeHead(queue);
    }
    expect(hasCapacity?.()).toBe(true);
  });

  it("lets 10,000 records of a user wait in the retry topics, without delaying users without waiting records", () => {
    const backlog = new RetryBacklog([]);
    const owner = createOwner(createRig(), { backlog });
    for (let offset = 0; offset < 10_000; offset++) {
      expect(hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("h", 0)])).toBeUndefined();
      backlog.upsert("h", `id-${offset}`, { tier: 0, offset });
    }
    const hasCapacity = hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("h", 0)]);
    expect([hasCapacity?.(), hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("u", 0)])]).toEqual([
      false,
      undefined,
    ]);
    for (let offset = 0; offset < 1_001; offset++) backlog.complete("h", `id-${offset}`);
    expect(hasCapacity?.()).toBe(true);
  });

  it("lets 60,000 records wait in the retry topics over all partition numbers, and then only new users continue", () => {
    const parked = { records: 0 };
    const fill = (number: number): RetryBacklog => {
      const backlog = new RetryBacklog([], parked);
      for (let n = 0; n < 20_000; n++)
        backlog.upsert(n < 6_001 ? "h" : `v${n}`, `${number}-${n}`, { tier: 0, offset: n });
      return backlog;
    };
    const [here, there] = [fill(0), fill(1)];
    fill(2);
    const owner = createOwner(createRig(), { backlog: here });
    const hasCapacity = hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("h", 0)]);
    expect([parked.records, hasCapacity?.()]).toEqual([60_000, false]);
    expect(hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("u", 0)])).toBeUndefined();
    for (let n = 0; n < 6_001; n++) {
      expect(hasCapacity?.()).toBe(false);
      there.complete("h", `1-${n}`);
    }
    expect(hasCapacity?.()).toBe(true);
  });

  it("counts all records of a rebuilt backlog, even beyond the limit: none of them is forgotten", () => {
    const parked = { records: 0 };
    const found = Array.from({ length: 60_000 }, (_, n) => ({
      user: n % 2 ? "h" : `v${n}`,
      eventKey: `id-${n}`,
      position: { tier: 0, offset: n },
      topic: "events",
      offset: n,
      timestamp: n,
      writtenAt: n,
    }));
    const numbers = [new RetryBacklog(found, parked), new RetryBacklog(found, parked)];
    expect([parked.records, numbers[0]?.totalRecordCount]).toEqual([120_000, 120_000]);
    const owner = createOwner(createRig(), { backlog: numbers[0] ?? new RetryBacklog([]) });
    expect(hotKeyWaitFor(owner.assignment, owner.source, [parsedOf("h", 0)])?.()).toBe(false);
    for (const backlog of numbers) for (const { user, eventKey } of found) backlog.complete(user, eventKey);
    expect(parked.records).toBe(0);
  });
});
