import { describe, expect, it } from "vitest";

import type { Feed } from "../../src/intake/owned-partition.ts";
import type { Committed } from "../../src/kafka/admin.ts";
import { createLog } from "../../src/ops/log.ts";
import { UnreadableWatch, type UnreadableWatchOptions } from "../../src/service/unreadable-watch.ts";
import { createTestIntake, source, tier } from "../intake/intake-rig.ts";

const hourMs = 3_600_000;
const reason = "Its checksum is wrong";
const batch = { topic: "source", partition: 0, offset: 7, lastOffset: 9, reason };
/** As a fetch from there meets it. */
const met = { ...batch, from: 7 };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** A member that owns a partition, read up to 7, and what the cluster says of the group of skips. */
const createWorld = () => {
  const lines: Record<string, unknown>[] = [];
  const fatal: string[] = [];
  const skipped: unknown[] = [];
  const asked: unknown[] = [];
  const world: { time: number; answer: () => Committed[] } = { time: 0, answer: () => [] };
  const test = createTestIntake();
  test.own([source, 7, { topicId: "A".repeat(22) }], [tier, 3]);
  const options: UnreadableWatchOptions = {
    admin: {
      committed: async (...question) => {
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
    metrics: { offsetsSkipped: (...count) => void skipped.push(count) },
    member: () => test,
    monotonic: () => world.time,
    onFatal: (error) => void fatal.push(error.message),
  };
  const watch = new UnreadableWatch(options);
  const feed = test.intake.feeds.find(({ topic }) => topic === "source") as Feed;
  const allowed = (offset: number, metadata: string | null = null): void => {
    world.answer = () => [{ topic: "source", partition: 0, offset, metadata }];
  };
  const told = (level: string) => lines.filter((line) => line["level"] === level);
  return { watch, test, feed, world, allowed, told, fatal, skipped, asked };
};

describe("UnreadableWatch", () => {
  it("tells of a partition that waits once, with the command, and again after an hour", async () => {
    const { watch, test, told, world } = createWorld();
    test.intake.unreadable.met(met);
    for (let round = 0; round < 3; round++) await watch.run();
    const skip = "gainstream skip --topic source --partition 0 --to-offset 10";
    expect(told("warn")).toEqual([
      expect.objectContaining({
        ...batch,
        skip,
        msg:
          `Partition 0 of source waits at offset 7, where a batch cannot be read: ${reason}. ` +
          `To skip offsets 7 to 9, which are lost then: ${skip}`,
      }),
    ]);
    expect(watch.warnings).toEqual([told("warn")[0]?.["msg"]]);
    expect(watch.places).toEqual([{ ...batch, skip }]);
    world.time += hourMs;
    await watch.run();
    expect(told("warn")).toHaveLength(2);
  });

  it("names no command where nothing is known against the records", () => {
    const { watch, test } = createWorld();
    test.intake.unreadable.met({ ...met, mustWait: true });
    expect([watch.warnings[0], watch.places]).toEqual([
      expect.stringMatching(/cannot be skipped, since nothing is known against its records$/),
      [{ ...batch, skip: undefined }],
    ]);
  });

  it("asks nothing while everything can be read", async () => {
    const { watch, asked } = createWorld();
    await watch.run();
    expect([asked, watch.warnings, watch.places]).toEqual([[], [], []]);
  });

  it("does not tell again what it told before a rebalance", async () => {
    const { watch, test, told } = createWorld();
    for (let join = 0; join < 3; join++) {
      test.own([source, 7]);
      test.intake.unreadable.met(met);
      await watch.run();
    }
    expect(told("warn")).toHaveLength(1);
  });

  it("says that all topics of the partition number wait if it is a retry topic that is read to know who is parked", async () => {
    const { watch, test } = createWorld();
    test.own([source, 7], [tier, 3, { high: 9 }]);
    test.intake.unreadable.met({ ...met, ...tier, from: 3 });
    expect(watch.warnings[0]).toContain("No topic's partition 0 is delivered meanwhile");
  });

  it("skips what an operator allows, when it begins to wait as well as later", async () => {
    const { watch, test, allowed, feed, asked } = createWorld();
    test.intake.unreadable.met(met);
    watch.onWaits(met);
    await settle();
    expect([asked, feed.inlet?.tracker.position]).toEqual([[["group-skips", ["source"]]], 7]);
    allowed(10);
    await watch.run();
    test.intake.unreadable.met(met);
    expect([feed.inlet?.tracker.position, watch.warnings]).toEqual([10, []]);
  });

  it("does not take a word that was said of a topic of the same name, which was made anew since", async () => {
    const { watch, test, allowed, feed } = createWorld();
    test.intake.unreadable.met(met);
    allowed(10, `;@${"B".repeat(22)}`);
    await watch.run();
    expect(feed.inlet?.tracker.position).toBe(7);
    allowed(10, `;@${"A".repeat(22)}`);
    await watch.run();
    test.intake.unreadable.met(met);
    expect(feed.inlet?.tracker.position).toBe(10);
  });

  it("names the right that is missing to ask, once, and asks again", async () => {
    const { watch, test, told, world, allowed, feed } = createWorld();
    test.intake.unreadable.met(met);
    world.answer = () => {
      throw Object.assign(new Error("No"), { type: "GROUP_AUTHORIZATION_FAILED" });
    };
    for (let round = 0; round < 3; round++) await watch.run();
    expect(told("warn")).toHaveLength(2);
    expect(watch.warnings[1]).toMatch(
      /Kafka refuses the right Describe on group group-skips: grant it with kafka-acls/,
    );
    allowed(10);
    await watch.run();
    test.intake.unreadable.met(met);
    expect([feed.inlet?.tracker.position, watch.warnings]).toEqual([10, []]);
  });

  it("goes on where the cluster does not answer, and ends with a mistake of this program", async () => {
    const { watch, test, told, world, fatal } = createWorld();
    test.intake.unreadable.met(met);
    world.answer = () => {
      throw new Error("no broker");
    };
    await watch.run();
    expect([told("warn").at(-1)?.["msg"], fatal]).toEqual(["Cannot ask what may be skipped: Error: no broker", []]);
    world.answer = () => {
      throw new TypeError("a mistake");
    };
    await watch.run();
    expect(fatal).toEqual(["a mistake"]);
  });

  it("tells of what is skipped as an error and counts it, and of what can be read again", () => {
    const { watch, told, skipped } = createWorld();
    watch.onSkipped(batch);
    expect([told("error"), skipped]).toEqual([[expect.objectContaining(batch)], [["source", 3]]]);
    watch.onReadsOn(source);
    expect(told("info")).toEqual([expect.objectContaining(source)]);
  });
});
