import { describe, expect, it } from "vitest";

import { Silence } from "../../../src/kafka/group/silence.ts";

const limitMs = 180_000;

/** A consumer that has joined, on a cluster of two brokers; what it hears in each second is up to the test. */
const createWorld = () => {
  let now = 1_000;
  let brokers = ["1", "2"];
  const silence = new Silence({ limitMs, now: () => now });
  const pass = (ms: number, signs: () => void = () => {}): void => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      now += 1_000;
      signs();
      silence.check(brokers);
    }
  };
  const fetch = (broker: string): void => {
    silence.fetchStarted(broker);
    silence.fetched(broker);
  };
  const world = {
    silence,
    pass,
    fetch,
    jump: (ms: number): void => void (now += ms),
    know: (...known: string[]): void => void (brokers = known),
    /** A second of a consumer at work. */
    work: (): void => {
      fetch("1");
      fetch("2");
      silence.clusterAnswered();
      silence.groupAnswered();
    },
  };
  silence.joined();
  return world;
};

const text = "Kafka answers other connections but not the consumer's: ";

describe("Silence", () => {
  it("finds nothing in a consumer at work, nor in one whose partitions are all paused", () => {
    const { silence, pass, work } = createWorld();
    pass(10 * limitMs, work);
    expect(silence.sentence).toBeUndefined();
  });

  it("finds a consumer whose heartbeats are not answered while others are", () => {
    const { silence, pass, fetch } = createWorld();
    const signs = (): void => {
      fetch("1");
      silence.clusterAnswered();
    };
    pass(limitMs - 1_000, signs);
    expect(silence.sentence).toBeUndefined();
    pass(1_000, signs);
    expect(silence.sentence).toBe(`${text}no heartbeat for 180 s`);
    silence.groupAnswered();
    expect(silence.sentence).toBeUndefined();
  });

  it.each([
    ["never ends", 10 * limitMs],
    ["ends with its time-out again and again", 31_000],
  ])("finds a broker whose fetch %s, though another broker answers", (_, everyMs) => {
    const { silence, pass, work, fetch } = createWorld();
    pass(10_000, work);
    silence.fetchStarted("2");
    let sinceMs = 0;
    pass(limitMs + 5_000, () => {
      silence.clusterAnswered();
      silence.groupAnswered();
      fetch("1");
      sinceMs += 1_000;
      if (sinceMs % everyMs === 0) silence.fetchStarted("2");
    });
    expect(silence.sentence).toBe(`${text}no fetch by broker 2 for 185 s`);
  });

  it("takes fetches that fail at once for answers: rights, leaders and closed connections are others' matter", () => {
    const { silence, pass } = createWorld();
    pass(10 * limitMs, () => {
      silence.clusterAnswered();
      silence.groupAnswered();
      silence.fetchStarted("1");
    });
    expect(silence.sentence).toBeUndefined();
  });

  it("does not wait for a broker that has left the cluster", () => {
    const { silence, pass, work, fetch, know } = createWorld();
    pass(10_000, work);
    silence.fetchStarted("2");
    know("1");
    pass(2 * limitMs, () => {
      silence.clusterAnswered();
      silence.groupAnswered();
      fetch("1");
    });
    know("1", "2");
    pass(1_000);
    expect(silence.sentence).toBeUndefined();
  });

  it("waits for no fetch while the group is joining, as long as the group answers", () => {
    const { silence, pass, work } = createWorld();
    pass(10_000, work);
    silence.joining();
    pass(10 * limitMs, () => {
      silence.clusterAnswered();
      silence.groupAnswered();
    });
    expect(silence.sentence).toBeUndefined();
    pass(limitMs - 1_000, () => silence.clusterAnswered());
    expect(silence.sentence).toBe(`${text}no heartbeat for 180 s`);
  });

  it("blames nobody if the whole cluster is silent, however long, and counts on when it answers again", () => {
    const { silence, pass, work, fetch } = createWorld();
    pass(10_000, work);
    pass(100 * limitMs, () => fetch("1"));
    expect([silence.sentence, silence.isInDoubt]).toEqual([undefined, true]);
    pass(limitMs, () => silence.clusterAnswered());
    expect(silence.sentence).toContain("no heartbeat");
    pass(1_000, work);
    expect([silence.sentence, silence.isInDoubt]).toEqual([undefined, false]);
  });

  it("takes a process that was stopped for no silence", () => {
    const { silence, pass, work, jump } = createWorld();
    pass(10_000, work);
    jump(24 * 3_600_000);
    silence.clusterAnswered();
    pass(1_000);
    expect(silence.sentence).toBeUndefined();
  });

  it("watches nothing before the first join", () => {
    let now = 0;
    const silence = new Silence({ limitMs, now: () => now });
    for (let second = 0; second < 1_000; second++) {
      now += 1_000;
      silence.clusterAnswered();
      silence.groupAnswered();
      silence.fetchStarted("1");
      silence.check(["1"]);
    }
    now += 100_000;
    expect([silence.sentence, silence.isInDoubt]).toEqual([undefined, false]);
  });
});
