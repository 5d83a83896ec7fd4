import { describe, expect, it } from "vitest";

import { KnownLogs } from "../../src/intake/known-logs.ts";
import { createOwnedPartition } from "../../src/intake/owned-partition.ts";
import {
  type StartOffset,
  type StartFrom,
  type PartitionLog,
  planStartOffset,
} from "../../src/intake/plan-start-offset.ts";
import { StartRefusedError, type StartOffsetsOptions, readStartOffsets } from "../../src/intake/start-offsets.ts";
import type { CommittedOffset } from "../../src/kafka/admin.ts";
import type { LogRange } from "../../src/kafka/topics/log-ranges.ts";
import { encodeCompleted } from "../../src/offsets/completed-map.ts";
import { encodeTopicId } from "../../src/offsets/topic-id.ts";

const topicPartition = { topic: "source", partition: 3 };
const range: LogRange = { ...topicPartition, beginningOffset: 100, endOffset: 200 };
const [oldId, newId] = ["old-old-old-old-old-ol", "new-new-new-new-new-ne"];

const startOf = (
  offset: number | undefined,
  startFrom: StartFrom,
  { metadata = "g1:1.1", ...more }: Partial<PartitionLog> & { metadata?: string } = {},
) => {
  const committed = { ...topicPartition, offset, metadata };
  const log = { range, committed, isRetryTopic: false, topicId: newId, hasCommits: offset !== undefined, ...more };
  return planStartOffset(log, startFrom);
};

/** The offset, or the refusal, with why. */
const shortly = (start: StartOffset | string): string =>
  typeof start === "string" ? start : [start.offset, start.cause].filter((part) => part !== undefined).join(" ");

const retryTopic = { isRetryTopic: true };
const grown = { hasCommits: true };
const foreign = { metadata: `g1:1.1${encodeTopicId(oldId)}` };
const same = { metadata: `g1:1.1${encodeTopicId(newId)}` };
const knewOther = { knownLog: { topicId: oldId, position: 150, isTruncated: false } };
const cutOff = { knownLog: { topicId: newId, position: 190, isTruncated: true } };
const unnamed = { topicId: undefined };

describe("planStartOffset", () => {
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
    ["a new group's retry topic", undefined, retryTopic, "latest", "100"],
    ["a new group's retry topic", undefined, retryTopic, "fail", "100"],
    ["a retry topic's commit", 150, retryTopic, "latest", "150"],
    ["a retry topic's commit before the log", 99, retryTopic, "latest", "100 removed"],
    ["a retry topic's commit before the log", 99, retryTopic, "fail", "100 removed"],
    ["a retry topic's commit of a topic that is gone", 150, { ...retryTopic, ...foreign }, "latest", "100 made_anew"],
    ["a retry topic's commit of a topic that is gone", 150, { ...retryTopic, ...foreign }, "fail", "100 made_anew"],
  ])("starts with %s at %s (%j, START_FROM %s) from %s", (_, offset, log, startFrom, expected) => {
    expect(shortly(startOf(offset, startFrom, log))).toBe(expected);
  });

  it("keeps the metadata of a valid commit, and the completed offsets behind those that retention removed", () => {
    expect(startOf(150, "earliest")).toEqual({ offset: 150, metadata: "g1:1.1", endOffset: 200, topicId: newId });
    const metadata = encodeCompleted(90, [95, 100, 102, 103]);
    expect(startOf(90, "earliest", { metadata })).toMatchObject({ metadata: encodeCompleted(100, [100, 102, 103]) });
    expect(startOf(90, "latest", { metadata })).toMatchObject({ metadata: null });
    expect(startOf(150, "earliest", foreign)).toMatchObject({ metadata: null });
  });
});

