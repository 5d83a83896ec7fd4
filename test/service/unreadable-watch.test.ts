import { describe, expect, it } from "vitest";

import type { OwnedPartition } from "../../src/intake/owned-partition.ts";
import type { CommittedOffset } from "../../src/kafka/admin.ts";
import { createLog } from "../../src/ops/log.ts";
import { UnreadableWatch, type UnreadableWatchOptions } from "../../src/service/unreadable-watch.ts";
import { createTestIngest, source, tier } from "../intake/intake-rig.ts";

const hourMs = 3_600_000;
const reason = "Its checksum is wrong";
const batch = { topic: "source", partition: 0, offset: 7, lastOffset: 9, reason };
/** As a fetch from there meets it. */
const met = { ...batch, fetchOffset: 7 };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** A member that owns a partition, read up to 7, and what the cluster says of the group of skips. */
const createWorld = () => {
  const lines: Record<string, unknown>[] = [];
  const fatal: string[] = [];
  const skipped: unknown[] = [];
  const asked: unknown[] = [];
  const world: { time: number; answer: () => CommittedOffset[] } = { time: 0, answer: () => [] };
  const test = createTestIngest();
  test.assignAndOpen([source, 7, { topicId: "A".repeat(22) }], [tier, 3]);
  const options: UnreadableWatchOptions = {
    admin: {
      committedOffsets: async (...question) => {
        asked.push(question);
        return world.answer();
      },
    },
    config: { kafka: { groupId: "group" } },
    rights: { principal: { brokers: ["kafka:9092"], username: "us" } },
    log: createLog({
      level: "info",
      destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    }),
    metrics: { recordSkippedOffsets: (...count) => void skipped.push(count) },
    group: () => test,
    monotonicNow: () => world.time,
    onFatal: (error) => void fatal.push(error.message),
  };
  const watch = new UnreadableWatch(options);
  const owned = test.ingest.ownedPartitions.find(({ topic }) => topic === "source") as OwnedPartition;
  const allowed = (offset: number, metadata: string | null = null): void => {
    world.answer = () => [{ topic: "source", partition: 0, offset, metadata }];
  };
  const linesAt = (level: string) => lines.filter((line) => line["level"] === level);
  return { watch, test, owned, world, allowed, linesAt, fatal, skipped, asked };
};

describe("UnreadableWatch", () => {
  it("reports a waiting partition once, with the command, and again after an hour", async () => {
    const { watch, test, linesAt, world } = createWorld();
    test.ingest.unreadable.onUnreadable(met);
    for (let round = 0; round < 3; round++) await watch.check();
    const skip = "gainstream skip --topic source --partition 0 --to-offset 10";
    expect(linesAt("warn")).toEqual([
      expect.objectContaining({
        ...batch,
        skip,
        msg:
          `Partition 0 of source waits at offset 7, because a batch cannot be read: ${reason}. ` +
          `To skip offsets 7 to 9 and lose their records: ${skip}`,
      }),
    ]);
    expect(watch.warnings).toEqual([linesAt("warn")[0]?.["msg"]]);
    expect(watch.partitions).toEqual([{ ...batch, skip }]);
    world.time += hourMs;
    await watch.check();
    expect(linesAt("warn")).toHaveLength(2);
  });

  it("names no command if the batch itself is not at fault", () => {
    const { watch, test } = createWorld();
    test.ingest.unreadable.onUnreadable({ ...met, isUnskippable: true });
    expect([watch.warnings[0], watch.partitions]).toEqual([
      expect.stringMatching(/The batch cannot be skipped, because nothing shows that its records are damaged$/),
      [{ ...batch, skip: undefined }],
    ]);
  });

  it("sends no requests while everything can be read", async () => {
    const { watch, asked } = createWorld();
    await watch.check();
    expect([asked, watch.warnings, watch.partitions]).toEqual([[], [], []]);
  });

  it("does not repeat after a rebalance what it reported before", async () => {
    const { watch, test, linesAt } = createWorld();
    for (let join = 0; join < 3; join++) {
      test.assignAndOpen([source, 7]);
      test.ingest.unreadable.onUnreadable(met);
      await watch.check();
    }
    expect(linesAt("warn")).toHaveLength(1);
  });

  it("says that all topics of the partition number wait if a retry topic cannot be scanned", async () => {
    const { watch, test } = createWorld();
    test.assignAndOpen([source, 7], [tier, 3, { endOffset: 9 }]);
    test.ingest.unreadable.onUnreadable({ ...met, ...tier, fetchOffset: 3 });
    expect(watch.warnings[0]).toContain("Meanwhile partition 0 of every other topic waits too");
  });

  it("skips what an operator allows, when it begins to wait as well as later", async () => {
    const { watch, test, allowed, owned, asked } = createWorld();
    test.ingest.unreadable.onUnreadable(met);
    watch.onWaiting(met);
    await settle();
    expect([asked, owned.tracker?.position]).toEqual([[["group-skips", ["source"]]], 7]);
    allowed(10);
    await watch.check();
    test.ingest.unreadable.onUnreadable(met);
    expect([owned.tracker?.position, watch.warnings]).toEqual([10, []]);
  });

  it("ignores a skip request for an earlier topic of the same name", async () => {
    const { watch, test, allowed, owned } = createWorld();
    test.ingest.unreadable.onUnreadable(met);
    allowed(10, `;@${"B".repeat(22)}`);
    await watch.check();
    expect(owned.tracker?.position).toBe(7);
    allowed(10, `;@${"A".repeat(22)}`);
    await watch.check();
    test.ingest.unreadable.onUnreadable(met);
    expect(owned.tracker?.position).toBe(10);
  });

  it("names the right that is missing to ask, once, and asks again", async () => {
    const { watch, test, linesAt, world, allowed, owned } = createWorld();
    test.ingest.unreadable.onUnreadable(met);
    world.answer = () => {
      throw Object.assign(new Error("No"), { type: "GROUP_AUTHORIZATION_FAILED" });
    };
    for (let round = 0; round < 3; round++) await watch.check();
    expect(linesAt("warn")).toHaveLength(2);
    expect(watch.warnings[1]).toMatch(
      /Kafka refuses the right Describe on group group-skips: grant it with kafka-acls/,
    );
    allowed(10);
    await watch.check();
    test.ingest.unreadable.onUnreadable(met);
    expect([owned.tracker?.position, watch.warnings]).toEqual([10, []]);
  });

  it("continues if the cluster does not answer, and fails with a programming error", async () => {
    const { watch, test, linesAt, world, fatal } = createWorld();
    test.ingest.unreadable.onUnreadable(met);
    world.answer = () => {
      throw new Error("no broker");
    };
    await watch.check();
    expect([linesAt("warn").at(-1)?.["msg"], fatal]).toEqual([
      "Cannot check which offsets may be skipped: Error: no broker",
      [],
    ]);
    world.answer = () => {
      throw new TypeError("a mistake");
    };
    await watch.check();
    expect(fatal).toEqual(["a mistake"]);
  });

  it("reports skipped offsets as an error and counts them, and reports partitions that are readable again", () => {
    const { watch, linesAt, skipped } = createWorld();
    watch.onSkipped(batch);
    expect([linesAt("error"), skipped]).toEqual([[expect.objectContaining(batch)], [["source", 3]]]);
    watch.onResumed(source);
    expect(linesAt("info")).toEqual([expect.objectContaining(source)]);
  });
});
