import { describe, expect, it } from "vitest";

import { createDecoder } from "../../src/decoding/decoder.ts";
import { numbersOf } from "../../src/intake/owned-partition.ts";
import { type Reader, createReader } from "../../src/intake/record-reader.ts";
import { encodeFinished, maxSpan } from "../../src/offsets/completed-map.ts";
import { turnOf } from "../../src/pipeline/work-item.ts";
import { baseTime, markerOf, messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIntake, readJson, settle, source, tier } from "./intake-rig.ts";

const tierHeaders = (offset: number) => ({
  "gainstream-topic": "source",
  "gainstream-partition": "0",
  "gainstream-offset": String(offset),
  "gainstream-timestamp": new Date(baseTime).toISOString(),
});

describe("intake", () => {
  it("pauses what it is assigned, and takes nothing up before it knows where to start", async () => {
    const { intake, log, take, offsets, startAt } = createTestIntake();
    intake.assign([source]);
    expect(log).toEqual(["pause source/0"]);
    const early = take(source, messagesOf(5, 6));
    await early.done;
    expect([early.resolved, offsets(), intake.isOpen]).toEqual([[], [], false]);
    log.length = 0;
    intake.restore(new Map([startAt(source, 5)]));
    expect(log).toEqual(["begin", "seek source/0 5", "resume source/0"]);
    expect([intake.isOpen, numbersOf(intake.feeds)]).toEqual([true, [0]]);
  });

  it("takes up a batch and resolves its last offset", async () => {
    const { own, take, offsets } = createTestIntake();
    own([source, 5]);
    const { resolved, done } = take(source, messagesOf(5, 6, 7));
    await done;
    expect(resolved).toEqual([7]);
    expect(offsets()).toEqual([5, 6, 7]);
  });

  it("knows nothing of partitions that it does not own", async () => {
    const { own, take, offsets } = createTestIntake();
    own([source, 5]);
    const { resolved, done } = take({ topic: "source", partition: 9 }, messagesOf(5));
    await done;
    expect([resolved, offsets()]).toEqual([[], []]);
  });

  it("takes up the part of a batch that the budget has room for, and the rest when there is room again", async () => {
    const { own, take, finish, offsets, log } = createTestIntake({ maxRecords: 4 });
    own([source, 0]);
    const { resolved, done } = take(source, messagesOf(0, 1, 2, 3, 4, 5));
    await settle();
    expect([resolved, offsets()]).toEqual([[3], [0, 1, 2, 3]]);
    finish(2);
    await done;
    expect([resolved, offsets()]).toEqual([
      [3, 5],
      [2, 3, 4, 5],
    ]);
    expect(log).toEqual([]);
  });

  it("goes on with a batch as soon as there is room for a few", async () => {
    const { own, take, finish, offsets, room } = createTestIntake({ maxRecords: 4 });
    own([source, 0]);
    const { done } = take(source, messagesOf(0, 1, 2, 3, 4));
    await settle();
    room.forFew = true;
    finish(1);
    await done;
    expect(offsets()).toEqual([1, 2, 3, 4]);
  });

  it("pauses where there is no room for long, and resumes once half of the budget is free", async () => {
    const { own, take, finish, offsets, log, clock } = createTestIntake({ maxRecords: 4 });
    own([source, 0]);
    const first = take(source, messagesOf(0, 1, 2, 3, 4, 5));
    await settle();
    clock.advance(200);
    await first.done;
    expect([first.resolved, log]).toEqual([[3], ["pause source/0"]]);
    finish(1);
    expect(log).toEqual(["pause source/0"]);
    finish(1);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
    const second = take(source, messagesOf(4, 5));
    await second.done;
    expect([second.resolved, offsets()]).toEqual([[5], [2, 3, 4, 5]]);
  });

  it("lets go of a batch after 200 ms, however often there is room for a few: a rebalance must not wait for its end", async () => {
    const { own, take, finish, log, room, clock } = createTestIntake({ maxRecords: 4 });
    own([source, 0]);
    room.forFew = true;
    const { resolved, done } = take(source, messagesOf(0, 1, 2, 3, 4, 5, 6, 7, 8));
    for (let step = 0; step < 3; step++) {
      await settle();
      clock.advance(80);
      finish(1);
    }
    await done;
    expect([resolved, log]).toEqual([[3, 4, 5], ["pause source/0"]]);
    finish(2);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
  });

  it("lets go of a batch that waits for room when its partition is assigned anew", async () => {
    const { intake, own, take, offsets, clock, startAt } = createTestIntake({ maxRecords: 2 });
    own([source, 0]);
    const { resolved, done } = take(source, messagesOf(0, 1, 2, 3));
    await settle();
    intake.assign([source]);
    intake.restore(new Map([startAt(source, 0)]));
    clock.advance(200);
    await done;
    expect([resolved, offsets()]).toEqual([[1], [0, 1]]);
  });

  it("skips what it has seen already, where a part of a batch comes again", async () => {
    const { own, take, offsets } = createTestIntake();
    own([source, 0]);
    await take(source, messagesOf(0, 1, 2)).done;
    const again = take(source, messagesOf(1, 2, 3));
    await again.done;
    expect([again.resolved, offsets()]).toEqual([[3], [0, 1, 2, 3]]);
  });

  it("skips what an earlier owner had finished beyond the commit", async () => {
    const { own, take, finish, offsets, inletOf } = createTestIntake();
    own([source, 10, { metadata: encodeFinished(10, [11, 13]) }]);
    const { resolved, done } = take(source, messagesOf(10, 11, 12, 13));
    await done;
    expect([resolved, offsets()]).toEqual([[13], [10, 12]]);
    finish(2);
    expect(inletOf(source)?.tracker.mark).toBe(14);
  });

  it("passes the markers of transactions and the gaps of compaction, so that the mark moves on", async () => {
    const { intake, own, take, finish, offsets, inletOf } = createTestIntake();
    own([source, 0]);
    await take(source, [messageOf(0), markerOf(1), messageOf(4), markerOf(5), markerOf(6)]).done;
    expect(offsets()).toEqual([0, 4]);
    finish(2);
    expect(inletOf(source)?.tracker.mark).toBe(7);
    intake.skip({ ...source, lastOffset: 8 });
    expect(inletOf(source)?.tracker.mark).toBe(9);
  });

  it("does not pass markers at the end of a batch while a record before them is not taken up", async () => {
    const { own, take, inletOf, clock } = createTestIntake({ maxRecords: 1 });
    own([source, 0]);
    const { done } = take(source, [messageOf(0), messageOf(1), markerOf(2)]);
    await settle();
    clock.advance(200);
    await done;
    expect(inletOf(source)?.tracker.position).toBe(1);
  });

  it("waits mid-batch for a schema, and goes on with the same record", async () => {
    let isKnown = false;
    const decoder = createDecoder({ format: "json" });
    const read = createReader({
      decoder: {
        decode: (value) =>
          !isKnown && value?.equals(valueOf("u2")) ? { kind: "needs_schema", schemaId: 9 } : decoder.decode(value),
      },
      handle: () => ({ type: "track", meaning: { kind: "call", call: "track", body: Buffer.from("{}") } }),
    });
    const { own, take, offsets, log, wanted, schemasCame } = createTestIntake({ read });
    own([source, 0]);
    const first = take(source, messagesOf(0, 1, 2, 3));
    await first.done;
    expect([first.resolved, wanted, log]).toEqual([[1], [9], ["pause source/0"]]);
    isKnown = true;
    schemasCame();
    expect(log.at(-1)).toBe("resume source/0");
    await take(source, messagesOf(2, 3)).done;
    expect(offsets()).toEqual([0, 1, 2, 3]);
  });

  it("pauses where too much lies beyond the mark, and resumes when the oldest is finished", async () => {
    const { own, take, finish, log, held } = createTestIntake();
    own([source, 0]);
    await take(source, messagesOf(0, maxSpan, maxSpan + 1)).done;
    expect([held.length, log]).toEqual([2, ["pause source/0"]]);
    finish(1);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
  });

  it("takes up what comes after a gap of any size where nothing before it is open", async () => {
    const { own, take, finish, offsets, inletOf, log } = createTestIntake();
    own([source, 0]);
    const far = 3 * maxSpan;
    await take(source, messagesOf(far)).done;
    finish(1);
    const { resolved, done } = take(source, messagesOf(2 * far));
    await done;
    expect([resolved, offsets(), log]).toEqual([[2 * far], [2 * far], []]);
    finish(1);
    expect(inletOf(source)?.tracker.mark).toBe(2 * far + 1);
  });

  it("waits before a large gap while a record before it is open, and goes on once that is finished", async () => {
    const { own, take, finish, offsets, log } = createTestIntake();
    own([source, 0]);
    const far = 3 * maxSpan;
    const first = take(source, messagesOf(0, far));
    await first.done;
    expect([first.resolved, offsets(), log]).toEqual([[0], [0], ["pause source/0"]]);
    finish(1);
    expect(log.at(-1)).toBe("resume source/0");
    const again = take(source, messagesOf(far));
    await again.done;
    expect([again.resolved, offsets()]).toEqual([[far], [far]]);
  });

  it("asks the stream to relieve the partitions that are blocked", async () => {
    const { own, take, intake, log } = createTestIntake();
    own([source, 0]);
    intake.relieve();
    await take(source, messagesOf(0, maxSpan + 1)).done;
    intake.relieve();
    expect(log).toEqual(["relieve ", "pause source/0", "relieve source/0"]);
  });

  it("pauses where 10,000 records of a user wait in the tiers, and resumes when some have left", async () => {
    const { own, take, finish, intake, log, held, inletOf } = createTestIntake();
    own([source, 0]);
    const chains = inletOf(source)?.chains;
    const ofHotUser = (offset: number) => messageOf(offset, { value: valueOf("hot") });
    await take(source, [ofHotUser(0)]).done;
    finish(1);
    for (let offset = 0; offset < 10_000; offset++) chains?.moved("hot", `id-${offset}`, { tier: 0, offset });
    await take(source, [messageOf(1), ofHotUser(2)]).done;
    expect([held.length, log]).toEqual([1, ["pause source/0"]]);
    for (let offset = 0; offset < 1_001; offset++) chains?.finished("hot", `id-${offset}`);
    intake.reviewEnds();
    await take(source, [ofHotUser(2)]).done;
    expect([held.length, log]).toEqual([2, ["pause source/0", "resume source/0"]]);
  });

  it("pauses where events of its topic wait for another limit of dead letters, and half of what may is in the tiers", async () => {
    const { own, take, intake, log, held, heldTopics, inletOf } = createTestIntake();
    own([source, 0], [{ ...source, topic: "other" }, 0]);
    const chains = inletOf(source)?.chains;
    for (let offset = 0; offset < 25_000; offset++) chains?.moved(`bad${offset}`, `id-${offset}`, { tier: 0, offset });
    await take(source, [messageOf(0)]).done;
    heldTopics.add("source");
    await take(source, [messageOf(1)]).done;
    await take({ ...source, topic: "other" }, [messageOf(0)]).done;
    expect([held.length, log]).toEqual([2, ["pause source/0"]]);
    heldTopics.clear();
    intake.review();
    await take(source, [messageOf(1)]).done;
    expect([held.length, log]).toEqual([3, ["pause source/0", "resume source/0"]]);
  });

  describe("of a tier", () => {
    const late = (offset: number, ageMs: number) => messageOf(offset, { timestamp: String(baseTime - ageMs) });

    it("pauses until the head is due, takes up what is, and pauses for the next", async () => {
      const { own, take, offsets, log, clock } = createTestIntake();
      own([tier, 0]);
      const messages = [late(0, 0), late(1, -20_000)];
      await take(tier, messages.slice(0, 1)).done;
      expect([offsets(), log]).toEqual([[], ["pause retry-30s/0"]]);
      clock.advance(30_000);
      expect(log.at(-1)).toBe("resume retry-30s/0");
      const second = take(tier, messages);
      await second.done;
      expect([second.resolved, offsets()]).toEqual([[0], [0]]);
      clock.advance(20_000);
      await take(tier, messages.slice(1)).done;
      expect(offsets()).toEqual([0, 1]);
    });

    it("never waits longer than the delay for a timestamp of the future", async () => {
      const { own, take, offsets, clock } = createTestIntake();
      own([tier, 0]);
      const future = [late(0, -86_400_000)];
      await take(tier, future).done;
      clock.advance(15_000);
      await take(tier, future).done;
      clock.advance(15_000);
      await take(tier, future).done;
      expect(offsets()).toEqual([0]);
    });
  });

  describe("restoring", () => {
    const parked = (offset: number, user: string, from: number) =>
      messageOf(offset, { value: valueOf(user), headers: tierHeaders(from), timestamp: String(baseTime - 60_000) });

    it("reads a tier from its commit to its end before it opens the source, and starts both from their commits", async () => {
      const { intake, log, take, offsets, startAt } = createTestIntake();
      intake.assign([source, tier]);
      log.length = 0;
      intake.restore(new Map([startAt(source, 50), startAt(tier, 3, { high: 6 })]));
      expect(log).toEqual(["begin", "seek retry-30s/0 3", "resume retry-30s/0"]);
      await take(source, messagesOf(50)).done;
      const scan = take(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]);
      await scan.done;
      expect([scan.resolved, offsets(), intake.isOpen]).toEqual([[4], [], false]);
      log.length = 0;
      await take(tier, [parked(5, "u2", 9)]).done;
      expect(intake.isOpen).toBe(true);
      expect(offsets()).toEqual([]);
      expect(log).toEqual([
        "pause retry-30s/0",
        "seek source/0 50",
        "seek retry-30s/0 3",
        "resume source/0",
        "resume retry-30s/0",
      ]);
    });

    it("knows then who is parked: their newcomers go to the tier, others go on", async () => {
      const { own, take, held } = createTestIntake();
      own([source, 50], [tier, 3, { high: 5 }]);
      await take(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]).done;
      await take(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]).done;
      await take(source, [messageOf(50, { value: valueOf("u1") }), messageOf(51, { value: valueOf("u2") })]).done;
      expect(held.map((record) => [record.inlet.topic, record.slot.offset, turnOf(record).kind])).toEqual([
        ["retry-30s", 3, "deliver"],
        ["retry-30s", 4, "forward"],
        ["source", 50, "forward"],
        ["source", 51, "deliver"],
      ]);
    });

    it("opens other partition numbers meanwhile", async () => {
      const { intake, own, take, offsets } = createTestIntake();
      own([source, 50], [tier, 3, { high: 5 }], [{ ...source, partition: 1 }, 7], [{ ...tier, partition: 1 }, 2]);
      await take({ ...source, partition: 1 }, messagesOf(7)).done;
      expect(offsets()).toEqual([7]);
      expect([intake.isOpen, intake.inlets.map(({ partition }) => partition)]).toEqual([false, [1, 1]]);
    });

    it("opens a tier whose last records are only markers", async () => {
      const { intake, own, take } = createTestIntake();
      own([source, 50], [tier, 3, { high: 6 }]);
      await take(tier, [parked(3, "u1", 7), markerOf(4)]).done;
      expect(intake.isOpen).toBe(false);
      intake.skip({ ...tier, lastOffset: 5 });
      expect(intake.isOpen).toBe(true);
    });

    it("waits for a schema while it reads a tier, and opens afterwards", async () => {
      let isKnown = false;
      const read: Reader = (message, place) =>
        isKnown ? readJson(message, place) : { kind: "needs_schema", schemaId: 9 };
      const { intake, own, take, log, wanted, schemasCame } = createTestIntake({ read });
      own([source, 50], [tier, 3, { high: 4 }]);
      await take(tier, [parked(3, "u1", 7)]).done;
      expect([wanted, log, intake.isOpen]).toEqual([[9], ["pause retry-30s/0"], false]);
      isKnown = true;
      schemasCame();
      await take(tier, [parked(3, "u1", 7)]).done;
      expect(intake.isOpen).toBe(true);
      expect(intake.inlets[0]?.chains.users).toBe(1);
    });
  });
});
