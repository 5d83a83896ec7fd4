import { describe, expect, it } from "vitest";

import { KnownLogs } from "../../src/intake/known-logs.ts";
import { createFeed } from "../../src/intake/owned-partition.ts";
import { type Start, type StartFrom, type StartPlace, planStart } from "../../src/intake/plan-start.ts";
import { StartRefused, type StartsOptions, readStarts } from "../../src/intake/start-offsets.ts";
import type { Committed } from "../../src/kafka/admin.ts";
import type { LogRange } from "../../src/kafka/topics/log-ranges.ts";
import { encodeFinished } from "../../src/offsets/completed-map.ts";
import { encodeTopicId } from "../../src/offsets/topic-id.ts";

const place = { topic: "source", partition: 3 };
const range: LogRange = { ...place, low: 100, high: 200 };
const [oldId, newId] = ["old-old-old-old-old-ol", "new-new-new-new-new-ne"];

const startOf = (
  offset: number | undefined,
  startFrom: StartFrom,
  { metadata = "g1:1.1", ...more }: Partial<StartPlace> & { metadata?: string } = {},
) => {
  const committed = { ...place, offset, metadata };
  const about = { range, committed, isTier: false, topicId: newId, hasCommits: offset !== undefined, ...more };
  return planStart(about, startFrom);
};

/** The offset, or the refusal, with why. */
const shortly = (start: Start | string): string =>
  typeof start === "string" ? start : [start.offset, start.cause].filter((one) => one !== undefined).join(" ");

const tier = { isTier: true };
const grown = { hasCommits: true };
const foreign = { metadata: `g1:1.1${encodeTopicId(oldId)}` };
const same = { metadata: `g1:1.1${encodeTopicId(newId)}` };
const knewOther = { known: { topicId: oldId, position: 150, isOver: false } };
const cutOff = { known: { topicId: newId, position: 190, isOver: true } };
const unnamed = { topicId: undefined };

describe("planStart", () => {
  it.each<[string, number | undefined, Parameters<typeof startOf>[2], StartFrom, string]>([
    ["a new group", undefined, {}, "earliest", "100"],
    ["a new group", undefined, {}, "latest", "200"],
    ["a new group", undefined, {}, "fail", "uncommitted"],
    ["a new partition of a topic that is read", undefined, grown, "earliest", "100"],
    ["a new partition of a topic that is read", undefined, grown, "latest", "100"],
    ["a new partition of a topic that is read", undefined, grown, "fail", "100"],
    ["a commit", 150, {}, "earliest", "150"],
    ["a commit", 150, {}, "latest", "150"],
    ["a commit", 150, {}, "fail", "150"],
    ["a commit of this topic", 150, same, "earliest", "150"],
    ["a commit at the beginning", 100, {}, "latest", "100"],
    ["a commit at the end", 200, {}, "earliest", "200"],
    ["a commit before the log", 99, {}, "earliest", "100 removed"],
    ["a commit before the log", 99, {}, "latest", "200 removed"],
    ["a commit before the log", 99, {}, "fail", "outside"],
    ["a commit beyond the log", 201, {}, "earliest", "100 truncated"],
    ["a commit beyond the log", 201, {}, "latest", "200 truncated"],
    ["a commit beyond the log", 201, {}, "fail", "outside"],
    ["a commit of a topic that is gone", 150, foreign, "earliest", "100 made_anew"],
    ["a commit of a topic that is gone", 150, foreign, "latest", "200 made_anew"],
    ["a commit of a topic that is gone", 150, foreign, "fail", "outside"],
    ["a commit of another topic that the cluster does not name", 150, { ...foreign, ...unnamed }, "earliest", "150"],
    ["a commit without a name, of a topic that was known", 150, knewOther, "earliest", "100 made_anew"],
    ["a commit of this topic, after another one was known", 150, { ...same, ...knewOther }, "earliest", "150"],
    ["no commit, of a topic that was known", undefined, knewOther, "earliest", "100 made_anew"],
    ["no commit, of a topic that was known", undefined, knewOther, "fail", "outside"],
    ["a commit of a log that was seen cut off", 150, { ...same, ...cutOff }, "earliest", "100 truncated"],
    ["a new group's tier", undefined, tier, "latest", "100"],
    ["a new group's tier", undefined, tier, "fail", "100"],
    ["a tier's commit", 150, tier, "latest", "150"],
    ["a tier's commit before the log", 99, tier, "latest", "100 removed"],
    ["a tier's commit before the log", 99, tier, "fail", "100 removed"],
    ["a tier's commit of a topic that is gone", 150, { ...tier, ...foreign }, "latest", "100 made_anew"],
    ["a tier's commit of a topic that is gone", 150, { ...tier, ...foreign }, "fail", "100 made_anew"],
  ])("starts with %s at %s (%j, START_FROM %s) from %s", (_, offset, about, startFrom, expected) => {
    expect(shortly(startOf(offset, startFrom, about))).toBe(expected);
  });

  it("keeps the metadata of a commit that counts, and what was finished behind what retention removed", () => {
    expect(startOf(150, "earliest")).toEqual({ offset: 150, metadata: "g1:1.1", high: 200, topicId: newId });
    const metadata = encodeFinished(90, [95, 100, 102, 103]);
    expect(startOf(90, "earliest", { metadata })).toMatchObject({ metadata: encodeFinished(100, [100, 102, 103]) });
    expect(startOf(90, "latest", { metadata })).toMatchObject({ metadata: null });
    expect(startOf(150, "earliest", foreign)).toMatchObject({ metadata: null });
  });
});

