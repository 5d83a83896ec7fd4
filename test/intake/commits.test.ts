import { describe, expect, it } from "vitest";

import { Commits } from "../../src/intake/commits.ts";
import { decodeFinished } from "../../src/offsets/completed-map.ts";
import { Tracker } from "../../src/offsets/tracker.ts";
import { Chains } from "../../src/ordering/retry-backlog.ts";
import type { Inlet } from "../../src/pipeline/work-item.ts";

const inletAt = (partition: number, start: number): Inlet => ({
  topic: "source",
  partition,
  tier: undefined,
  tracker: new Tracker({ start }),
  chains: new Chains([]),
});

const finish = ({ tracker }: Inlet, ...offsets: number[]): void => {
  for (const offset of offsets) {
    const slot = tracker.see(offset);
    if (slot) tracker.finish(slot);
  }
};

type Sent = readonly { topic: string; partition: number; offset: number; metadata: string }[];

/** A consumer whose commits are answered by hand: confirmed, unconfirmed, or an error. */
const createTestCommits = (...inlets: Inlet[]) => {
  const sent: { list: Sent; answer: (isConfirmed: boolean | Error) => void }[] = [];
  const errors: unknown[] = [];
  const shortened: number[] = [];
  const commits = new Commits({
    consumer: {
      commit: (list) =>
        new Promise((resolve, reject) => {
          const answer = (given: boolean | Error) => (given instanceof Error ? reject(given) : resolve(given));
          sent.push({ list, answer });
        }),
    },
    inlets: () => inlets,
    onError: (error) => void errors.push(error),
    onShortened: (chars) => void shortened.push(chars),
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
  it("commit the mark of every partition that has moved, with what is finished beyond it", async () => {
    const inlets = [inletAt(0, 10), inletAt(1, 50)];
    const [first, second] = inlets;
    if (!first || !second) throw new Error("No inlets");
    finish(first, 10, 11);
    second.tracker.see(50);
    finish(second, 51);
    const { commits, sent } = createTestCommits(...inlets);
    const run = commits.run();
    sent[0]?.answer(true);
    await run;
    expect(sent[0]?.list).toEqual([
      { topic: "source", partition: 0, offset: 12, metadata: "" },
      { topic: "source", partition: 1, offset: 50, metadata: expect.stringMatching(/^g1:/) as string },
    ]);
  });

  it("do not ask the broker again where nothing has moved since it confirmed", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, offsets } = createTestCommits(inlet);
    const run = commits.run();
    sent[0]?.answer(true);
    await run;
    await commits.run();
    expect(offsets()).toEqual([[11]]);
    finish(inlet, 11);
    void commits.run();
    expect(offsets()).toEqual([[11], [12]]);
  });

  it("keep what was not confirmed pending", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, offsets, errors } = createTestCommits(inlet);
    const run = commits.run();
    sent[0]?.answer(false);
    await run;
    void commits.run();
    expect(offsets()).toEqual([[11], [11]]);
    expect(errors).toEqual([]);
  });

  it("drop a commit that failed, tell of it, and compute the next one anew", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, offsets, errors } = createTestCommits(inlet);
    const run = commits.run();
    const error = new Error("The coordinator is loading");
    sent[0]?.answer(error);
    await run;
    expect(errors).toEqual([error]);
    finish(inlet, 11);
    void commits.run();
    expect(offsets()).toEqual([[11], [12]]);
  });

  it("go with a shorter map if the broker takes none that long, at last with none, and remember what it takes", async () => {
    const inlet = inletAt(0, 0);
    const odd = Array.from({ length: 400 }, (_, index) => 2 * index + 1);
    const seen = new Map(Array.from({ length: 900 }, (_, offset) => [offset, inlet.tracker.see(offset)]));
    const finishSeen = (offset: number): void => {
      const slot = seen.get(offset);
      if (slot) inlet.tracker.finish(slot);
    };
    odd.forEach(finishSeen);
    const { commits, sent, errors, shortened } = createTestCommits(inlet);
    /** Answers as a broker that takes so many characters, until a commit is confirmed. */
    const answerAll = async (limit: number): Promise<string[]> => {
      const from = sent.length;
      const run = commits.run();
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
    const known = decodeFinished(0, last);
    expect([...known]).toEqual(odd.slice(0, known.size));
    finishSeen(850);
    finishSeen(0);
    expect(await answerAll(100)).toHaveLength(1);
    expect(shortened).toHaveLength(1);
    finishSeen(2);
    expect((await answerAll(0)).at(-1)).toBe("");
    expect(shortened.at(-1)).toBeLessThan("g1:1.1".length);
    expect(commits.isAllCommitted).toBe(true);
    expect(errors).toEqual([]);
  });

  it("tell of the error if the broker refuses even a commit without metadata", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, errors } = createTestCommits(inlet);
    const run = commits.run();
    const error = tooLong();
    sent[0]?.answer(error);
    await run;
    expect(errors).toEqual([error]);
  });

  it("have one commit in flight at a time", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, offsets } = createTestCommits(inlet);
    const runs = [commits.run(), commits.run(), commits.run()];
    expect(offsets()).toEqual([[11]]);
    finish(inlet, 11);
    sent[0]?.answer(true);
    await Promise.all(runs);
    expect(offsets()).toEqual([[11]]);
  });

  it("flush what is finished at that moment, after the commit under way", async () => {
    const inlet = inletAt(0, 10);
    finish(inlet, 10);
    const { commits, sent, offsets } = createTestCommits(inlet);
    void commits.run();
    finish(inlet, 11);
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

it("isAllCommitted says whether the broker has confirmed all that is finished", async () => {
  const inlet = inletAt(0, 5);
  finish(inlet, 5);
  const { commits, sent } = createTestCommits(inlet);
  expect(commits.isAllCommitted).toBe(false);
  const running = commits.run();
  sent[0]?.answer(false);
  await running;
  expect(commits.isAllCommitted).toBe(false);
  const again = commits.run();
  sent[1]?.answer(true);
  await again;
  expect(commits.isAllCommitted).toBe(true);
});

it("tells of a mistake as one only when it comes again and again: kafkajs makes one when a broker goes", async () => {
  const inlet = inletAt(0, 0);
  finish(inlet, 0);
  const { commits, sent, errors } = createTestCommits(inlet);
  const mistake = new TypeError("Cannot read properties of undefined");
  for (let tries = 0; tries < 5; tries++) {
    const run = commits.run();
    sent.at(-1)?.answer(mistake);
    await run;
  }
  expect(errors.slice(0, 4).map((error) => error instanceof TypeError)).toEqual([false, false, false, false]);
  expect(errors[4]).toBe(mistake);
});

it("takes a member that has finished nothing yet for committed, though no commit was confirmed", () => {
  const inlet = inletAt(0, 5);
  const { commits } = createTestCommits(inlet);
  expect(commits.isAllCommitted).toBe(true);
  finish(inlet, 5);
  expect(commits.isAllCommitted).toBe(false);
});
