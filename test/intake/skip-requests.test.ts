import { describe, expect, it } from "vitest";

import { allowSkip, skipCommand } from "../../src/intake/skip-requests.ts";

const id = "A".repeat(22);
const skip = { topic: "events", partition: 3, toOffset: 20 };

/** A cluster with a topic of four partitions, each with the offsets 5 to 29. */
const createCluster = (error?: string) => {
  const commits: unknown[] = [];
  return {
    commits,
    topics: async ([topic = ""]: readonly string[]) => [
      { topic, error, id, operations: undefined, partitions: 4, replication: 1 },
    ],
    ranges: async ([topic = ""]: readonly string[]) =>
      [0, 1, 2, 3].map((partition) => ({ topic, partition, low: 5, high: 30 })),
    commit: async (...commit: unknown[]) => void commits.push(commit),
  };
};

describe("allowSkip()", () => {
  it("leaves the word, with the topic's id, where the members look for it", async () => {
    const cluster = createCluster();
    await allowSkip(cluster, "group", skip);
    const commit = { topic: "events", partition: 3, offset: 20, metadata: `;@${id}` };
    expect(cluster.commits).toEqual([["group-skips", commit]]);
  });

  it("leaves the word without the topic's id where the cluster takes no metadata", async () => {
    const { commits, ...cluster } = createCluster();
    const commit = async (group: string, what: { readonly metadata: string }): Promise<void> => {
      if (what.metadata !== "") throw Object.assign(new Error("No"), { type: "OFFSET_METADATA_TOO_LARGE" });
      commits.push([group, what]);
    };
    await allowSkip({ ...cluster, commit }, "group", skip);
    expect(commits).toEqual([["group-skips", { topic: "events", partition: 3, offset: 20, metadata: "" }]]);
  });

  it.each([
    [{ ...skip, partition: 4 }, undefined, "there is no such partition, or it has no leader"],
    [{ ...skip, toOffset: 31 }, undefined, "want more than 5 and at most 30"],
    [{ ...skip, toOffset: 5 }, undefined, "want more than 5 and at most 30"],
    [skip, "UNKNOWN_TOPIC_OR_PARTITION", "Kafka says UNKNOWN_TOPIC_OR_PARTITION of the topic"],
  ])("refuses what there is not, with a sentence: %j %s", async (wrong, error, sentence) => {
    const cluster = createCluster(error);
    const { toOffset, partition } = wrong;
    const words = `Cannot skip to offset ${toOffset} of partition ${partition} of topic events: ${sentence}`;
    await expect(allowSkip(cluster, "group", wrong)).rejects.toThrow(words);
    expect(cluster.commits).toEqual([]);
  });
});

it("skipCommand() is what an operator types", () => {
  expect(skipCommand(skip)).toBe("gainstream skip --topic events --partition 3 --to-offset 20");
});
