import { describe, expect, it, vi } from "vitest";

import type { Config } from "../../src/config/config.ts";
import type { TopicRights } from "../../src/kafka/topics/needed-rights.ts";
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
      topics: async (topics) =>
        topics.map((topic): TopicRights => {
          const operations = answer(topic);
          if (operations instanceof Error) throw operations;
          return { topic, error: undefined, operations };
        }),
    },
    monotonic: () => now,
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
  it("names what the cluster refuses, once, and says when it is over", async () => {
    const { rights, lines, answers } = createRights();
    answers((topic) => (topic === "dlq" ? 0 : all));
    await rights.look();
    await rights.look();
    expect(rights.missing).toEqual([
      "Kafka refuses the right Write on topic dlq: grant it with kafka-acls.sh --bootstrap-server k1:9092 --add " +
        "--allow-principal User:paula --operation Write --topic dlq",
    ]);
    answers(() => all);
    await rights.look();
    expect(rights.missing).toEqual([]);
    expect(lines).toEqual([expect.stringContaining("Write on topic dlq"), "Kafka refuses no right any more"]);
  });

  it("lets a member join that may read everything, whatever it may write", async () => {
    const { rights, answers } = createRights();
    answers(() => 1 << 3);
    expect(await rights.mayRead()).toBe(true);
    answers((topic) => (topic === "retry-1s" ? 1 << 4 : all));
    expect(await rights.mayRead()).toBe(false);
  });

  it("names the group until it answers", async () => {
    const { rights, lines } = createRights();
    await rights.refused(groupRefusal);
    await rights.refused(groupRefusal);
    expect(rights.missing).toEqual([expect.stringContaining("the right Read on group g: grant it with")]);
    rights.heardOfGroup();
    rights.heardOfGroup();
    expect(rights.missing).toEqual([]);
    expect(lines).toHaveLength(2);
  });

  it("names all topics that come into question if the cluster does not tell which, for a while", async () => {
    const { rights, answers, wait } = createRights();
    answers(() => undefined);
    await rights.refused(topicRefusal);
    expect(rights.missing).toEqual([
      expect.stringMatching(
        /Read on one of the topics orders, retry-1s: .*--operation Read --topic orders --topic retry-1s$/,
      ),
    ]);
    wait(30_000);
    expect(rights.missing).toEqual([]);
  });

  it("says nothing of a topic if the cluster tells that everything is granted by now", async () => {
    const { rights, lines } = createRights();
    await rights.refused(topicRefusal);
    expect([rights.missing, lines]).toEqual([[], []]);
  });

  it("keeps what it knows while the cluster does not answer, and does not hide a mistake of ours", async () => {
    const { rights, fatal, answers } = createRights();
    answers((topic) => (topic === "dlq" ? 0 : all));
    await rights.look();
    answers(() => Object.assign(new Error("Closed connection"), { name: "KafkaJSConnectionError" }));
    await rights.look();
    expect(rights.missing).toHaveLength(1);
    answers(() => new TypeError("x is not a function"));
    await rights.look();
    expect(fatal.map(({ message }) => message)).toEqual(["x is not a function"]);
  });

  it("tells an error of the member by its kind", async () => {
    const { rights, lines, fatal } = createRights();
    rights.problem(groupRefusal, "Cannot commit yet, trying again");
    await rights.look();
    rights.problem(new Error("Closed connection"), "Cannot commit yet, trying again");
    rights.problem(new TypeError("x is not a function"), "Cannot commit yet, trying again");
    expect(lines).toEqual([expect.stringContaining("Read on group g"), "Cannot commit yet, trying again"]);
    expect(fatal).toHaveLength(1);
  });

  it("asks every five seconds while the member is at work, and every second while something is missing", async () => {
    vi.useFakeTimers();
    const { rights, answers } = createRights();
    let isAtWork = false;
    let asked = 0;
    let granted = all;
    answers((topic) => {
      if (topic === "dlq") asked++;
      return granted;
    });
    const unwatch = rights.watch(() => isAtWork);
    const askedWithin = async (ms: number): Promise<number> => {
      asked = 0;
      await vi.advanceTimersByTimeAsync(ms);
      return asked;
    };
    expect(await askedWithin(10_000)).toBe(0);
    isAtWork = true;
    expect(await askedWithin(10_000)).toBe(2);
    granted = 1 << 3;
    await askedWithin(5_000);
    expect(await askedWithin(10_000)).toBe(10);
    unwatch();
    expect(await askedWithin(10_000)).toBe(0);
    vi.useRealTimers();
  });
});
