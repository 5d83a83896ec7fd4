import { describe, expect, it } from "vitest";

import { createFeed } from "../../src/intake/feed.ts";
import { OffsetOutOfRange, type StartsOptions, planStart, readStarts } from "../../src/intake/starts.ts";
import type { Committed } from "../../src/kafka/admin.ts";
import type { LogRange } from "../../src/kafka/log-ranges.ts";

type StartFrom = StartsOptions["startFrom"];

const place = { topic: "source", partition: 3 };
const range: LogRange = { ...place, low: 100, high: 200 };
const committedAt = (offset: number | undefined): Committed => ({ ...place, offset, metadata: "g1:1.1" });

describe("planStart", () => {
  it.each<[string, number | undefined, boolean, StartFrom, number | "out_of_range"]>([
    ["a new group", undefined, false, "earliest", 100],
    ["a new group", undefined, false, "latest", 200],
    ["a new group", undefined, false, "fail", 100],
    ["a commit", 150, false, "earliest", 150],
    ["a commit", 150, false, "latest", 150],
    ["a commit", 150, false, "fail", 150],
    ["a commit at the beginning", 100, false, "latest", 100],
    ["a commit at the end", 200, false, "earliest", 200],
    ["a commit before the log", 99, false, "earliest", 100],
    ["a commit before the log", 99, false, "latest", 200],
    ["a commit before the log", 99, false, "fail", "out_of_range"],
    ["a commit beyond the log", 201, false, "earliest", 100],
    ["a commit beyond the log", 201, false, "latest", 200],
    ["a commit beyond the log", 201, false, "fail", "out_of_range"],
    ["a new group's tier", undefined, true, "latest", 100],
    ["a tier's commit", 150, true, "latest", 150],
    ["a tier's commit before the log", 99, true, "latest", 100],
    ["a tier's commit before the log", 99, true, "fail", 100],
  ])("starts with %s at %s (tier: %s, START_FROM %s) from %s", (_, offset, isTier, startFrom, expected) => {
    const start = planStart({ range, committed: committedAt(offset), isTier }, startFrom);
    const metadata = expected === offset ? "g1:1.1" : null;
    expect(start).toEqual(expected === "out_of_range" ? expected : { offset: expected, metadata, high: 200 });
  });
});

describe("readStarts", () => {
  const feeds = [
    createFeed({ topic: "source", partition: 0 }, undefined),
    createFeed({ topic: "tier", partition: 0 }, 0),
  ];
  const optionsOf = (committed: Committed[], ranges: LogRange[], startFrom: StartFrom = "earliest") => {
    const asked: unknown[] = [];
    const admin: StartsOptions["admin"] = {
      committed: async (groupId, topics) => {
        asked.push([groupId, topics]);
        return committed;
      },
      ranges: async () => ranges,
    };
    return { options: { admin, groupId: "g", startFrom }, asked };
  };
  const ranges = feeds.map(({ topic, partition }) => ({ topic, partition, low: 5, high: 9 }));

  it("asks once for all topics, and gives each partition its start", async () => {
    const none = { topic: "source", partition: 0, offset: undefined, metadata: null };
    const { options, asked } = optionsOf([none, { topic: "tier", partition: 0, offset: 7, metadata: "" }], ranges);
    expect(await readStarts(feeds, options)).toEqual(
      new Map([
        ["source/0", { offset: 5, metadata: null, high: 9 }],
        ["tier/0", { offset: 7, metadata: "", high: 9 }],
      ]),
    );
    expect(asked).toEqual([["g", ["source", "tier"]]]);
  });

  it("names every partition whose commit is outside of the log, where that is to be asked", async () => {
    const more = createFeed({ topic: "source", partition: 1 }, undefined);
    const outside = [0, 1].map((partition) => ({ topic: "source", partition, offset: 2, metadata: null }));
    const tier = { topic: "tier", partition: 0, offset: 7, metadata: null };
    const { options } = optionsOf(
      [...outside, tier],
      [...ranges, { topic: "source", partition: 1, low: 5, high: 9 }],
      "fail",
    );
    const reading = readStarts([...feeds, more], options);
    await expect(reading).rejects.toThrow(OffsetOutOfRange);
    await expect(reading).rejects.toThrow(/source\/0 \(committed 2, log 5 to 9\), source\/1 .*START_FROM/);
  });

  it.each([
    ["what was committed", [], ranges],
    ["where a log ends", feeds.map(({ topic }) => ({ topic, partition: 0, offset: 7, metadata: "" })), ranges.slice(1)],
  ])("takes no answer that lacks a partition: %s", async (_, committed, known) => {
    await expect(readStarts(feeds, optionsOf(committed, known).options)).rejects.toThrow(
      "The cluster's answer lacks source/0",
    );
  });

  it("is content with an assignment of nothing", async () => {
    const { options } = optionsOf([], []);
    expect(await readStarts([], options)).toEqual(new Map());
  });
});
