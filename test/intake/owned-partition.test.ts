import { describe, expect, it } from "vitest";

import { createOwnedPartition, lagOf } from "../../src/intake/owned-partition.ts";
import { partitionKey } from "../../src/kafka/topic-partition.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";

const createRetryPartition = () => createOwnedPartition({ topic: "retry-30s", partition: 1 }, 0);

describe("an owned partition", () => {
  it("is named by topic and partition", () => {
    expect(partitionKey(createRetryPartition())).toBe("retry-30s/1");
  });

  it("lags by its uncommitted records, counted from its start offset while it is not open", () => {
    const owned = Object.assign(createRetryPartition(), { startOffset: 10, endOffset: 15 });
    expect(lagOf(owned)).toBe(5);
    const tracker = new OffsetTracker({ startOffset: 10 });
    owned.tracker = tracker;
    const entry = tracker.register(10);
    tracker.register(11);
    expect(lagOf(owned)).toBe(5);
    if (entry) tracker.complete(entry);
    expect(lagOf(owned)).toBe(4);
    expect(lagOf(Object.assign(owned, { endOffset: 3 }))).toBe(0);
  });
});
