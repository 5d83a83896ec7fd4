import { describe, expect, it } from "vitest";

import { requestSkip, skipCommand } from "../../src/intake/skip-requests.ts";

const id = "A".repeat(22);
const skip = { topic: "events", partition: 3, toOffset: 20 };

/** A cluster with a topic of four partitions, each with the offsets 5 to 29. */
const createCluster = (error?: string) => {
  const commits: unknown[] = [];
  return {
    commits,
    topicStates: async ([topic = ""]: readonly string[]) => [
      { topic, error, id, operations: undefined, partitions: 4, replicationFactor: 1 },
    ],
    logRanges: async ([topic = ""]: readonly string[]) =>
      [0, 1, 2, 3].map((partition) => ({ topic, partition, beginningOffset: 5, endOffset: 30 })),
    commitOffset: async (...commit: unknown[]) => void commits.push(commit),
  };
};

describe("requestSkip()", () => {
  it("commits the skip offset, with the topic's id, to the group that the members read", async () => {
    const cluster = createCluster();
    await requestSkip(cluster, "group", skip);
    const commit = { topic: "events", partition: 3, offset: 20, metadata: `;@${id}` };
    expect(cluster.commits).toEqual([["group-skips", commit]]);
  });

  it("commits the skip offset without the topic's id if the cluster accepts no metadata", async () => {
    const { commits, ...cluster } = createCluster();
    const commitOffset = async (group: string, what: { readonly metadata: string }): Promise<void> => {
      if (what.metadata !== "") throw Object.assign(new Error("No"), { type: "OFFSET_METADATA_TOO_LARGE" });
      commits.push([group, what]);
    };
    await requestSkip({ ...cluster, commitOffset }, "group", skip);
    expect(commits).toEqual([["group-skips", { topic: "events", partition: 3, offset: 20, metadata: "" }]]);
  });

  it.each([
    [{ ...skip, partition: 4 }, undefined, "the partition does not exist, or has no leader"],
    [{ ...skip, toOffset: 31 }, undefined, "want an offset from 6 to 30"],
    [{ ...skip, toOffset: 5 }, undefined, "want an offset from 6 to 30"],
    [skip, "UNKNOWN_TOPIC_OR_PARTITION", "Kafka answers UNKNOWN_TOPIC_OR_PARTITION for the topic"],
  ])("refuses offsets and partitions that do not exist, with a sentence: %j %s", async (wrong, error, sentence) => {
    const cluster = createCluster(error);
    const { toOffset, partition } = wrong;
    const words = `Cannot skip to offset ${toOffset} of partition ${partition} of topic events: ${sentence}`;
    await expect(requestSkip(cluster, "group", wrong)).rejects.toThrow(words);
    expect(cluster.commits).toEqual([]);
  });
});

it("skipCommand() returns the command that an operator types", () => {
  expect(skipCommand(skip)).toBe("gainstream skip --topic events --partition 3 --to-offset 20");
});