describe("readStarts", () => {
  const feeds = [
    createFeed({ topic: "source", partition: 0 }, undefined),
    createFeed({ topic: "tier", partition: 0 }, 0),
  ];
  const optionsOf = (committed: Committed[], ranges: LogRange[], startFrom: StartFrom = "earliest") => {
    const asked: unknown[] = [];
    const ids: string[] = [newId];
    const admin: StartsOptions["admin"] = {
      topics: async (topics) =>
        topics.map((topic) => ({
          topic,
          error: undefined,
          id: ids.at(-1),
          operations: undefined,
          partitions: 1,
          replication: 1,
        })),
      committed: async (groupId, topics) => {
        asked.push([groupId, topics]);
        return committed;
      },
      ranges: async () => ranges,
    };
    const known = new KnownLogs();
    return { options: { admin, groupId: "g", startFrom, known }, asked, ids };
  };
  const ranges = feeds.map(({ topic, partition }) => ({ topic, partition, low: 5, high: 9 }));

  it("asks once for all topics, and gives each partition its start", async () => {
    const none = { topic: "source", partition: 0, offset: undefined, metadata: null };
    const { options, asked } = optionsOf([none, { topic: "tier", partition: 0, offset: 7, metadata: "" }], ranges);
    expect(await readStarts(feeds, options)).toEqual({
      starts: new Map([
        ["source/0", { offset: 5, metadata: null, high: 9, topicId: newId }],
        ["tier/0", { offset: 7, metadata: "", high: 9, topicId: newId }],
      ]),
      resets: [],
    });
    expect(asked).toEqual([["g", ["source", "tier"]]]);
  });

  it("tells of each partition whose log is another one, with the old offset and the new one", async () => {
    const { options } = optionsOf(
      feeds.map(({ topic }) => ({ topic, partition: 0, offset: 40, metadata: null })),
      ranges,
      "latest",
    );
    await expect(readStarts(feeds, options)).rejects.toThrow(/seem not to be/);
    const { starts, resets } = await readStarts(feeds, options);
    expect(starts.get("source/0")).toMatchObject({ offset: 9 });
    expect(resets).toEqual([
      { topic: "source", partition: 0, cause: "truncated", oldOffset: 40, newOffset: 9 },
      { topic: "tier", partition: 0, cause: "truncated", oldOffset: 40, newOffset: 5 },
    ]);
  });

  it("believes that a topic was made anew when it hears the same id twice in a row: a broker may be behind the others", async () => {
    const metadata = encodeTopicId(oldId);
    const { options, ids } = optionsOf(
      feeds.map(({ topic }) => ({ topic, partition: 0, offset: 7, metadata })),
      ranges,
    );
    const doubt = /seem not to be those that were read from: source\/0 \(made_anew\), tier\/0/;
    await expect(readStarts(feeds, options)).rejects.toThrow(doubt);
    ids.push(oldId);
    const { starts, resets } = await readStarts(feeds, options);
    expect([starts.get("source/0")?.offset, resets]).toEqual([7, []]);
    ids.push(newId);
    await expect(readStarts(feeds, options)).rejects.toThrow(doubt);
    expect((await readStarts(feeds, options)).starts.get("source/0")).toMatchObject({ offset: 5, cause: "made_anew" });
  });

  it("believes that a log was cut off when it hears so twice in a row, or has seen it itself", async () => {
    const source = { topic: "source", partition: 0 };
    const [whole, short] = [
      { ...source, low: 5, high: 20 },
      { ...source, low: 5, high: 9 },
    ];
    const answers = [short, whole, short, short, whole, short];
    const { options } = optionsOf([{ ...source, offset: 12, metadata: null }], []);
    const admin = { ...options.admin, ranges: async () => answers.splice(0, 1) };
    const read = async () => (await readStarts(feeds.slice(0, 1), { ...options, admin })).starts.get("source/0");
    await expect(read()).rejects.toThrow(/seem not to be/);
    expect(await read()).toMatchObject({ offset: 12 });
    await expect(read()).rejects.toThrow(/seem not to be/);
    expect(await read()).toMatchObject({ offset: 5, cause: "truncated" });
    expect(await read()).toMatchObject({ offset: 12 });
    options.known.areOver([{ ...createFeed(source, undefined), doubt: "truncated", topicId: newId, start: 12 }]);
    expect(await read()).toMatchObject({ offset: 5, cause: "truncated" });
  });

  it("names every partition whose commit is outside of the log, where that is to be asked", async () => {
    const more = createFeed({ topic: "source", partition: 1 }, undefined);
    const outside = [0, 1].map((partition) => ({ topic: "source", partition, offset: 2, metadata: null }));
    const { options } = optionsOf(
      [...outside, { topic: "tier", partition: 0, offset: 7, metadata: null }],
      [...ranges, { topic: "source", partition: 1, low: 5, high: 9 }],
      "fail",
    );
    const reading = readStarts([...feeds, more], options);
    await expect(reading).rejects.toThrow(StartRefused);
    await expect(reading).rejects.toThrow(/source\/0 \(committed 2, log 5 to 9\), source\/1 .*START_FROM/);
  });

  it("does not begin a new group where that is to be asked, and names what it would begin", async () => {
    const { options } = optionsOf(
      feeds.map(({ topic }) => ({ topic, partition: 0, offset: undefined, metadata: null })),
      ranges,
      "fail",
    );
    await expect(readStarts(feeds, options)).rejects.toThrow(
      "The group has no committed offset of source/0, and START_FROM is fail: set START_FROM to earliest or latest for the first start",
    );
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
    expect(await readStarts([], options)).toEqual({ starts: new Map(), resets: [] });
  });
});
