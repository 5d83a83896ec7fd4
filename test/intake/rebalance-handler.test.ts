import { describe, expect, it } from "vitest";

import { KnownLogs } from "../../src/intake/known-logs.ts";
import { createOwnedPartition } from "../../src/intake/owned-partition.ts";
import { RebalanceHandler, type RebalanceState } from "../../src/intake/rebalance-handler.ts";
import type { StartOffsetsOptions } from "../../src/intake/start-offsets.ts";

const topicPartition = { topic: "source", partition: 0 };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

const topicState = { error: undefined, id: undefined, operations: undefined, partitions: 1, replicationFactor: 1 };

type LogRanges = StartOffsetsOptions["admin"]["logRanges"];

const logRangesOf: LogRanges = async (topics) =>
  topics.map((topic) => ({ topic, partition: 0, beginningOffset: 0, endOffset: 199 }));

/** A member whose work, commits and pauses end when the test says so. */
const createTestHandler = (
  change: { logRanges?: LogRanges; startFrom?: StartOffsetsOptions["startFrom"]; restore?: () => void } = {},
) => {
  const log: string[] = [];
  const states: RebalanceState[] = [];
  const fatal: Error[] = [];
  const idle: (() => void)[] = [];
  const flushed: (() => void)[] = [];
  const pauses: { ms: number; end: () => void }[] = [];
  const wait = (list: (() => void)[]): Promise<void> =>
    new Promise((resolve) => {
      list.push(resolve);
    });
  let ownedPartitions: readonly ReturnType<typeof createOwnedPartition>[] = [];
  const handler = new RebalanceHandler({
    ingest: {
      get ownedPartitions() {
        return ownedPartitions;
      },
      assign: (assigned) => {
        ownedPartitions = assigned.map((entry) => createOwnedPartition(entry, undefined));
        log.push(`assign ${assigned.length}`);
      },
      pauseAll: () => undefined,
      open: (startOffsets) => {
        change.restore?.();
        log.push(`restore ${[...startOffsets.keys()].join()}`);
      },
    },
    scheduler: {
      drain: () => {
        log.push("stop");
        return wait(idle);
      },
      dropAssignment: () => void log.push("drop"),
    },
    commits: {
      flush: () => {
        log.push("flush");
        return wait(flushed);
      },
    },
    startOffsets: {
      admin: {
        committedOffsets: async () =>
          [0, 7].map((partition) => ({ topic: "source", partition, offset: 99, metadata: null })),
        logRanges: change.logRanges ?? logRangesOf,
        topicStates: async (topics) => topics.map((topic) => ({ ...topicState, topic })),
      },
      groupId: "g",
      startFrom: change.startFrom ?? "earliest",
      knownLogs: new KnownLogs(),
    },
    onLogReset: (reset) => void log.push(`reset ${reset.cause}`),
    drainTimeoutMs: { join: 12_000, leave: 12_000 },
    pause: (ms) =>
      new Promise((resolve) => {
        pauses.push({ ms, end: resolve });
      }),
    abortCalls: () => void log.push("abort"),
    onState: (state) => void states.push(state),
    onFatal: (error) => void fatal.push(error),
  });
  const endPause = async (ms: number): Promise<void> => {
    for (const pause of pauses.filter((each) => each.ms === ms)) pause.end();
    await settle();
  };
  const end = async (list: (() => void)[]): Promise<void> => {
    for (const resolve of list.splice(0)) resolve();
    await settle();
  };
  /** Joined, restored and at work. */
  const becomeOwner = async (): Promise<void> => {
    handler.onJoined([topicPartition]);
    await settle();
    log.length = 0;
  };
  const track = async (promise: Promise<void>): Promise<{ isDone: boolean }> => {
    const tracked = { isDone: false };
    void promise.then(() => {
      tracked.isDone = true;
    });
    await settle();
    return tracked;
  };
  return {
    handler,
    log,
    states,
    fatal,
    pauses,
    becomeOwner,
    track,
    endPause,
    ownedPartitions: () => ownedPartitions,
    becomeIdle: () => end(idle),
    endFlush: () => end(flushed),
  };
};

