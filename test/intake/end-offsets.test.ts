import { describe, expect, it } from "vitest";

import { type EndsOptions, askEnds } from "../../src/intake/end-offsets.ts";
import type { LogReset } from "../../src/intake/log-resets.ts";
import { type Feed, createFeed, feedKey } from "../../src/intake/owned-partition.ts";
import type { LogRange } from "../../src/kafka/topics/log-ranges.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";

const openFeed = (partition: number, position: number, tier?: number): Feed => {
  const place = { topic: tier === undefined ? "source" : "tier", partition };
  const inlet = { ...place, tier, chains: new Chains([]), tracker: new Tracker({ start: position }) };
  return { ...createFeed(place, tier), topicId: "id", inlet };
};

const createTestEnds = (
  feeds: readonly Feed[],
  {
    startFrom = "earliest",
    whileAsked = () => {},
  }: { startFrom?: EndsOptions["topics"]["startFrom"]; whileAsked?: () => void } = {},
) => {
  const resets: LogReset[] = [];
  const fatal: string[] = [];
  const asked: (readonly string[])[] = [];
  const log: string[] = [];
  const world = { id: "id" as string | undefined, feeds };
  const ask = (...ranges: Omit<LogRange, "topic">[]): Promise<boolean> =>
    askEnds({
      admin: {
        topics: async (topics) =>
          topics.map((topic) => ({
            topic,
            error: undefined,
            id: world.id,
            operations: undefined,
            partitions: 1,
            replication: 1,
          })),
        ranges: async (topics) => {
          asked.push(topics);
          const answer = ranges.flatMap((range) => topics.map((topic) => ({ topic, ...range })));
          whileAsked();
          return answer;
        },
      },
      intake: {
        get feeds() {
          return world.feeds;
        },
        heardEnd: (feed, high) => void (feed.high = Math.max(feed.high, high)),
        gaps: {
          goOn: (feed) => void log.push(`go on ${feedKey(feed)}`),
          passOver: (feed, { low, goOnAt }) => void log.push(`pass over ${feedKey(feed)} ${low} ${goOnAt}`),
        },
      },
      topics: { source: ["source"], retry: [{ topic: "tier" }], startFrom },
      onReset: (reset) => void resets.push(reset),
      onOver: (over) => void log.push(`over ${over.map((feed) => `${feedKey(feed)} ${feed.doubt}`).join(", ")}`),
      onFatal: ({ message }) => void fatal.push(message),
    });
  return { ask, asked, resets, fatal, log, world };
};

