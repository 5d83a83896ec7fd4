import { describe, expect, it } from "vitest";

import { Chains } from "../../src/flow/chains.ts";
import { Tracker } from "../../src/flow/tracker.ts";
import { createFeed, dueInMs, feedKey, lagOf } from "../../src/intake/feed.ts";
import { messageOf } from "./batches.ts";

const delayMs = 30_000;
const now = 1_700_000_000_000;
const tierFeed = () => createFeed({ topic: "retry-30s", partition: 1 }, 0);
const writtenAt = (offset: number, timestamp: number) => messageOf(offset, { timestamp: String(timestamp) });

describe("dueInMs", () => {
  it.each([
    ["just written", 0, 30_000],
    ["written ten seconds ago", -10_000, 20_000],
    ["written longer ago than the delay", -31_000, -1_000],
    ["of an hour ahead, by a clock that is wrong", 3_600_000, 30_000],
    ["without a time", -now, 30_000 - now],
  ])("waits for a record %s from now", (_, age, dueIn) => {
    expect(dueInMs(tierFeed(), writtenAt(7, now + age), { delayMs, now })).toBe(dueIn);
  });

  it("remembers what it said when the record is fetched again: a future timestamp never hangs", () => {
    const feed = tierFeed();
    const message = writtenAt(7, now + 3_600_000);
    expect(dueInMs(feed, message, { delayMs, now })).toBe(30_000);
    expect(dueInMs(feed, message, { delayMs, now: now + 29_999 })).toBe(1);
    expect(dueInMs(feed, message, { delayMs, now: now + 30_000 })).toBe(0);
  });

  it("decides anew for another record", () => {
    const feed = tierFeed();
    dueInMs(feed, writtenAt(7, now), { delayMs, now });
    expect(dueInMs(feed, writtenAt(8, now + 5_000), { delayMs, now: now + 30_000 })).toBe(5_000);
  });
});

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
