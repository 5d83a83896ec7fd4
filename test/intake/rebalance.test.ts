import { describe, expect, it } from "vitest";

import { KnownLogs } from "../../src/intake/known-logs.ts";
import { createFeed } from "../../src/intake/owned-partition.ts";
import { Membership, type MembershipState } from "../../src/intake/rebalance.ts";
import type { StartsOptions } from "../../src/intake/start-offsets.ts";

const place = { topic: "source", partition: 0 };

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

const topicState = { error: undefined, id: undefined, operations: undefined, partitions: 1, replication: 1 };

type Ranges = StartsOptions["admin"]["ranges"];

const rangesOf: Ranges = async (topics) => topics.map((topic) => ({ topic, partition: 0, low: 0, high: 199 }));

/** A member whose work, commits and pauses end when the test says so. */
const createTestMembership = (
  change: { ranges?: Ranges; startFrom?: StartsOptions["startFrom"]; restore?: () => void } = {},
) => {
  const log: string[] = [];
  const states: MembershipState[] = [];
  const fatal: Error[] = [];
  const idle: (() => void)[] = [];
  const flushed: (() => void)[] = [];
  const pauses: { ms: number; end: () => void }[] = [];
  const wait = (list: (() => void)[]): Promise<void> =>
    new Promise((resolve) => {
      list.push(resolve);
    });
  let feeds: readonly ReturnType<typeof createFeed>[] = [];
  const membership = new Membership({
    intake: {
      get feeds() {
        return feeds;
      },
      assign: (owned) => {
        feeds = owned.map((entry) => createFeed(entry, undefined));
        log.push(`assign ${owned.length}`);
      },
      stop: () => undefined,
      restore: (starts) => {
        change.restore?.();
        log.push(`restore ${[...starts.keys()].join()}`);
      },
    },
    stream: {
      stop: () => {
        log.push("stop");
        return wait(idle);
      },
      drop: () => void log.push("drop"),
    },
    commits: {
      flush: () => {
        log.push("flush");
        return wait(flushed);
      },
    },
    starts: {
      admin: {
        committed: async () => [0, 7].map((partition) => ({ topic: "source", partition, offset: 99, metadata: null })),
        ranges: change.ranges ?? rangesOf,
        topics: async (topics) => topics.map((topic) => ({ ...topicState, topic })),
      },
      groupId: "g",
      startFrom: change.startFrom ?? "earliest",
      known: new KnownLogs(),
    },
    onReset: (reset) => void log.push(`reset ${reset.cause}`),
    drainLimitMs: { join: 12_000, leave: 12_000 },
    pause: (ms) =>
      new Promise((resolve) => {
        pauses.push({ ms, end: resolve });
      }),
    abort: () => void log.push("abort"),
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
  const own = async (): Promise<void> => {
    membership.joined([place]);
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
    membership,
    log,
    states,
    fatal,
    pauses,
    own,
    track,
    endPause,
    feeds: () => feeds,
    becomeIdle: () => end(idle),
    endFlush: () => end(flushed),
  };
};

describe("membership", () => {
  it("takes up an assignment: pauses it at once, asks where to start, and is at work", async () => {
    const { membership, log, states } = createTestMembership();
    membership.joined([place]);
    expect(log).toEqual(["drop", "assign 1"]);
    expect(membership.state).toBe("restoring");
    await settle();
    expect(log).toEqual(["drop", "assign 1", "restore source/0"]);
    expect(states).toEqual(["restoring", "owner"]);
  });

  it("ends its work and commits it before it lets a join go on", async () => {
    const { membership, log, own, track, becomeIdle, endFlush } = createTestMembership();
    await own();
    const joining = await track(membership.beforeJoin());
    expect(membership.state).toBe("joining");
    expect(log).toEqual(["stop"]);
    await becomeIdle();
    expect(log).toEqual(["stop", "flush"]);
    expect(joining.isDone).toBe(false);
    await endFlush();
    expect(log).toEqual(["stop", "flush", "drop"]);
    expect(joining.isDone).toBe(true);
  });

  it("aborts calls that do not end within the drain limit, and commits what is finished", async () => {
    const { membership, log, own, track, becomeIdle, endPause, endFlush } = createTestMembership();
    await own();
    const joining = await track(membership.beforeJoin());
    await endPause(12_000);
    expect(log).toEqual(["stop", "abort"]);
    await becomeIdle();
    expect(log).toEqual(["stop", "abort", "flush"]);
    await endFlush();
    expect(joining.isDone).toBe(true);
  });

  it("does not wait for ever for a commit, nor for work that even an abort does not end", async () => {
    const { membership, log, own, track, endPause } = createTestMembership();
    await own();
    const joining = await track(membership.beforeJoin());
    await endPause(12_000);
    await endPause(1_000);
    expect(log).toEqual(["stop", "abort", "flush"]);
    await endPause(5_000);
    expect(joining.isDone).toBe(true);
  });

  it("has nothing to hand over before its first join, nor while it is being restored", async () => {
    const { membership, log, track } = createTestMembership();
    expect((await track(membership.beforeJoin())).isDone).toBe(true);
    membership.joined([place]);
    expect((await track(membership.beforeJoin())).isDone).toBe(true);
    expect(log).not.toContain("stop");
  });

  it("ignores an answer to an earlier join: the partitions are not the same", async () => {
    const asked: { answer: () => void }[] = [];
    const { membership, log } = createTestMembership({
      ranges: (topics) =>
        new Promise((resolve) => {
          const [topic = ""] = topics;
          asked.push({ answer: () => resolve([0, 7].map((partition) => ({ topic, partition, low: 0, high: 199 }))) });
        }),
    });
    membership.joined([place]);
    await settle();
    membership.joined([{ topic: "source", partition: 7 }]);
    await settle();
    asked[0]?.answer();
    await settle();
    expect(log.filter((line) => line.startsWith("restore"))).toEqual([]);
    expect(membership.state).toBe("restoring");
    asked[1]?.answer();
    await settle();
    expect(log.at(-1)).toBe("restore source/7");
  });

  it("ignores an answer that comes while the group is joining again", async () => {
    const answered = Promise.withResolvers<void>();
    const { membership, log } = createTestMembership({
      ranges: async (topics) => {
        await answered.promise;
        return rangesOf(topics);
      },
    });
    membership.joined([place]);
    await membership.beforeJoin();
    answered.resolve();
    await settle();
    expect(log.some((line) => line.startsWith("restore"))).toBe(false);
    expect(membership.state).toBe("joining");
  });

  const removedRanges: Ranges = async (topics) => topics.map((topic) => ({ topic, partition: 0, low: 150, high: 199 }));

  it.each<[string, Ranges, StartsOptions["startFrom"]]>([
    ["no reset", removedRanges, "earliest"],
    ["no refusal", removedRanges, "fail"],
    ["no trouble", () => Promise.reject(new Error("No leader")), "earliest"],
  ])("tells %s that an earlier join was answered", async (_, ranges, startFrom) => {
    const answered = Promise.withResolvers<void>();
    const { membership, log, fatal, states } = createTestMembership({
      startFrom,
      ranges: async (topics) => {
        await answered.promise;
        return ranges(topics);
      },
    });
    membership.joined([place]);
    await membership.beforeJoin();
    answered.resolve();
    await settle();
    expect([log, fatal, states.at(-1)]).toEqual([["drop", "assign 1", "drop"], [], "joining"]);
  });

  it("tells that it does not go on where it was, once it is sure to begin elsewhere", async () => {
    const { membership, log } = createTestMembership({ ranges: removedRanges });
    membership.joined([place]);
    await settle();
    expect(log).toEqual(["drop", "assign 1", "reset removed", "restore source/0"]);
  });

  it("asks again after a pause where the cluster does not answer, and says so once", async () => {
    let failures = 2;
    const { membership, log, states, pauses, endPause } = createTestMembership({
      ranges: (topics) => (failures-- > 0 ? Promise.reject(new Error("No leader")) : rangesOf(topics)),
    });
    membership.joined([place]);
    await settle();
    expect(pauses.map(({ ms }) => ms)).toEqual([1_000]);
    await endPause(1_000);
    await endPause(1_000);
    expect(log.at(-1)).toBe("restore source/0");
    expect(states).toEqual(["restoring", "restoring", "owner"]);
  });

  it("ends the process where the commit is out of range and the operator wants to be asked", async () => {
    const { membership, fatal, log } = createTestMembership({
      startFrom: "fail",
      ranges: async (topics) => topics.map((topic) => ({ topic, partition: 0, low: 100, high: 199 })),
    });
    membership.joined([place]);
    await settle();
    expect(fatal.map(({ message }) => message)).toEqual([expect.stringContaining("START_FROM is fail")]);
    expect(log.some((line) => line.startsWith("restore"))).toBe(false);
  });

  const bug = new TypeError("x is not a function");
  it.each<[string, Parameters<typeof createTestMembership>[0], Error]>([
    ["a mistake of ours in the question", { ranges: () => Promise.reject(bug) }, bug],
    [
      "any error where the partitions are taken up",
      {
        restore: () => {
          throw new Error("No such feed");
        },
      },
      new Error("No such feed"),
    ],
  ])("ends the process by %s, and does not ask again", async (_, change, error) => {
    const { membership, fatal, pauses } = createTestMembership(change);
    membership.joined([place]);
    await settle();
    expect(fatal).toEqual([error]);
    expect(pauses).toEqual([]);
    expect(membership.state).toBe("restoring");
  });

  it("leaves: hands over, drops, and takes up nothing again", async () => {
    const { membership, log, own, track, becomeIdle, endFlush } = createTestMembership();
    await own();
    const leaving = await track(membership.leave());
    await becomeIdle();
    await endFlush();
    expect(leaving.isDone).toBe(true);
    expect(log).toEqual(["stop", "flush", "drop"]);
    membership.joined([place]);
    await settle();
    expect(membership.state).toBe("leaving");
    expect(log).toEqual(["stop", "flush", "drop", "drop", "assign 1"]);
  });

  it.each(["a join while it is leaving", "leaving while it joins"])(
    "waits for one and the same hand-over: %s drops nothing that is still in work",
    async (order) => {
      const { membership, log, own, track, becomeIdle, endFlush } = createTestMembership();
      await own();
      const isLeavingFirst = order.startsWith("a join");
      const first = await track(isLeavingFirst ? membership.leave() : membership.beforeJoin());
      const second = await track(isLeavingFirst ? membership.beforeJoin() : membership.leave());
      expect(log).toEqual(["stop"]);
      await becomeIdle();
      expect(log).toEqual(["stop", "flush"]);
      await endFlush();
      expect([first.isDone, second.isDone]).toEqual([true, true]);
      expect(log).toEqual(["stop", "flush", "drop", "drop"]);
      expect(membership.state).toBe("leaving");
    },
  );

  it("begins again where a log is another one: ends its work as before a join, and asks anew where to start", async () => {
    const { membership, log, states, own, becomeIdle, endFlush, feeds } = createTestMembership();
    await own();
    const again = membership.beginAgain(feeds());
    await becomeIdle();
    await endFlush();
    await again;
    expect(log).toEqual(["stop", "flush", "drop", "drop", "assign 1", "restore source/0"]);
    expect(states.slice(2)).toEqual(["restoring", "restoring", "owner"]);
  });

  it("leaves it to a join that comes meanwhile to begin again, and does nothing where no assignment is at work", async () => {
    const { membership, log, own, becomeIdle, endFlush, feeds } = createTestMembership();
    await membership.beginAgain(feeds());
    expect(log).toEqual([]);
    await own();
    const again = membership.beginAgain(feeds());
    const joining = membership.beforeJoin();
    await becomeIdle();
    await endFlush();
    await Promise.all([again, joining]);
    expect([membership.state, log]).toEqual(["joining", ["stop", "flush", "drop", "drop"]]);
    const leaving = membership.leave();
    await leaving;
    await membership.beginAgain(feeds());
    expect(membership.state).toBe("leaving");
  });
});
