import { describe, expect, it } from "vitest";

import { ConsumerWatchdog } from "../../../src/kafka/group/consumer-watchdog.ts";

const limitMs = 180_000;

/** A consumer that has joined, on a cluster of two brokers. The test decides which answers it gets in each second. */
const createWorld = () => {
  let now = 1_000;
  let brokers = ["1", "2"];
  const watchdog = new ConsumerWatchdog({ timeoutMs: limitMs, monotonicNow: () => now });
  const pass = (ms: number, signs: () => void = () => {}): void => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      now += 1_000;
      signs();
      watchdog.check(brokers);
    }
  };
  const fetch = (broker: string): void => {
    watchdog.onFetchStarted(broker);
    watchdog.onFetched(broker);
  };
  const world = {
    watchdog,
    pass,
    fetch,
    jump: (ms: number): void => void (now += ms),
    know: (...known: string[]): void => void (brokers = known),
    /** A second of a consumer at work. */
    work: (): void => {
      fetch("1");
      fetch("2");
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
    },
  };
  watchdog.onJoined();
  return world;
};

const text = "Kafka answers other connections but not the consumer's: ";

describe("ConsumerWatchdog", () => {
  it("reports no problem for a consumer at work, even if all partitions are paused", () => {
    const { watchdog, pass, work } = createWorld();
    pass(10 * limitMs, work);
    expect(watchdog.problem).toBeUndefined();
  });

  it("reports a consumer whose heartbeats get no answer while other requests do", () => {
    const { watchdog, pass, fetch } = createWorld();
    const signs = (): void => {
      fetch("1");
      watchdog.onClusterResponse();
    };
    pass(limitMs - 1_000, signs);
    expect(watchdog.problem).toBeUndefined();
    pass(1_000, signs);
    expect(watchdog.problem).toBe(`${text}no heartbeat for 180 s`);
    watchdog.onGroupResponse();
    expect(watchdog.problem).toBeUndefined();
  });

  it.each([
    ["never ends", 10 * limitMs],
    ["ends with its time-out again and again", 31_000],
  ])("reports a broker whose fetch %s, though another broker answers", (_, everyMs) => {
    const { watchdog, pass, work, fetch } = createWorld();
    pass(10_000, work);
    watchdog.onFetchStarted("2");
    let sinceMs = 0;
    pass(limitMs + 5_000, () => {
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
      fetch("1");
      sinceMs += 1_000;
      if (sinceMs % everyMs === 0) watchdog.onFetchStarted("2");
    });
    expect(watchdog.problem).toBe(`${text}no fetch from broker 2 for 185 s`);
  });

  it("counts a fetch that fails at once as an answer: kafkajs handles missing rights, moved leaders and closed connections", () => {
    const { watchdog, pass } = createWorld();
    pass(10 * limitMs, () => {
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
      watchdog.onFetchStarted("1");
    });
    expect(watchdog.problem).toBeUndefined();
  });

  it("does not wait for a broker that has left the cluster", () => {
    const { watchdog, pass, work, fetch, know } = createWorld();
    pass(10_000, work);
    watchdog.onFetchStarted("2");
    know("1");
    pass(2 * limitMs, () => {
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
      fetch("1");
    });
    know("1", "2");
    pass(1_000);
    expect(watchdog.problem).toBeUndefined();
  });

  it("expects no fetch while the consumer joins and the group answers", () => {
    const { watchdog, pass, work } = createWorld();
    pass(10_000, work);
    watchdog.onJoining();
    pass(10 * limitMs, () => {
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
    });
    expect(watchdog.problem).toBeUndefined();
    pass(limitMs - 1_000, () => watchdog.onClusterResponse());
    expect(watchdog.problem).toBe(`${text}no heartbeat for 180 s`);
  });

  it("reports no problem while no broker answers at all, however long, and continues to count when one answers again", () => {
    const { watchdog, pass, work, fetch } = createWorld();
    pass(10_000, work);
    pass(100 * limitMs, () => fetch("1"));
    expect([watchdog.problem, watchdog.needsProbe]).toEqual([undefined, true]);
    pass(limitMs, () => watchdog.onClusterResponse());
    expect(watchdog.problem).toContain("no heartbeat");
    pass(1_000, work);
    expect([watchdog.problem, watchdog.needsProbe]).toEqual([undefined, false]);
  });

  it("reports no problem after the process was suspended", () => {
    const { watchdog, pass, work, jump } = createWorld();
    pass(10_000, work);
    jump(24 * 3_600_000);
    watchdog.onClusterResponse();
    pass(1_000);
    expect(watchdog.problem).toBeUndefined();
  });

  it("reports no problem before the first join", () => {
    let now = 0;
    const watchdog = new ConsumerWatchdog({ timeoutMs: limitMs, monotonicNow: () => now });
    for (let second = 0; second < 1_000; second++) {
      now += 1_000;
      watchdog.onClusterResponse();
      watchdog.onGroupResponse();
      watchdog.onFetchStarted("1");
      watchdog.check(["1"]);
    }
    now += 100_000;
    expect([watchdog.problem, watchdog.needsProbe]).toEqual([undefined, false]);
  });
});
