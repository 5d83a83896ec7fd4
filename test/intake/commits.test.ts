import { describe, expect, it } from "vitest";

import { Commits } from "../../src/intake/commits.ts";
import { decodeCompleted } from "../../src/offsets/completed-map.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";
import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import type { OpenPartition } from "../../src/pipeline/work-item.ts";

const openPartitionAt = (partition: number, start: number): OpenPartition => ({
  topic: "source",
  partition,
  tier: undefined,
  tracker: new OffsetTracker({ startOffset: start }),
  backlog: new RetryBacklog([]),
});

const complete = ({ tracker }: OpenPartition, ...offsets: number[]): void => {
  for (const offset of offsets) {
    const entry = tracker.register(offset);
    if (entry) tracker.complete(entry);
  }
};

type Sent = readonly { topic: string; partition: number; offset: number; metadata: string }[];

/** A consumer whose commits are answered by hand: confirmed, unconfirmed, or an error. */
const createTestCommits = (...openPartitions: OpenPartition[]) => {
  const sent: { list: Sent; answer: (isConfirmed: boolean | Error) => void }[] = [];
  const errors: unknown[] = [];
  const shortened: number[] = [];
  const commits = new Commits({
    consumer: {
      commit: (list) =>
        new Promise((resolve, reject) => {
          const answer = (result: boolean | Error) => (result instanceof Error ? reject(result) : resolve(result));
          sent.push({ list, answer });
        }),
    },
    ownedPartitions: () => openPartitions,
    onError: (error) => void errors.push(error),
    onMetadataShortened: (chars) => void shortened.push(chars),
  });
  const offsets = (): number[][] => sent.map(({ list }) => list.map(({ offset }) => offset));
  return { commits, sent, errors, offsets, shortened };
};

