import { describe, expect, it } from "vitest";

import { createDecoder } from "../../src/decoding/decoder.ts";
import { partitionNumbersOf } from "../../src/intake/owned-partition.ts";
import { type RecordReader, createRecordReader } from "../../src/intake/record-reader.ts";
import { encodeCompleted, maxInFlightWindow } from "../../src/offsets/completed-map.ts";
import { checkBacklog } from "../../src/pipeline/await-turn-step.ts";
import { baseTime, markerOf, messageOf, messagesOf, valueOf } from "./batches.ts";
import { createTestIngest, readJson, settle, source, tier } from "./intake-rig.ts";

const tierHeaders = (offset: number) => ({
  "gainstream-topic": "source",
  "gainstream-partition": "0",
  "gainstream-offset": String(offset),
  "gainstream-timestamp": new Date(baseTime).toISOString(),
});

describe("ingest", () => {
  it("pauses newly assigned partitions, and reads nothing before it has their start offsets", async () => {
    const { ingest, log, readBatch, offsets, startAt } = createTestIngest();
    ingest.assign([source]);
    expect(log).toEqual(["pause source/0"]);
    const early = readBatch(source, messagesOf(5, 6));
    await early.done;
    expect([early.resolved, offsets(), ingest.areAllOpen]).toEqual([[], [], false]);
    log.length = 0;
    ingest.open(new Map([startAt(source, 5)]));
    expect(log).toEqual(["begin", "seek source/0 5", "resume source/0"]);
    expect([ingest.areAllOpen, partitionNumbersOf(ingest.ownedPartitions)]).toEqual([true, [0]]);
  });

  it("reads a batch and resolves its last offset", async () => {
    const { assignAndOpen, readBatch, offsets } = createTestIngest();
    assignAndOpen([source, 5]);
    const { resolved, done } = readBatch(source, messagesOf(5, 6, 7));
    await done;
    expect(resolved).toEqual([7]);
    expect(offsets()).toEqual([5, 6, 7]);
  });

  it("ignores partitions that it does not own", async () => {
    const { assignAndOpen, readBatch, offsets } = createTestIngest();
    assignAndOpen([source, 5]);
    const { resolved, done } = readBatch({ topic: "source", partition: 9 }, messagesOf(5));
    await done;
    expect([resolved, offsets()]).toEqual([[], []]);
  });

  it("reads as much of a batch as there is capacity for, and the rest once there is capacity again", async () => {
    const { assignAndOpen, readBatch, complete, offsets, log } = createTestIngest({ maxRecords: 4 });
    assignAndOpen([source, 0]);
    const { resolved, done } = readBatch(source, messagesOf(0, 1, 2, 3, 4, 5));
    await settle();
    expect([resolved, offsets()]).toEqual([[3], [0, 1, 2, 3]]);
    complete(2);
    await done;
    expect([resolved, offsets()]).toEqual([
      [3, 5],
      [2, 3, 4, 5],
    ]);
    expect(log).toEqual([]);
  });

  it("continues a batch as soon as there is capacity for a few records", async () => {
    const { assignAndOpen, readBatch, complete, offsets, room } = createTestIngest({ maxRecords: 4 });
    assignAndOpen([source, 0]);
    const { done } = readBatch(source, messagesOf(0, 1, 2, 3, 4));
    await settle();
    room.forFew = true;
    complete(1);
    await done;
    expect(offsets()).toEqual([1, 2, 3, 4]);
  });

  it("pauses if the budget stays full, and resumes once half of it is free", async () => {
    const { assignAndOpen, readBatch, complete, offsets, log, clock } = createTestIngest({ maxRecords: 4 });
    assignAndOpen([source, 0]);
    const first = readBatch(source, messagesOf(0, 1, 2, 3, 4, 5));
    await settle();
    clock.advance(200);
    await first.done;
    expect([first.resolved, log]).toEqual([[3], ["pause source/0"]]);
    complete(1);
    expect(log).toEqual(["pause source/0"]);
    complete(1);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
    const second = readBatch(source, messagesOf(4, 5));
    await second.done;
    expect([second.resolved, offsets()]).toEqual([[5], [2, 3, 4, 5]]);
  });

  it("returns a batch after 200 ms even if there is capacity for a few records now and then: a rebalance must not wait for it", async () => {
    const { assignAndOpen, readBatch, complete, log, room, clock } = createTestIngest({ maxRecords: 4 });
    assignAndOpen([source, 0]);
    room.forFew = true;
    const { resolved, done } = readBatch(source, messagesOf(0, 1, 2, 3, 4, 5, 6, 7, 8));
    for (let step = 0; step < 3; step++) {
      await settle();
      clock.advance(80);
      complete(1);
    }
    await done;
    expect([resolved, log]).toEqual([[3, 4, 5], ["pause source/0"]]);
    complete(2);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
  });

  it("returns a batch that waits for capacity when its partition is assigned again", async () => {
    const { ingest, assignAndOpen, readBatch, offsets, clock, startAt } = createTestIngest({ maxRecords: 2 });
    assignAndOpen([source, 0]);
    const { resolved, done } = readBatch(source, messagesOf(0, 1, 2, 3));
    await settle();
    ingest.assign([source]);
    ingest.open(new Map([startAt(source, 0)]));
    clock.advance(200);
    await done;
    expect([resolved, offsets()]).toEqual([[1], [0, 1]]);
  });

  it("skips the records it has read already if part of a batch is fetched again", async () => {
    const { assignAndOpen, readBatch, offsets } = createTestIngest();
    assignAndOpen([source, 0]);
    await readBatch(source, messagesOf(0, 1, 2)).done;
    const again = readBatch(source, messagesOf(1, 2, 3));
    await again.done;
    expect([again.resolved, offsets()]).toEqual([[3], [0, 1, 2, 3]]);
  });

  it("skips the records that an earlier owner completed beyond the committed offset", async () => {
    const { assignAndOpen, readBatch, complete, offsets, openPartitionOf } = createTestIngest();
    assignAndOpen([source, 10, { metadata: encodeCompleted(10, [11, 13]) }]);
    const { resolved, done } = readBatch(source, messagesOf(10, 11, 12, 13));
    await done;
    expect([resolved, offsets()]).toEqual([[13], [10, 12]]);
    complete(2);
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(14);
  });

  it("skips transaction markers and compaction gaps, so that the committable offset advances", async () => {
    const { ingest, assignAndOpen, readBatch, complete, offsets, openPartitionOf } = createTestIngest();
    assignAndOpen([source, 0]);
    await readBatch(source, [messageOf(0), markerOf(1), messageOf(4), markerOf(5), markerOf(6)]).done;
    expect(offsets()).toEqual([0, 4]);
    complete(2);
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(7);
    ingest.skipHiddenRecords({ ...source, lastOffset: 8 });
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(9);
  });

  it("does not skip markers at the end of a batch while a record before them is unread", async () => {
    const { assignAndOpen, readBatch, openPartitionOf, clock } = createTestIngest({ maxRecords: 1 });
    assignAndOpen([source, 0]);
    const { done } = readBatch(source, [messageOf(0), messageOf(1), markerOf(2)]);
    await settle();
    clock.advance(200);
    await done;
    expect(openPartitionOf(source)?.tracker.position).toBe(1);
  });

  it("waits for a schema in the middle of a batch, and continues with the same record", async () => {
    let isKnown = false;
    const decoder = createDecoder({ format: "json" });
    const read = createRecordReader({
      decoder: {
        decode: (value) =>
          !isKnown && value?.equals(valueOf("u2")) ? { kind: "needs_schema", schemaId: 9 } : decoder.decode(value),
      },
      decide: () => ({ type: "track", decision: { kind: "call", type: "track", body: Buffer.from("{}") } }),
    });
    const { assignAndOpen, readBatch, offsets, log, requestedSchemas, loadSchemas } = createTestIngest({ read });
    assignAndOpen([source, 0]);
    const first = readBatch(source, messagesOf(0, 1, 2, 3));
    await first.done;
    expect([first.resolved, requestedSchemas, log]).toEqual([[1], [9], ["pause source/0"]]);
    isKnown = true;
    loadSchemas();
    expect(log.at(-1)).toBe("resume source/0");
    await readBatch(source, messagesOf(2, 3)).done;
    expect(offsets()).toEqual([0, 1, 2, 3]);
  });

  it("pauses if the in-flight window is full, and resumes when the oldest record is completed", async () => {
    const { assignAndOpen, readBatch, complete, log, items } = createTestIngest();
    assignAndOpen([source, 0]);
    await readBatch(source, messagesOf(0, maxInFlightWindow, maxInFlightWindow + 1)).done;
    expect([items.length, log]).toEqual([2, ["pause source/0"]]);
    complete(1);
    expect(log).toEqual(["pause source/0", "resume source/0"]);
  });

  it("reads past a gap of any size if no record before it is open", async () => {
    const { assignAndOpen, readBatch, complete, offsets, openPartitionOf, log } = createTestIngest();
    assignAndOpen([source, 0]);
    const far = 3 * maxInFlightWindow;
    await readBatch(source, messagesOf(far)).done;
    complete(1);
    const { resolved, done } = readBatch(source, messagesOf(2 * far));
    await done;
    expect([resolved, offsets(), log]).toEqual([[2 * far], [2 * far], []]);
    complete(1);
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(2 * far + 1);
  });

  it("waits before a large gap while a record before it is open, and continues once that is completed", async () => {
    const { assignAndOpen, readBatch, complete, offsets, log } = createTestIngest();
    assignAndOpen([source, 0]);
    const far = 3 * maxInFlightWindow;
    const first = readBatch(source, messagesOf(0, far));
    await first.done;
    expect([first.resolved, offsets(), log]).toEqual([[0], [0], ["pause source/0"]]);
    complete(1);
    expect(log.at(-1)).toBe("resume source/0");
    const again = readBatch(source, messagesOf(far));
    await again.done;
    expect([again.resolved, offsets()]).toEqual([[far], [far]]);
  });

  it("asks the pipeline to spill hot keys of the blocked partitions", async () => {
    const { assignAndOpen, readBatch, ingest, log } = createTestIngest();
    assignAndOpen([source, 0]);
    ingest.reviewPeriodically();
    await readBatch(source, messagesOf(0, maxInFlightWindow + 1)).done;
    ingest.reviewPeriodically();
    expect(log).toEqual(["spill ", "pause source/0", "spill source/0"]);
  });

  it("pauses if 10,000 records of a user wait in the retry topics, and resumes when some have left", async () => {
    const { assignAndOpen, readBatch, complete, ingest, log, items, openPartitionOf } = createTestIngest();
    assignAndOpen([source, 0]);
    const backlog = openPartitionOf(source)?.backlog;
    const ofHotUser = (offset: number) => messageOf(offset, { value: valueOf("hot") });
    await readBatch(source, [ofHotUser(0)]).done;
    complete(1);
    for (let offset = 0; offset < 10_000; offset++) backlog?.upsert("hot", `id-${offset}`, { tier: 0, offset });
    await readBatch(source, [messageOf(1), ofHotUser(2)]).done;
    expect([items.length, log]).toEqual([1, ["pause source/0"]]);
    for (let offset = 0; offset < 1_001; offset++) backlog?.complete("hot", `id-${offset}`);
    ingest.reviewCapacityPauses();
    await readBatch(source, [ofHotUser(2)]).done;
    expect([items.length, log]).toEqual([2, ["pause source/0", "resume source/0"]]);
  });

  it("pauses if the dead-letter limit holds its topic and the retry backlog is half full", async () => {
    const { assignAndOpen, readBatch, ingest, log, items, heldTopics, openPartitionOf } = createTestIngest();
    assignAndOpen([source, 0], [{ ...source, topic: "other" }, 0]);
    const backlog = openPartitionOf(source)?.backlog;
    for (let offset = 0; offset < 25_000; offset++)
      backlog?.upsert(`bad${offset}`, `id-${offset}`, { tier: 0, offset });
    await readBatch(source, [messageOf(0)]).done;
    heldTopics.add("source");
    await readBatch(source, [messageOf(1)]).done;
    await readBatch({ ...source, topic: "other" }, [messageOf(0)]).done;
    expect([items.length, log]).toEqual([2, ["pause source/0"]]);
    heldTopics.clear();
    ingest.reviewPauses();
    await readBatch(source, [messageOf(1)]).done;
    expect([items.length, log]).toEqual([3, ["pause source/0", "resume source/0"]]);
  });

  describe("of a retry topic", () => {
    const late = (offset: number, ageMs: number) => messageOf(offset, { timestamp: String(baseTime - ageMs) });

    it("pauses until the head is due, reads what is due, and pauses for the next record", async () => {
      const { assignAndOpen, readBatch, offsets, log, clock } = createTestIngest();
      assignAndOpen([tier, 0]);
      const messages = [late(0, 0), late(1, -20_000)];
      await readBatch(tier, messages.slice(0, 1)).done;
      expect([offsets(), log]).toEqual([[], ["pause retry-30s/0"]]);
      clock.advance(30_000);
      expect(log.at(-1)).toBe("resume retry-30s/0");
      const second = readBatch(tier, messages);
      await second.done;
      expect([second.resolved, offsets()]).toEqual([[0], [0]]);
      clock.advance(20_000);
      await readBatch(tier, messages.slice(1)).done;
      expect(offsets()).toEqual([0, 1]);
    });

    it("never waits longer than the delay if a timestamp is in the future", async () => {
      const { assignAndOpen, readBatch, offsets, clock } = createTestIngest();
      assignAndOpen([tier, 0]);
      const future = [late(0, -86_400_000)];
      await readBatch(tier, future).done;
      clock.advance(15_000);
      await readBatch(tier, future).done;
      clock.advance(15_000);
      await readBatch(tier, future).done;
      expect(offsets()).toEqual([0]);
    });
  });

  describe("backlog rebuild", () => {
    const parked = (offset: number, user: string, from: number) =>
      messageOf(offset, { value: valueOf(user), headers: tierHeaders(from), timestamp: String(baseTime - 60_000) });

    it("scans a retry topic from its committed offset to its end before it opens the source, and starts both from their committed offsets", async () => {
      const { ingest, log, readBatch, offsets, startAt } = createTestIngest();
      ingest.assign([source, tier]);
      log.length = 0;
      ingest.open(new Map([startAt(source, 50), startAt(tier, 3, { endOffset: 6 })]));
      expect(log).toEqual(["begin", "seek retry-30s/0 3", "resume retry-30s/0"]);
      await readBatch(source, messagesOf(50)).done;
      const scan = readBatch(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]);
      await scan.done;
      expect([scan.resolved, offsets(), ingest.areAllOpen]).toEqual([[4], [], false]);
      log.length = 0;
      await readBatch(tier, [parked(5, "u2", 9)]).done;
      expect(ingest.areAllOpen).toBe(true);
      expect(offsets()).toEqual([]);
      expect(log).toEqual([
        "pause retry-30s/0",
        "seek source/0 50",
        "seek retry-30s/0 3",
        "resume source/0",
        "resume retry-30s/0",
      ]);
    });

    it("knows the parked users afterwards: their new events go to the retry topic, others are delivered", async () => {
      const { assignAndOpen, readBatch, items } = createTestIngest();
      assignAndOpen([source, 50], [tier, 3, { endOffset: 5 }]);
      await readBatch(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]).done;
      await readBatch(tier, [parked(3, "u1", 7), parked(4, "u1", 8)]).done;
      await readBatch(source, [messageOf(50, { value: valueOf("u1") }), messageOf(51, { value: valueOf("u2") })]).done;
      expect(items.map((item) => [item.owned.topic, item.entry.offset, checkBacklog(item).kind])).toEqual([
        ["retry-30s", 3, "deliver"],
        ["retry-30s", 4, "forward"],
        ["source", 50, "forward"],
        ["source", 51, "deliver"],
      ]);
    });

    it("opens other partition numbers meanwhile", async () => {
      const { ingest, assignAndOpen, readBatch, offsets } = createTestIngest();
      assignAndOpen(
        [source, 50],
        [tier, 3, { endOffset: 5 }],
        [{ ...source, partition: 1 }, 7],
        [{ ...tier, partition: 1 }, 2],
      );
      await readBatch({ ...source, partition: 1 }, messagesOf(7)).done;
      expect(offsets()).toEqual([7]);
      expect([ingest.areAllOpen, ingest.openPartitions.map(({ partition }) => partition)]).toEqual([false, [1, 1]]);
    });

    it("opens a retry topic whose last records are only markers", async () => {
      const { ingest, assignAndOpen, readBatch } = createTestIngest();
      assignAndOpen([source, 50], [tier, 3, { endOffset: 6 }]);
      await readBatch(tier, [parked(3, "u1", 7), markerOf(4)]).done;
      expect(ingest.areAllOpen).toBe(false);
      ingest.skipHiddenRecords({ ...tier, lastOffset: 5 });
      expect(ingest.areAllOpen).toBe(true);
    });

    it("waits for a schema while it scans a retry topic, and opens afterwards", async () => {
      let isKnown = false;
      const read: RecordReader = (message, topicPartition) =>
        isKnown ? readJson(message, topicPartition) : { kind: "needs_schema", schemaId: 9 };
      const { ingest, assignAndOpen, readBatch, log, requestedSchemas, loadSchemas } = createTestIngest({ read });
      assignAndOpen([source, 50], [tier, 3, { endOffset: 4 }]);
      await readBatch(tier, [parked(3, "u1", 7)]).done;
      expect([requestedSchemas, log, ingest.areAllOpen]).toEqual([[9], ["pause retry-30s/0"], false]);
      isKnown = true;
      loadSchemas();
      await readBatch(tier, [parked(3, "u1", 7)]).done;
      expect(ingest.areAllOpen).toBe(true);
      expect(ingest.openPartitions[0]?.backlog.userCount).toBe(1);
    });
  });
});