describe("readStartOffsets", () => {
  const ownedPartitions = [
    createOwnedPartition({ topic: "source", partition: 0 }, undefined),
    createOwnedPartition({ topic: "tier", partition: 0 }, 0),
  ];
  const optionsOf = (committed: CommittedOffset[], ranges: LogRange[], startFrom: StartFrom = "earliest") => {
    const asked: unknown[] = [];
    const ids: string[] = [newId];
    const admin: StartOffsetsOptions["admin"] = {
      topicStates: async (topics) =>
        topics.map((topic) => ({
          topic,
          error: undefined,
          id: ids.at(-1),
          operations: undefined,
          partitions: 1,
          replicationFactor: 1,
        })),
      committedOffsets: async (groupId, topics) => {
        asked.push([groupId, topics]);
        return committed;
      },
      logRanges: async () => ranges,
    };
    const knownLogs = new KnownLogs();
    return { options: { admin, groupId: "g", startFrom, knownLogs }, asked, ids };
  };
  const ranges = ownedPartitions.map(({ topic, partition }) => ({
    topic,
    partition,
    beginningOffset: 5,
    endOffset: 9,
  }));

  it("asks once for all topics, and returns the start offset of each partition", async () => {
    const none = { topic: "source", partition: 0, offset: undefined, metadata: null };
    const { options, asked } = optionsOf([none, { topic: "tier", partition: 0, offset: 7, metadata: "" }], ranges);
    expect(await readStartOffsets(ownedPartitions, options)).toEqual({
      byPartition: new Map([
        ["source/0", { offset: 5, metadata: null, endOffset: 9, topicId: newId }],
        ["tier/0", { offset: 7, metadata: "", endOffset: 9, topicId: newId }],
      ]),
      resets: [],
    });
    expect(asked).toEqual([["g", ["source", "tier"]]]);
  });

  it("reports each partition whose log was replaced, with the old and the new offset", async () => {
    const { options } = optionsOf(
      ownedPartitions.map(({ topic }) => ({ topic, partition: 0, offset: 40, metadata: null })),
      ranges,
      "latest",
    );
    await expect(readStartOffsets(ownedPartitions, options)).rejects.toThrow(/seem to have been replaced/);
    const { byPartition, resets } = await readStartOffsets(ownedPartitions, options);
    expect(byPartition.get("source/0")).toMatchObject({ offset: 9 });
    expect(resets).toEqual([
      { topic: "source", partition: 0, cause: "truncated", oldOffset: 40, newOffset: 9 },
      { topic: "tier", partition: 0, cause: "truncated", oldOffset: 40, newOffset: 5 },
    ]);
  });

  it("believes that a topic was recreated if two answers in a row have the same new id: a broker may lag behind the others", async () => {
    const metadata = encodeTopicId(oldId);
    const { options, ids } = optionsOf(
      ownedPartitions.map(({ topic }) => ({ topic, partition: 0, offset: 7, metadata })),
      ranges,
    );
    const doubt = /seem to have been replaced; asking Kafka once more: source\/0 \(made_anew\), tier\/0/;
    await expect(readStartOffsets(ownedPartitions, options)).rejects.toThrow(doubt);
    ids.push(oldId);
    const { byPartition, resets } = await readStartOffsets(ownedPartitions, options);
    expect([byPartition.get("source/0")?.offset, resets]).toEqual([7, []]);
    ids.push(newId);
    await expect(readStartOffsets(ownedPartitions, options)).rejects.toThrow(doubt);
    expect((await readStartOffsets(ownedPartitions, options)).byPartition.get("source/0")).toMatchObject({
      offset: 5,
      cause: "made_anew",
    });
  });

  it("believes that a log was truncated if two answers in a row say so, or if this member has seen it", async () => {
    const source = { topic: "source", partition: 0 };
    const [whole, short] = [
      { ...source, beginningOffset: 5, endOffset: 20 },
      { ...source, beginningOffset: 5, endOffset: 9 },
    ];
    const answers = [short, whole, short, short, whole, short];
    const { options } = optionsOf([{ ...source, offset: 12, metadata: null }], []);
    const admin = { ...options.admin, logRanges: async () => answers.splice(0, 1) };
    const read = async () =>
      (await readStartOffsets(ownedPartitions.slice(0, 1), { ...options, admin })).byPartition.get("source/0");
    await expect(read()).rejects.toThrow(/seem to have been replaced/);
    expect(await read()).toMatchObject({ offset: 12 });
    await expect(read()).rejects.toThrow(/seem to have been replaced/);
    expect(await read()).toMatchObject({ offset: 5, cause: "truncated" });
    expect(await read()).toMatchObject({ offset: 12 });
    options.knownLogs.recordReplaced([
      { ...createOwnedPartition(source, undefined), suspectedReset: "truncated", topicId: newId, startOffset: 12 },
    ]);
    expect(await read()).toMatchObject({ offset: 5, cause: "truncated" });
  });

  it("names every partition whose committed offset is outside the log if START_FROM is fail", async () => {
    const more = createOwnedPartition({ topic: "source", partition: 1 }, undefined);
    const outside = [0, 1].map((partition) => ({ topic: "source", partition, offset: 2, metadata: null }));
    const { options } = optionsOf(
      [...outside, { topic: "tier", partition: 0, offset: 7, metadata: null }],
      [...ranges, { topic: "source", partition: 1, beginningOffset: 5, endOffset: 9 }],
      "fail",
    );
    const reading = readStartOffsets([...ownedPartitions, more], options);
    await expect(reading).rejects.toThrow(StartRefusedError);
    await expect(reading).rejects.toThrow(/source\/0 \(committed 2, log 5 to 9\), source\/1 .*START_FROM/);
  });

  it("refuses a new group if START_FROM is fail, and names the partitions without a committed offset", async () => {
    const { options } = optionsOf(
      ownedPartitions.map(({ topic }) => ({ topic, partition: 0, offset: undefined, metadata: null })),
      ranges,
      "fail",
    );
    await expect(readStartOffsets(ownedPartitions, options)).rejects.toThrow(
      "The group has no committed offset for source/0, and START_FROM is fail: set START_FROM to earliest or latest for the first start",
    );
  });

  it.each([
    ["the committed offsets", [], ranges],
    [
      "the log ranges",
      ownedPartitions.map(({ topic }) => ({ topic, partition: 0, offset: 7, metadata: "" })),
      ranges.slice(1),
    ],
  ])("rejects an answer that lacks a partition: %s", async (_, committed, known) => {
    await expect(readStartOffsets(ownedPartitions, optionsOf(committed, known).options)).rejects.toThrow(
      "Kafka's answer does not contain partition source/0",
    );
  });

  it("accepts an empty assignment", async () => {
    const { options } = optionsOf([], []);
    expect(await readStartOffsets([], options)).toEqual({ byPartition: new Map(), resets: [] });
  });
});
