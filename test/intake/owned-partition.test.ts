import { describe, expect, it } from "vitest";

import { createOwnedPartition, partitionKey, lagOf } from "../../src/intake/owned-partition.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";

const tierFeed = () => createOwnedPartition({ topic: "retry-30s", partition: 1 }, 0);

describe("feed", () => {
  it("is named by topic and partition", () => {
    expect(partitionKey(tierFeed())).toBe("retry-30s/1");
  });

  it("lags by what is not finished, from its start while it is not open", () => {
    const feed = Object.assign(tierFeed(), { start: 10, high: 15 });
    expect(lagOf(feed)).toBe(5);
    const tracker = new OffsetTracker({ startOffset: 10 });
    feed.inlet = { topic: "retry-30s", partition: 1, tier: 0, tracker, backlog: new RetryBacklog([]) };
    const slot = tracker.register(10);
    tracker.register(11);
    expect(lagOf(feed)).toBe(5);
    if (slot) tracker.complete(slot);
    expect(lagOf(feed)).toBe(4);
    expect(lagOf(Object.assign(feed, { high: 3 }))).toBe(0);
  });
});
