import { describe, expect, it } from "vitest";

import { Chains } from "../../src/flow/chains.ts";
import { Tracker } from "../../src/flow/tracker.ts";
import { type EndsOptions, type Removed, askEnds } from "../../src/intake/ends.ts";
import { type Feed, createFeed } from "../../src/intake/feed.ts";
import type { LogRange } from "../../src/kafka/log-ranges.ts";

const openFeed = (partition: number, position: number): Feed => {
  const place = { topic: "source", partition };
  const inlet = { ...place, tier: undefined, chains: new Chains([]), tracker: new Tracker({ start: position }) };
  return { ...createFeed(place, undefined), inlet };
};

const createTestEnds = (feeds: readonly Feed[], startFrom: EndsOptions["topics"]["startFrom"] = "earliest") => {
  const removed: Removed[] = [];
  const fatal: string[] = [];
  const asked: (readonly string[])[] = [];
  const ask = (...ranges: Omit<LogRange, "topic">[]): Promise<void> =>
    askEnds({
      admin: {
        ranges: async (topics) => {
          asked.push(topics);
          return ranges.map(({ partition, low, high }) => ({ topic: "source", partition, low, high }));
        },
      },
      intake: { feeds, heardEnd: (feed, high) => void (feed.high = Math.max(feed.high, high)) },
      topics: { source: ["source"], retry: [{ topic: "tier" }], startFrom },
      onRemoved: (range) => void removed.push(range),
      onFatal: ({ message }) => void fatal.push(message),
    });
  return { ask, asked, removed, fatal };
};

describe("askEnds", () => {
  it("asks for sources and tiers, and moves the ends of the logs on, never back", async () => {
    const feed = openFeed(0, 5);
    const { ask, asked, removed } = createTestEnds([feed]);
    await ask({ partition: 0, low: 0, high: 9 }, { partition: 7, low: 3, high: 4 });
    await ask({ partition: 0, low: 0, high: 8 });
    expect([feed.high, asked[0], removed]).toEqual([9, ["source", "tier"], []]);
  });

  it("tells once of each range that retention removed before it was read", async () => {
    const { ask, removed, fatal } = createTestEnds([openFeed(0, 5), openFeed(1, 5)]);
    const other = { partition: 1, low: 5, high: 20 };
    await ask({ partition: 0, low: 8, high: 20 }, other);
    await ask({ partition: 0, low: 8, high: 20 }, other);
    await ask({ partition: 0, low: 12, high: 20 }, other);
    expect(removed).toEqual([
      { topic: "source", partition: 0, from: 5, to: 7 },
      { topic: "source", partition: 0, from: 8, to: 11 },
    ]);
    expect(fatal).toEqual([]);
  });

  it("does not judge a partition that is not open yet", async () => {
    const { ask, removed } = createTestEnds([createFeed({ topic: "source", partition: 0 }, undefined)]);
    await ask({ partition: 0, low: 8, high: 20 });
    expect(removed).toEqual([]);
  });

  it("ends the process where START_FROM is fail, with the names of all the partitions", async () => {
    const { ask, removed, fatal } = createTestEnds([openFeed(0, 5), openFeed(1, 6)], "fail");
    await ask({ partition: 0, low: 8, high: 20 }, { partition: 1, low: 8, high: 20 });
    await ask({ partition: 0, low: 8, high: 20 }, { partition: 1, low: 8, high: 20 });
    expect(removed).toHaveLength(2);
    expect(fatal).toEqual([
      expect.stringMatching(/^Kafka's retention removed .*source\/0 \(5 to 7\), source\/1 \(6 to 7\).* START_FROM/),
    ]);
  });
});