const tooLong = (): Error => {
  const cause = Object.assign(new Error("The committing offset data size is not valid"), {
    type: "OFFSET_METADATA_TOO_LARGE",
  });
  return new Error(cause.message, { cause });
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe("commits", () => {
  it("commit the committable offset of every partition that has advanced, with the completed offsets beyond it", async () => {
    const openPartitions = [openPartitionAt(0, 10), openPartitionAt(1, 50)];
    const [first, second] = openPartitions;
    if (!first || !second) throw new Error("No partitions");
    complete(first, 10, 11);
    second.tracker.register(50);
    complete(second, 51);
    const { commits, sent } = createTestCommits(...openPartitions);
    const run = commits.commitNow();
    sent[0]?.answer(true);
    await run;
    expect(sent[0]?.list).toEqual([
      { topic: "source", partition: 0, offset: 12, metadata: "" },
      { topic: "source", partition: 1, offset: 50, metadata: expect.stringMatching(/^g1:/) as string },
    ]);
  });

  it("send nothing if no offset has advanced since the last confirmation", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, offsets } = createTestCommits(owned);
    const run = commits.commitNow();
    sent[0]?.answer(true);
    await run;
    await commits.commitNow();
    expect(offsets()).toEqual([[11]]);
    complete(owned, 11);
    void commits.commitNow();
    expect(offsets()).toEqual([[11], [12]]);
  });

  it("keep unconfirmed offsets pending", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, offsets, errors } = createTestCommits(owned);
    const run = commits.commitNow();
    sent[0]?.answer(false);
    await run;
    void commits.commitNow();
    expect(offsets()).toEqual([[11], [11]]);
    expect(errors).toEqual([]);
  });

  it("drop a commit that failed, report the error, and compute the next one from scratch", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, offsets, errors } = createTestCommits(owned);
    const run = commits.commitNow();
    const error = new Error("The coordinator is loading");
    sent[0]?.answer(error);
    await run;
    expect(errors).toEqual([error]);
    complete(owned, 11);
    void commits.commitNow();
    expect(offsets()).toEqual([[11], [12]]);
  });

  it("shorten the map if the broker rejects its length, down to none, and remember the accepted length", async () => {
    const owned = openPartitionAt(0, 0);
    const odd = Array.from({ length: 400 }, (_, index) => 2 * index + 1);
    const seen = new Map(Array.from({ length: 900 }, (_, offset) => [offset, owned.tracker.register(offset)]));
    const completeRegistered = (offset: number): void => {
      const entry = seen.get(offset);
      if (entry) owned.tracker.complete(entry);
    };
    odd.forEach(completeRegistered);
    const { commits, sent, errors, shortened } = createTestCommits(owned);
    /** Answers as a broker that accepts this many characters, until a commit is confirmed. */
    const answerAll = async (limit: number): Promise<string[]> => {
      const from = sent.length;
      const run = commits.commitNow();
      for (let index = from; index < sent.length; index++) {
        const isTaken = (sent[index]?.list[0]?.metadata.length ?? 0) <= limit;
        sent[index]?.answer(isTaken || tooLong());
        await settle();
      }
      await run;
      return sent.slice(from).map(({ list }) => list[0]?.metadata ?? "");
    };
    const first = await answerAll(100);
    expect(first.length).toBeGreaterThan(1);
    const [last = ""] = first.slice(-1);
    expect(last.length).toBeGreaterThan(20);
    const known = decodeCompleted(0, last);
    expect([...known]).toEqual(odd.slice(0, known.size));
    completeRegistered(850);
    completeRegistered(0);
    expect(await answerAll(100)).toHaveLength(1);
    expect(shortened).toHaveLength(1);
    completeRegistered(2);
    expect((await answerAll(0)).at(-1)).toBe("");
    expect(shortened.at(-1)).toBeLessThan("g1:1.1".length);
    expect(commits.isAllCommitted).toBe(true);
    expect(errors).toEqual([]);
  });

  it("report the error if the broker refuses even a commit without metadata", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, errors } = createTestCommits(owned);
    const run = commits.commitNow();
    const error = tooLong();
    sent[0]?.answer(error);
    await run;
    expect(errors).toEqual([error]);
  });

  it("have one commit in flight at a time", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, offsets } = createTestCommits(owned);
    const runs = [commits.commitNow(), commits.commitNow(), commits.commitNow()];
    expect(offsets()).toEqual([[11]]);
    complete(owned, 11);
    sent[0]?.answer(true);
    await Promise.all(runs);
    expect(offsets()).toEqual([[11]]);
  });

  it("flush what is completed at that moment, after the commit in flight", async () => {
    const owned = openPartitionAt(0, 10);
    complete(owned, 10);
    const { commits, sent, offsets } = createTestCommits(owned);
    void commits.commitNow();
    complete(owned, 11);
    let isFlushed = false;
    const flushing = commits.flush().then(() => {
      isFlushed = true;
    });
    await settle();
    expect(offsets()).toEqual([[11]]);
    sent[0]?.answer(true);
    await settle();
    expect(offsets()).toEqual([[11], [12]]);
    expect(isFlushed).toBe(false);
    sent[1]?.answer(true);
    await flushing;
  });
});

it("isAllCommitted says whether the broker has confirmed all completed records", async () => {
  const owned = openPartitionAt(0, 5);
  complete(owned, 5);
  const { commits, sent } = createTestCommits(owned);
  expect(commits.isAllCommitted).toBe(false);
  const running = commits.commitNow();
  sent[0]?.answer(false);
  await running;
  expect(commits.isAllCommitted).toBe(false);
  const again = commits.commitNow();
  sent[1]?.answer(true);
  await again;
  expect(commits.isAllCommitted).toBe(true);
});

it("reports a programming error as such only if it repeats: kafkajs throws one when a broker goes away", async () => {
  const owned = openPartitionAt(0, 0);
  complete(owned, 0);
  const { commits, sent, errors } = createTestCommits(owned);
  const mistake = new TypeError("Cannot read properties of undefined");
  for (let tries = 0; tries < 5; tries++) {
    const run = commits.commitNow();
    sent.at(-1)?.answer(mistake);
    await run;
  }
  expect(errors.slice(0, 4).map((error) => error instanceof TypeError)).toEqual([false, false, false, false]);
  expect(errors[4]).toBe(mistake);
});

it("a member that has completed nothing yet counts as committed, though no commit was confirmed", () => {
  const owned = openPartitionAt(0, 5);
  const { commits } = createTestCommits(owned);
  expect(commits.isAllCommitted).toBe(true);
  complete(owned, 5);
  expect(commits.isAllCommitted).toBe(false);
});