describe("askEnds", () => {
  it("asks for sources and tiers, and moves the ends of the logs on, never back", async () => {
    const feed = openFeed(0, 5);
    const { ask, asked, resets, log } = createTestEnds([feed]);
    await ask({ partition: 0, low: 0, high: 9 }, { partition: 7, low: 3, high: 4 });
    expect(await ask({ partition: 0, low: 0, high: 8 })).toBe(false);
    expect([feed.high, asked[0], resets, log]).toEqual([9, ["source", "tier"], [], []]);
  });

  it("tells once of each range that retention removed before it was read", async () => {
    const { ask, resets, fatal, log } = createTestEnds([openFeed(0, 5), openFeed(1, 5)]);
    const other = { partition: 1, low: 5, high: 20 };
    await ask({ partition: 0, low: 8, high: 20 }, other);
    await ask({ partition: 0, low: 8, high: 20 }, other);
    await ask({ partition: 0, low: 12, high: 20 }, other);
    expect(resets).toEqual([
      { topic: "source", partition: 0, cause: "removed", oldOffset: 5, newOffset: 8 },
      { topic: "source", partition: 0, cause: "removed", oldOffset: 8, newOffset: 12 },
    ]);
    expect([fatal, log[0]]).toEqual([[], "pass over source/0 8 8"]);
  });

  it.each([
    ["earliest", undefined, "pass over source/0 8 8"],
    ["latest", undefined, "pass over source/0 8 20"],
    ["latest", 0, "pass over tier/0 8 8"],
  ] as const)("continues behind a gap as START_FROM %s says (tier: %s)", async (startFrom, tier, expected) => {
    const { ask, log, resets } = createTestEnds([{ ...openFeed(0, 5, tier), isOutOfRange: true }], { startFrom });
    await ask({ partition: 0, low: 8, high: 20 });
    expect(log).toEqual([expected]);
    expect(resets).toMatchObject([{ oldOffset: 5, newOffset: Number(expected.split(" ").at(-1)) }]);
  });

  it("tells of the jump to the end when a fetch has failed, also where it has told of the removal before", async () => {
    const feed = openFeed(0, 5);
    const { ask, resets } = createTestEnds([feed], { startFrom: "latest" });
    await ask({ partition: 0, low: 8, high: 20 });
    feed.isOutOfRange = true;
    await ask({ partition: 0, low: 8, high: 20 });
    expect(resets).toMatchObject([
      { oldOffset: 5, newOffset: 8 },
      { oldOffset: 8, newOffset: 20 },
    ]);
  });

  it("does not judge a partition that is not open yet", async () => {
    const { ask, resets, log } = createTestEnds([createFeed({ topic: "source", partition: 0 }, undefined)]);
    await ask({ partition: 0, low: 8, high: 20 });
    expect([resets, log]).toEqual([[], []]);
  });

  it("ends the process where START_FROM is fail, with the names of all the partitions", async () => {
    const { ask, resets, fatal } = createTestEnds([openFeed(0, 5), openFeed(1, 6)], { startFrom: "fail" });
    await ask({ partition: 0, low: 8, high: 20 }, { partition: 1, low: 8, high: 20 });
    await ask({ partition: 0, low: 8, high: 20 }, { partition: 1, low: 8, high: 20 });
    expect(resets).toHaveLength(2);
    expect(fatal).toEqual([
      expect.stringMatching(/^Kafka's retention removed .*source\/0 \(5 to 7\), source\/1 \(6 to 7\).* START_FROM/),
    ]);
  });

  it("takes a topic for made anew when it hears another id twice, and commits nothing of it meanwhile", async () => {
    const feed = openFeed(0, 5);
    const { ask, log, world } = createTestEnds([feed]);
    world.id = "other";
    expect(await ask({ partition: 0, low: 0, high: 9 })).toBe(true);
    expect([feed.doubt, feed.high, log]).toEqual(["made_anew", 0, []]);
    expect(await ask({ partition: 0, low: 0, high: 9 })).toBe(false);
    expect(log).toEqual(["over source/0 made_anew"]);
  });

  it("forgets a doubt that does not come again, and takes no id for no sign", async () => {
    const feed = openFeed(0, 5);
    const { ask, log, world } = createTestEnds([feed]);
    for (const id of ["other", undefined, "other", "id"]) {
      world.id = id;
      await ask({ partition: 0, low: 0, high: 9 });
    }
    expect([feed.doubt, log]).toEqual([undefined, []]);
  });

  it("takes a log that ends before what was read for cut off when it is so twice, also where a fetch has failed", async () => {
    const { ask, log } = createTestEnds([openFeed(0, 15), { ...openFeed(1, 15), isOutOfRange: true }]);
    const ranges = [0, 1].map((partition) => ({ partition, low: 0, high: 9 }));
    expect(await ask(...ranges)).toBe(true);
    expect(log).toEqual([]);
    expect(await ask(...ranges)).toBe(false);
    expect(log).toEqual(["over source/0 truncated, source/1 truncated"]);
  });

  it("fetches again where only one answer has said that the log is cut off, after a fetch that failed", async () => {
    const { ask, log } = createTestEnds([{ ...openFeed(0, 15), isOutOfRange: true }]);
    await ask({ partition: 0, low: 0, high: 9 });
    await ask({ partition: 0, low: 0, high: 20 });
    expect(log).toEqual(["go on source/0"]);
  });

  it("is not misled by what is read while the cluster answers", async () => {
    const feed = openFeed(0, 9);
    let position = 9;
    const readOn = (): void => feed.inlet?.tracker.skipTo((position += 10));
    const { ask, log } = createTestEnds([feed], { whileAsked: readOn });
    for (const high of [9, 19, 29]) expect(await ask({ partition: 0, low: 0, high })).toBe(false);
    expect(log).toEqual([]);
  });

  it("sees a tier that is cut off while it is being scanned, which would never come to its end", async () => {
    const scan = { end: 20, found: [], position: 3 };
    const feed: Feed = { ...createFeed({ topic: "tier", partition: 0 }, 0), scan };
    const { ask, log } = createTestEnds([feed]);
    await ask({ partition: 0, low: 0, high: 19 });
    await ask({ partition: 0, low: 0, high: 19 });
    expect(log).toEqual(["over tier/0 truncated"]);
  });

  it("fetches again from a partition that was out of range and is not any more", async () => {
    const { ask, log } = createTestEnds([{ ...openFeed(0, 5), isOutOfRange: true }]);
    await ask({ partition: 0, low: 0, high: 9 });
    expect(log).toEqual(["go on source/0"]);
  });

  it("says nothing of an assignment that has ended while the cluster answered", async () => {
    const feed = openFeed(0, 15);
    const test = createTestEnds([feed], { whileAsked: () => void (test.world.feeds = []) });
    await test.ask({ partition: 0, low: 0, high: 9 });
    expect([feed.doubt, test.log]).toEqual([undefined, []]);
  });
});
