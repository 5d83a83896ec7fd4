import { describe, expect, it } from "vitest";

import { createFeed, feedKey, lagOf } from "../../src/intake/owned-partition.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";

const tierFeed = () => createFeed({ topic: "retry-30s", partition: 1 }, 0);

describe("feed", () => {
  it("is named by topic and partition", () => {
    expect(feedKey(tierFeed())).toBe("retry-30s/1");
  });

  it("lags by what is not finished, from its start while it is not open", () => {
    const feed = Object.assign(tierFeed(), { start: 10, high: 15 });
    expect(lagOf(feed)).toBe(5);
    const tracker = new Tracker({ start: 10 });
    feed.inlet = { topic: "retry-30s", partition: 1, tier: 0, tracker, chains: new Chains([]) };
    const slot = tracker.see(10);
    tracker.see(11);
    expect(lagOf(feed)).toBe(5);
    if (slot) tracker.finish(slot);
    expect(lagOf(feed)).toBe(4);
    expect(lagOf(Object.assign(feed, { high: 3 }))).toBe(0);
  });
});