describe("rebalance handler", () => {
  it("handles an assignment: pauses it at once, asks for its start offsets, and becomes owner", async () => {
    const { handler, log, states } = createTestHandler();
    handler.onJoined([topicPartition]);
    expect(log).toEqual(["drop", "assign 1"]);
    expect(handler.state).toBe("restoring");
    await settle();
    expect(log).toEqual(["drop", "assign 1", "restore source/0"]);
    expect(states).toEqual(["restoring", "owner"]);
  });

  it("drains and commits its work before it lets a join continue", async () => {
    const { handler, log, becomeOwner, track, becomeIdle, endFlush } = createTestHandler();
    await becomeOwner();
    const joining = await track(handler.beforeJoin());
    expect(handler.state).toBe("joining");
    expect(log).toEqual(["stop"]);
    await becomeIdle();
    expect(log).toEqual(["stop", "flush"]);
    expect(joining.isDone).toBe(false);
    await endFlush();
    expect(log).toEqual(["stop", "flush", "drop"]);
    expect(joining.isDone).toBe(true);
  });

  it("aborts calls that do not end within the drain timeout, and commits what is completed", async () => {
    const { handler, log, becomeOwner, track, becomeIdle, endPause, endFlush } = createTestHandler();
    await becomeOwner();
    const joining = await track(handler.beforeJoin());
    await endPause(12_000);
    expect(log).toEqual(["stop", "abort"]);
    await becomeIdle();
    expect(log).toEqual(["stop", "abort", "flush"]);
    await endFlush();
    expect(joining.isDone).toBe(true);
  });

  it("does not wait forever for a commit, nor for work that even an abort does not end", async () => {
    const { handler, log, becomeOwner, track, endPause } = createTestHandler();
    await becomeOwner();
    const joining = await track(handler.beforeJoin());
    await endPause(12_000);
    await endPause(1_000);
    expect(log).toEqual(["stop", "abort", "flush"]);
    await endPause(5_000);
    expect(joining.isDone).toBe(true);
  });

  it("has nothing to hand over before its first join, nor while it reads the start offsets", async () => {
    const { handler, log, track } = createTestHandler();
    expect((await track(handler.beforeJoin())).isDone).toBe(true);
    handler.onJoined([topicPartition]);
    expect((await track(handler.beforeJoin())).isDone).toBe(true);
    expect(log).not.toContain("stop");
  });

  it("ignores an answer to an earlier join: the partitions are not the same", async () => {
    const asked: { answer: () => void }[] = [];
    const { handler, log } = createTestHandler({
      logRanges: (topics) =>
        new Promise((resolve) => {
          const [topic = ""] = topics;
          asked.push({
            answer: () =>
              resolve([0, 7].map((partition) => ({ topic, partition, beginningOffset: 0, endOffset: 199 }))),
          });
        }),
    });
    handler.onJoined([topicPartition]);
    await settle();
    handler.onJoined([{ topic: "source", partition: 7 }]);
    await settle();
    asked[0]?.answer();
    await settle();
    expect(log.filter((line) => line.startsWith("restore"))).toEqual([]);
    expect(handler.state).toBe("restoring");
    asked[1]?.answer();
    await settle();
    expect(log.at(-1)).toBe("restore source/7");
  });

  it("ignores an answer that comes while the group is joining again", async () => {
    const answered = Promise.withResolvers<void>();
    const { handler, log } = createTestHandler({
      logRanges: async (topics) => {
        await answered.promise;
        return logRangesOf(topics);
      },
    });
    handler.onJoined([topicPartition]);
    await handler.beforeJoin();
    answered.resolve();
    await settle();
    expect(log.some((line) => line.startsWith("restore"))).toBe(false);
    expect(handler.state).toBe("joining");
  });

  const removedRanges: LogRanges = async (topics) =>
    topics.map((topic) => ({ topic, partition: 0, beginningOffset: 150, endOffset: 199 }));

  it.each<[string, LogRanges, StartOffsetsOptions["startFrom"]]>([
    ["no reset", removedRanges, "earliest"],
    ["no refusal", removedRanges, "fail"],
    ["no trouble", () => Promise.reject(new Error("No leader")), "earliest"],
  ])("reports %s of an answer to an earlier join", async (_, logRanges, startFrom) => {
    const answered = Promise.withResolvers<void>();
    const { handler, log, fatal, states } = createTestHandler({
      startFrom,
      logRanges: async (topics) => {
        await answered.promise;
        return logRanges(topics);
      },
    });
    handler.onJoined([topicPartition]);
    await handler.beforeJoin();
    answered.resolve();
    await settle();
    expect([log, fatal, states.at(-1)]).toEqual([["drop", "assign 1", "drop"], [], "joining"]);
  });

  it("reports a log reset once the new start offset is certain", async () => {
    const { handler, log } = createTestHandler({ logRanges: removedRanges });
    handler.onJoined([topicPartition]);
    await settle();
    expect(log).toEqual(["drop", "assign 1", "reset removed", "restore source/0"]);
  });

  it("asks again after a pause if the cluster does not answer, and reports it once", async () => {
    let failures = 2;
    const { handler, log, states, pauses, endPause } = createTestHandler({
      logRanges: (topics) => (failures-- > 0 ? Promise.reject(new Error("No leader")) : logRangesOf(topics)),
    });
    handler.onJoined([topicPartition]);
    await settle();
    expect(pauses.map(({ ms }) => ms)).toEqual([1_000]);
    await endPause(1_000);
    await endPause(1_000);
    expect(log.at(-1)).toBe("restore source/0");
    expect(states).toEqual(["restoring", "restoring", "owner"]);
  });

  it("ends the process if the committed offset is out of range and START_FROM is fail", async () => {
    const { handler, fatal, log } = createTestHandler({
      startFrom: "fail",
      logRanges: async (topics) =>
        topics.map((topic) => ({ topic, partition: 0, beginningOffset: 100, endOffset: 199 })),
    });
    handler.onJoined([topicPartition]);
    await settle();
    expect(fatal.map(({ message }) => message)).toEqual([expect.stringContaining("START_FROM is fail")]);
    expect(log.some((line) => line.startsWith("restore"))).toBe(false);
  });

  const bug = new TypeError("x is not a function");
  it.each<[string, Parameters<typeof createTestHandler>[0], Error]>([
    ["a mistake of ours in the question", { logRanges: () => Promise.reject(bug) }, bug],
    [
      "any error where the partitions are taken up",
      {
        restore: () => {
          throw new Error("No such partition");
        },
      },
      new Error("No such partition"),
    ],
  ])("ends the process by %s, and does not ask again", async (_, change, error) => {
    const { handler, fatal, pauses } = createTestHandler(change);
    handler.onJoined([topicPartition]);
    await settle();
    expect(fatal).toEqual([error]);
    expect(pauses).toEqual([]);
    expect(handler.state).toBe("restoring");
  });

  it("leaves: drains, commits, drops the assignment, and accepts no other", async () => {
    const { handler, log, becomeOwner, track, becomeIdle, endFlush } = createTestHandler();
    await becomeOwner();
    const leaving = await track(handler.leave());
    await becomeIdle();
    await endFlush();
    expect(leaving.isDone).toBe(true);
    expect(log).toEqual(["stop", "flush", "drop"]);
    handler.onJoined([topicPartition]);
    await settle();
    expect(handler.state).toBe("leaving");
    expect(log).toEqual(["stop", "flush", "drop", "drop", "assign 1"]);
  });

  it.each(["a join while it is leaving", "leaving while it joins"])(
    "waits for one and the same hand-over: %s drops nothing that is still in progress",
    async (order) => {
      const { handler, log, becomeOwner, track, becomeIdle, endFlush } = createTestHandler();
      await becomeOwner();
      const isLeavingFirst = order.startsWith("a join");
      const first = await track(isLeavingFirst ? handler.leave() : handler.beforeJoin());
      const second = await track(isLeavingFirst ? handler.beforeJoin() : handler.leave());
      expect(log).toEqual(["stop"]);
      await becomeIdle();
      expect(log).toEqual(["stop", "flush"]);
      await endFlush();
      expect([first.isDone, second.isDone]).toEqual([true, true]);
      expect(log).toEqual(["stop", "flush", "drop", "drop"]);
      expect(handler.state).toBe("leaving");
    },
  );

  it("restarts the assignment if a log was replaced: drains as before a join, and asks for start offsets again", async () => {
    const { handler, log, states, becomeOwner, becomeIdle, endFlush, ownedPartitions } = createTestHandler();
    await becomeOwner();
    const restarting = handler.restartAssignment(ownedPartitions());
    await becomeIdle();
    await endFlush();
    await restarting;
    expect(log).toEqual(["stop", "flush", "drop", "drop", "assign 1", "restore source/0"]);
    expect(states.slice(2)).toEqual(["restoring", "restoring", "owner"]);
  });

  it("leaves the restart to a join that comes meanwhile, and does nothing without an active assignment", async () => {
    const { handler, log, becomeOwner, becomeIdle, endFlush, ownedPartitions } = createTestHandler();
    await handler.restartAssignment(ownedPartitions());
    expect(log).toEqual([]);
    await becomeOwner();
    const restarting = handler.restartAssignment(ownedPartitions());
    const joining = handler.beforeJoin();
    await becomeIdle();
    await endFlush();
    await Promise.all([restarting, joining]);
    expect([handler.state, log]).toEqual(["joining", ["stop", "flush", "drop", "drop"]]);
    const leaving = handler.leave();
    await leaving;
    await handler.restartAssignment(ownedPartitions());
    expect(handler.state).toBe("leaving");
  });
});
