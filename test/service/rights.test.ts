import { describe, expect, it, vi } from "vitest";

import type { Config } from "../../src/config/config.ts";
import type { TopicRights } from "../../src/kafka/rights/needed-rights.ts";
import type { Log } from "../../src/ops/log.ts";
import { Rights } from "../../src/service/rights.ts";

const groupRefusal = Object.assign(new Error("Not authorized"), { type: "GROUP_AUTHORIZATION_FAILED" });
const topicRefusal = Object.assign(new Error("Not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });
const config = {
  kafka: { brokers: ["k1:9092"], groupId: "g", sasl: { mechanism: "plain", username: "paula" } },
  topics: { source: ["orders"], retry: [{ topic: "retry-1s" }], deadLetter: "dlq" },
} as unknown as Config;

const all = (1 << 3) | (1 << 4);

const createRights = () => {
  const lines: string[] = [];
  const fatal: Error[] = [];
  let now = 0;
  let answer: (topic: string) => number | undefined | Error = () => all;
  const line = (...args: unknown[]): void => void lines.push(String(args.at(-1)));
  const rights = new Rights({
    config,
    log: { warn: line, info: line, debug: () => {} } as unknown as Log,
    admin: {
      topicStates: async (topics) =>
        topics.map((topic): TopicRights => {
          const operations = answer(topic);
          if (operations instanceof Error) throw operations;
          return { topic, error: undefined, operations };
        }),
    },
    monotonicNow: () => now,
    onFatal: (error) => void fatal.push(error),
  });
  return {
    rights,
    lines,
    fatal,
    answers: (to: typeof answer) => void (answer = to),
    wait: (ms: number) => void (now += ms),
  };
};

describe("Rights", () => {
  it("logs a missing right once, and its end", async () => {
    const { rights, lines, answers } = createRights();
    answers((topic) => (topic === "dlq" ? 0 : all));
    await rights.checkNow();
    await rights.checkNow();
    expect(rights.missing).toEqual([
      "Kafka refuses the right Write on topic dlq: grant it with kafka-acls.sh --bootstrap-server k1:9092 --add " +
        "--allow-principal User:paula --operation Write --topic dlq",
    ]);
    answers(() => all);
    await rights.checkNow();
    expect(rights.missing).toEqual([]);
    expect(lines).toEqual([expect.stringContaining("Write on topic dlq"), "Kafka no longer refuses any right"]);
  });

  it("may read if every topic is readable, even if none is writable", async () => {
    const { rights, answers } = createRights();
    answers(() => 1 << 3);
    await rights.refreshAndLog();
    expect(rights.mayRead).toBe(true);
    answers((topic) => (topic === "retry-1s" ? 1 << 4 : all));
    await rights.refreshAndLog();
    expect(rights.mayRead).toBe(false);
  });

  it("reports the group until it answers", async () => {
    const { rights, lines } = createRights();
    await rights.recordRefusal(groupRefusal);
    await rights.recordRefusal(groupRefusal);
    expect(rights.missing).toEqual([expect.stringContaining("the right Read on group g: grant it with")]);
    rights.recordGroupAnswer();
    rights.recordGroupAnswer();
    expect(rights.missing).toEqual([]);
    expect(lines).toHaveLength(2);
  });

  it("names all possible topics for a while if the cluster does not say which", async () => {
    const { rights, answers, wait } = createRights();
    answers(() => undefined);
    await rights.recordRefusal(topicRefusal);
    expect(rights.missing).toEqual([
      expect.stringMatching(
        /Read on one of the topics orders, retry-1s: .*--operation Read --topic orders --topic retry-1s$/,
      ),
    ]);
    wait(30_000);
    expect(rights.missing).toEqual([]);
  });

  it("reports no topic if the cluster says that everything is granted by now", async () => {
    const { rights, lines } = createRights();
    await rights.recordRefusal(topicRefusal);
    expect([rights.missing, lines]).toEqual([[], []]);
  });

  it("keeps its state while the cluster does not answer, and does not hide a programming error", async () => {
    const { rights, fatal, answers } = createRights();
    answers((topic) => (topic === "dlq" ? 0 : all));
    await rights.checkNow();
    answers(() => Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" }));
    await rights.checkNow();
    expect(rights.missing).toHaveLength(1);
    answers(() => new TypeError("x is not a function"));
    await rights.checkNow();
    expect(fatal.map(({ message }) => message)).toEqual(["x is not a function"]);
  });

  it("reports an error by its kind", async () => {
    const { rights, lines, fatal } = createRights();
    rights.handleError(groupRefusal, "Cannot commit yet, trying again");
    await rights.checkNow();
    rights.handleError(new Error("Closed connection"), "Cannot commit yet, trying again");
    rights.handleError(new TypeError("x is not a function"), "Cannot commit yet, trying again");
    expect(lines).toEqual([expect.stringContaining("Read on group g"), "Cannot commit yet, trying again"]);
    expect(fatal).toHaveLength(1);
  });

  it("checks every five seconds while it owns partitions, and every second while a right is missing", async () => {
    vi.useFakeTimers();
    const { rights, answers } = createRights();
    let isOwner = false;
    let asked = 0;
    let granted = all;
    answers((topic) => {
      if (topic === "dlq") asked++;
      return granted;
    });
    const stop = rights.startChecking(() => isOwner);
    const askedWithin = async (ms: number): Promise<number> => {
      asked = 0;
      await vi.advanceTimersByTimeAsync(ms);
      return asked;
    };
    expect(await askedWithin(10_000)).toBe(0);
    isOwner = true;
    expect(await askedWithin(10_000)).toBe(2);
    granted = 1 << 3;
    await askedWithin(5_000);
    expect(await askedWithin(10_000)).toBe(10);
    stop();
    expect(await askedWithin(10_000)).toBe(0);
    vi.useRealTimers();
  });
});
